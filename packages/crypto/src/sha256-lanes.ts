// SHA-256 of four messages at once, for trees: each lane of a WebAssembly vector hashes one. Calling a native
// hash costs as much as hashing a node of 64 bytes, and no native hash at hand takes several.
//
// The module is assembled when it is first needed: two functions of straight code, 64 rounds, with the
// message schedule in a window of sixteen locals. They hash what lies in the module's memory, one address
// for each lane, and leave the digests there:
//
//   node(at0..at3, to0..to3)              the 64 bytes at each address
//   prefixed(at0..at3, to0..to3, prefix)  one byte, then the 64 bytes at each address
//
// `prefixed` reads the byte before each address and ignores it. All is read before anything is written.

const ROUND_CONSTANTS = new Uint32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])
const INITIAL_STATE = new Uint32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])
const WORDS = 16
const LANES = 4
const ADDRESSES = 2 * LANES
const END_OF_MESSAGE = 0x80
const NODE_BITS = 64 * 8
const PREFIXED_BITS = 65 * 8

/** The little of WebAssembly that is needed: neither Node's types nor those of ECMAScript have it. */
interface Memory {
  readonly buffer: ArrayBuffer
  /** By so many pages of 64 KiB; the buffer is another one then. */
  grow(pages: number): number
}

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Memory: new (size: { initial: number }) => Memory
  readonly Instance: new (module: object, imports: object) => { readonly exports: LaneFunctions }
}

type Addresses = [
  at0: number,
  at1: number,
  at2: number,
  at3: number,
  to0: number,
  to1: number,
  to2: number,
  to3: number,
]

interface LaneFunctions {
  readonly node: (...addresses: Addresses) => void
  readonly prefixed: (...addresses: [...addresses: Addresses, prefix: number]) => void
}

export interface Sha256Lanes extends LaneFunctions {
  readonly memory: Memory
}

/** Functions with a memory of their own, of so many pages of 64 KiB. */
export function createSha256Lanes(pages: number): Sha256Lanes {
  compiled ??= new WebAssembly.Module(assemble())
  const memory = new WebAssembly.Memory({ initial: pages })
  const { node, prefixed } = new WebAssembly.Instance(compiled, { m: { m: memory } }).exports
  return { memory, node, prefixed }
}

let compiled: object | undefined

const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const I32 = 0x7f
const V128 = 0x7b
const END = 0x0b
const LOCAL_GET = 0x20
const LOCAL_SET = 0x21
const LOAD_BYTE = 0x2d
const I32_CONST = 0x41
const I32_SHL = 0x74
const I32_SUB = 0x6b
const VECTOR = 0xfd
const V_LOAD = 0x00
const V_STORE = 0x0b
const V_CONST = 0x0c
const V_SHUFFLE = 0x0d
const V_SPLAT = 0x11
const V_REPLACE = 0x1c
const V_AND = 0x4e
const V_OR = 0x50
const V_XOR = 0x51
const V_SELECT = 0x52
const V_SHL = 0xab
const V_SHR = 0xad
const V_ADD = 0xae

/** The instructions that leave one vector, or one number, on the stack. */
type Code = readonly number[]

function leb(value: number): number[] {
  const bytes: number[] = []
  let left = value >>> 0
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128)
  return [...bytes, left]
}

const get = (local: number): Code => [LOCAL_GET, ...leb(local)]
const set = (local: number, value: Code): Code => [...value, LOCAL_SET, ...leb(local)]
const binary = (op: number, a: Code, b: Code): Code => [...a, ...b, VECTOR, ...leb(op)]
const xor = (a: Code, b: Code): Code => binary(V_XOR, a, b)
const add = (first: Code, ...others: Code[]): Code =>
  others.reduce((sum, each) => binary(V_ADD, sum, each), first)
const number = (value: number): Code => [I32_CONST, ...signed(value)]
const shift = (op: number, a: Code, bits: number): Code => [
  ...a,
  ...number(bits),
  VECTOR,
  ...leb(op),
]
const rotate = (a: Code, bits: number): Code =>
  binary(V_OR, shift(V_SHR, a, bits), shift(V_SHL, a, 32 - bits))
const select = (mask: Code, a: Code, b: Code): Code => [...a, ...b, ...mask, VECTOR, V_SELECT]
const shuffle = (a: Code, b: Code, lanes: readonly number[]): Code => [
  ...a,
  ...b,
  VECTOR,
  V_SHUFFLE,
  ...lanes,
]

function signed(value: number): number[] {
  const bytes: number[] = []
  let left = value
  for (; left > 63 || left < -64; left >>= 7) bytes.push((left & 127) | 128)
  return [...bytes, left & 127]
}

