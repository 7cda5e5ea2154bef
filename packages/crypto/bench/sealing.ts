// What sealing and splitting a record cost, of the processor's time, so that a busy computer gives the
// same figures: npm run bench -- sealing
//
// @digitaldefiance/reed-solomon-erasure.wasm 1.0.2 (MIT, the Rust crate reed-solomon-erasure, 118 KB
// of WebAssembly) makes the same parity and was measured beside `encodeParity`, 3 of 5, MB of payload
// a second with the copies into its memory and back: fragments of 1.4 KB 310 (own tables 525), 5.5 KB 680 (810),
// 22 KB 1,020 (945), 350 KB 1,270 (925); two lost of 350 KB back: 1,370 (650). That is under a
// millisecond for each MiB, where hashing and sealing take two. It is not kept for it: one release of
// one author, a binary that nobody else has built, over a crate without releases since 2022.

import {
  aeadOpen,
  aeadSeal,
  encodeParity,
  hpkeOpen,
  hpkeSeal,
  leafHash,
  reconstruct,
  x25519PublicKey,
} from '../src/index.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'

await runBench({
  name: 'sealing',
  what: 'seal, split and rebuild, by size',
  options: { megabytes: 300 },
  quick: { megabytes: 1 },
  run: ({ options, give }) => {
    const bytes = options.megabytes * 1e6
    measureShards(bytes, give)
    measureKeys(bytes, give)
  },
})

interface Work {
  readonly what: string
  readonly size: number
  readonly bytes: number
}

function measure({ what, size, bytes }: Work, give: Give, run: () => unknown): void {
  const runs = Math.min(10_000, Math.ceil(bytes / size))
  for (let index = 0; index < runs / 10; index += 1) run()
  const start = process.cpuUsage()
  for (let index = 0; index < runs; index += 1) run()
  const { user, system } = process.cpuUsage(start)
  const microseconds = (user + system) / runs
  give(what, 'µs', microseconds, { at: { bytes: size } })
  give(what, 'MB/s', size / microseconds, { at: { bytes: size, as: 'speed' } })
}

function measureShards(bytes: number, give: Give): void {
  const key = new Uint8Array(32).fill(1)
  const nonce = new Uint8Array(12)
  const aad = new Uint8Array(32)
  for (const size of [4096, 16_384, 65_536, 1 << 20]) {
    const time = (what: string, run: () => unknown) => measure({ what, size, bytes }, give, run)
    const plaintext = Uint8Array.from({ length: size }, (_, at) => at * 7)
    const sealed = aeadSeal(key, nonce, aad, plaintext)
    time('seal', () => aeadSeal(key, nonce, aad, plaintext))
    time('open', () => aeadOpen(key, nonce, aad, sealed))
    const length = Math.ceil(sealed.length / 3)
    const data = [0, 1, 2].map((at) => {
      const fragment = new Uint8Array(length)
      fragment.set(sealed.subarray(at * length, (at + 1) * length))
      return fragment
    })
    const [, , third] = data
    const parity = encodeParity(3, 5, data)
    time('parity, 3 of 5', () => encodeParity(3, 5, data))
    time('two data fragments back', () => reconstruct(3, 5, [null, null, third ?? null, ...parity]))
    time('hash the five', () => [...data, ...parity].map(leafHash))
  }
}

function measureKeys(bytes: number, give: Give): void {
  const secret = new Uint8Array(32).fill(3)
  const empty = new Uint8Array(0)
  const message = {
    recipient: x25519PublicKey(secret),
    info: empty,
    aad: empty,
    plaintext: new Uint8Array(128),
    ephemeral: new Uint8Array(32).fill(5),
  }
  const sealed = hpkeSeal(message)
  const size = message.plaintext.length
  measure({ what: 'HPKE seal', size, bytes }, give, () => hpkeSeal(message))
  measure({ what: 'HPKE open', size, bytes }, give, () =>
    hpkeOpen({ ...message, ...sealed, secret }),
  )
}