/** The same word in each lane. */
function word(value: number): Code {
  const bytes = [value, value >>> 8, value >>> 16, value >>> 24].map((each) => each & 255)
  return [VECTOR, V_CONST, ...bytes, ...bytes, ...bytes, ...bytes]
}

/** Bytes of a shuffle that takes whole words; a word from 4 on is one of the second vector. */
const ofWords = (...words: number[]): number[] =>
  words.flatMap((each) => [0, 1, 2, 3].map((byte) => each * 4 + byte))
const REVERSED_BYTES = [0, 1, 2, 3].flatMap((each) => [3, 2, 1, 0].map((byte) => each * 4 + byte))

/** Numbers of the locals behind the parameters: the state, the window, the state before, and scratch. */
interface Locals {
  readonly state: number
  readonly window: number
  readonly before: number
  readonly scratch: number
}

const STATE_WORDS = 8
const LOCAL_VECTORS = STATE_WORDS + WORDS + STATE_WORDS + LANES

function localsFrom(first: number): Locals {
  const window = first + STATE_WORDS
  const before = window + WORDS
  return { state: first, window, before, scratch: before + STATE_WORDS }
}

/** Turns four words of each of four lanes, one lane in a vector, round to one word in a vector; and back. */
function transpose(rows: readonly Code[], to: readonly number[], { scratch }: Locals): Code {
  const [a = [], b = [], c = [], d = []] = rows
  const [ab = [], abHigh = [], cd = [], cdHigh = []] = [0, 1, 2, 3].map((at) => get(scratch + at))
  const columns = [
    shuffle(ab, cd, ofWords(0, 1, 4, 5)),
    shuffle(ab, cd, ofWords(2, 3, 6, 7)),
    shuffle(abHigh, cdHigh, ofWords(0, 1, 4, 5)),
    shuffle(abHigh, cdHigh, ofWords(2, 3, 6, 7)),
  ]
  return [
    ...set(scratch, shuffle(a, b, ofWords(0, 4, 1, 5))),
    ...set(scratch + 1, shuffle(a, b, ofWords(2, 6, 3, 7))),
    ...set(scratch + 2, shuffle(c, d, ofWords(0, 4, 1, 5))),
    ...set(scratch + 3, shuffle(c, d, ofWords(2, 6, 3, 7))),
    ...columns.flatMap((column, at) => set(to[at] ?? 0, column)),
  ]
}

/** The first 64 bytes of the four messages, which begin `shift` bytes before their addresses. */
function loadBlock(locals: Locals, isPrefixed: boolean): Code {
  const code: number[] = []
  for (let quarter = 0; quarter < 4; quarter += 1) {
    const rows = [0, 1, 2, 3].map((lane): Code => {
      const from = isPrefixed ? [...get(lane), ...number(1), I32_SUB] : get(lane)
      const load = [...from, VECTOR, V_LOAD, 0, ...leb(quarter * 16)]
      return [...load, ...load, VECTOR, V_SHUFFLE, ...REVERSED_BYTES]
    })
    const to = [0, 1, 2, 3].map((at) => locals.window + quarter * 4 + at)
    code.push(...transpose(rows, to, locals))
  }
  if (!isPrefixed) return code
  const prefix = [...get(ADDRESSES), ...number(24), I32_SHL, VECTOR, V_SPLAT]
  const rest = binary(V_AND, get(locals.window), word(0x00ffffff))
  return [...code, ...set(locals.window, binary(V_OR, rest, prefix))]
}

/** What a message of 65 bytes has in its second block: its last byte, and the padding. */
function loadLastByte({ window }: Locals): Code {
  const code: number[] = [...set(window, word(0))]
  for (let lane = 0; lane < LANES; lane += 1) {
    const byte = [...get(lane), LOAD_BYTE, 0, 63, ...number(24), I32_SHL]
    code.push(...set(window, [...get(window), ...byte, VECTOR, V_REPLACE, lane]))
  }
  code.push(...set(window, binary(V_OR, get(window), word(END_OF_MESSAGE << 16))))
  for (let at = 1; at < WORDS - 1; at += 1) code.push(...set(window + at, word(0)))
  return [...code, ...set(window + WORDS - 1, word(PREFIXED_BITS))]
}

/** The next word of the schedule, which takes the place of the one sixteen before it. */
function extend({ window }: Locals, round: number): Code {
  const at = (back: number): Code => get(window + ((round - back) & (WORDS - 1)))
  const small = xor(xor(rotate(at(15), 7), rotate(at(15), 18)), shift(V_SHR, at(15), 3))
  const large = xor(xor(rotate(at(2), 17), rotate(at(2), 19)), shift(V_SHR, at(2), 10))
  return set(window + (round & (WORDS - 1)), add(at(16), small, at(7), large))
}

/** 64 rounds. The words of a block that is the same for every message are known, and part of the constants. */
function compress(locals: Locals, known: readonly number[] | null): Code {
  const { state, before, window, scratch } = locals
  const code: number[] = []
  for (let at = 0; at < STATE_WORDS; at += 1) code.push(...set(before + at, get(state + at)))
  for (let round = 0; round < ROUND_CONSTANTS.length; round += 1) {
    const local = (letter: number): number => state + ((letter - round) & (STATE_WORDS - 1))
    const [a = [], b = [], c = [], , e = [], f = [], g = [], h = []] = [0, 1, 2, 3, 4, 5, 6, 7].map(
      (letter) => get(local(letter)),
    )
    if (known === null && round >= WORDS) code.push(...extend(locals, round))
    const constant = ROUND_CONSTANTS[round] ?? 0
    const input =
      known === null
        ? add(get(window + (round & (WORDS - 1))), word(constant))
        : word((known[round] ?? 0) + constant)
    const choice = select(e, f, g)
    const large1 = xor(xor(rotate(e, 6), rotate(e, 11)), rotate(e, 25))
    code.push(...set(scratch, add(h, input, choice, large1)))
    code.push(...set(local(3), add(get(local(3)), get(scratch))))
    const large0 = xor(xor(rotate(a, 2), rotate(a, 13)), rotate(a, 22))
    const majority = select(xor(a, b), c, b)
    code.push(...set(local(7), add(get(scratch), large0, majority)))
  }
  for (let at = 0; at < STATE_WORDS; at += 1) {
    code.push(...set(state + at, add(get(state + at), get(before + at))))
  }
  return code
}

const rotated = (value: number, bits: number): number => (value >>> bits) | (value << (32 - bits))

/** The schedule of the block that ends a message of 64 bytes. */
function paddingSchedule(): number[] {
  const words = [END_OF_MESSAGE << 24, ...Array.from({ length: 14 }, () => 0), NODE_BITS]
  for (let round = WORDS; round < ROUND_CONSTANTS.length; round += 1) {
    const [w15 = 0, w2 = 0] = [words[round - 15], words[round - 2]]
    const small = rotated(w15, 7) ^ rotated(w15, 18) ^ (w15 >>> 3)
    const large = rotated(w2, 17) ^ rotated(w2, 19) ^ (w2 >>> 10)
    words.push(((words[round - 16] ?? 0) + small + (words[round - 7] ?? 0) + large) | 0)
  }
  return words
}

function storeDigests(locals: Locals): Code {
  const code: number[] = []
  for (const half of [0, 1]) {
    const locals4 = [0, 1, 2, 3].map((at) => locals.state + half * 4 + at)
    const rows = locals4.map((at): Code => shuffle(get(at), get(at), REVERSED_BYTES))
    code.push(...transpose(rows, locals4, locals))
    for (const [lane, at] of locals4.entries()) {
      code.push(...get(LANES + lane), ...get(at), VECTOR, V_STORE, 0, ...leb(half * 16))
    }
  }
  return code
}

function bodyOf(kind: 'node' | 'prefixed'): Code {
  const isPrefixed = kind === 'prefixed'
  const locals = localsFrom(ADDRESSES + (isPrefixed ? 1 : 0))
  const code: number[] = []
  for (const [at, value] of INITIAL_STATE.entries())
    code.push(...set(locals.state + at, word(value)))
  code.push(...loadBlock(locals, isPrefixed), ...compress(locals, null))
  if (isPrefixed) code.push(...loadLastByte(locals), ...compress(locals, null))
  else code.push(...compress(locals, paddingSchedule()))
  code.push(...storeDigests(locals), END)
  return sized([1, ...leb(LOCAL_VECTORS), V128, ...code])
}

const sized = (bytes: Code): number[] => [...leb(bytes.length), ...bytes]
const name = (text: string): number[] => sized([...new TextEncoder().encode(text)])
const section = (id: number, items: readonly Code[]): number[] => [
  id,
  ...sized([...leb(items.length), ...items.flat()]),
]

const takes = (count: number): Code => [0x60, ...sized(Array.from({ length: count }, () => I32)), 0]

function assemble(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...HEAD,
    ...section(1, [takes(ADDRESSES), takes(ADDRESSES + 1)]),
    ...section(2, [[...name('m'), ...name('m'), 2, 0, 1]]),
    ...section(3, [[0], [1]]),
    ...section(7, [
      [...name('node'), 0, 0],
      [...name('prefixed'), 0, 1],
    ]),
    ...section(10, [bodyOf('node'), bodyOf('prefixed')]),
  ])
}
