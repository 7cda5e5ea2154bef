// A small chain of its own: headers with just what storage looks at, and blocks of random bytes.

import {
  bytes,
  concatBytes,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  toHex,
  uint,
} from '@mooring/codec'
import { domainHash, leafHash, sha256 } from '@mooring/crypto'
import { ChainStore } from '../src/chain.ts'
import type { ChainOptions } from '../src/chain-check.ts'
import type { FinalBlock, StoredHeader } from '../src/chain-records.ts'
import type { Database } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import type { StateEntry } from '../src/state-tree.ts'

const headerSchema = struct({
  epoch: uint(),
  height: uint(),
  parent: bytes(32),
  time: uint(),
  stateRoot: bytes(32),
  historyRoot: bytes(32),
  nextAuthoritySetDigest: nullable(bytes(32)),
})
export const blockSchema = struct({ header: headerSchema, transactions: list(bytes(100), 100_000) })

export function encodeHeader(header: Infer<typeof headerSchema>): Uint8Array {
  return encode(headerSchema, header)
}

export const GENESIS_DIGEST = sha256(new TextEncoder().encode('genesis'))
export const GENESIS_TIME = 1_000_000

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export const chainOptions: ChainOptions = {
  genesis: {
    digest: GENESIS_DIGEST,
    time: GENESIS_TIME,
    state: [{ key: textBytes('organisation'), value: textBytes('from genesis') }],
  },
  decodeHeader: (encoded): StoredHeader => ({
    ...decode(headerSchema, encoded),
    digest: sha256(encoded),
  }),
}

export function openChain(database: Database): Promise<ChainStore> {
  return ChainStore.open(database, chainOptions)
}

export function timeOf(height: number): number {
  return GENESIS_TIME + height * 1000
}

export function idOf(height: number, index: number): Uint8Array {
  return sha256(textBytes(`transaction ${height} ${index}`))
}

function transactionOf(height: number, index: number): Uint8Array {
  const seed = idOf(height, index)
  return concatBytes(seed, sha256(seed), sha256(sha256(seed)), seed).subarray(0, 100)
}

/** What the block of a height does to the state: sets, changes and removes. */
export function entriesOf(height: number, count: number): StateEntry[] {
  const entries: StateEntry[] = [
    { key: textBytes('sequence'), value: textBytes(`${height}`) },
    { key: textBytes(`removed ${height - 1}`), value: null },
    { key: textBytes(`removed ${height}`), value: textBytes('soon') },
  ]
  for (let index = 0; index < count; index += 1) {
    entries.push({ key: idOf(height, index), value: textBytes(`seen at ${height}`) })
  }
  return entries
}

/** As many blocks as asked for, each on the one before, the first on the chain's tip. */
export function makeBlocks(
  chain: ChainStore,
  count: number,
  transactionCount: number,
): FinalBlock[] {
  const blocks: FinalBlock[] = []
  const history = chain.historyFrontier()
  let state = chain.state()
  let { height, digest } = chain.tip
  let epoch = chain.epochs().length
  for (let made = 0; made < count; made += 1) {
    height += 1
    state = state.apply(entriesOf(height, transactionCount))
    const nextAuthorities = isSealingAt(height) ? authoritiesAfter(height) : null
    const header: Infer<typeof headerSchema> = {
      epoch,
      height,
      parent: digest,
      time: timeOf(height),
      stateRoot: state.root,
      historyRoot: history.root(),
      nextAuthoritySetDigest:
        nextAuthorities === null ? null : domainHash('authority-set', nextAuthorities),
    }
    if (nextAuthorities !== null) epoch += 1
    const indices = Array.from({ length: transactionCount }, (_, index) => index)
    const transactions = indices.map((index) => transactionOf(height, index))
    const encodedHeader = encode(headerSchema, header)
    digest = sha256(encodedHeader)
    history.append(leafHash(digest))
    blocks.push({
      block: encode(blockSchema, { header, transactions }),
      header: encodedHeader,
      digest,
      finalization: isFinalizedAt(height) ? finalizationOf(height) : null,
      nextAuthorities,
      receipts: textBytes(`receipts of ${height}`),
      transactionIds: indices.map((index) => idOf(height, index)),
      state,
    })
  }
  return blocks
}

/** Every third block was finalized by a later one, but for those that end an epoch. */
export function isFinalizedAt(height: number): boolean {
  return height % 3 !== 0 || isSealingAt(height)
}

/** Every seventh block ends an epoch. */
export function isSealingAt(height: number): boolean {
  return height % 7 === 0
}

export function authoritiesAfter(height: number): Uint8Array {
  return textBytes(`authorities after ${height}`)
}

export function finalizationOf(height: number): Uint8Array {
  return textBytes(`finalization of ${height}`)
}

/** The answer to everything one can ask a chain of so many blocks; an error is its code. */
export function askAll(
  chain: ChainStore,
  { blocks, transactions }: { blocks: number; transactions: number },
): Map<string, string> {
  const answers = new Map<string, string>()
  const ask = (question: string, read: () => Uint8Array | Uint8Array[] | string | undefined) => {
    answers.set(question, answerOf(read))
  }
  const size = chain.tip.height + 1
  ask('state root', () => chain.state().root)
  ask('sequence', () => chain.state().get(textBytes('sequence')))
  ask('frontier', () => chain.historyFrontier().hashes)
  ask('epochs', () => JSON.stringify(chain.epochs()))
  ask('recent', () => JSON.stringify(chain.recentTransactionIds(0)))
  for (let height = 1; height <= blocks; height += 1) {
    ask(`block ${height}`, () => chain.getBlock(height))
    ask(`header ${height}`, () => chain.getHeader(height))
    ask(`receipts ${height}`, () => chain.getReceipts(height))
    ask(`finalization ${height}`, () => chain.getFinalization(height))
    ask(`path ${height}`, () => (height < size ? chain.historyPath(height, size) : undefined))
    ask(`removed ${height}`, () => chain.state().get(textBytes(`removed ${height}`)))
    for (let index = 0; index < transactions; index += 1) {
      const id = idOf(height, index)
      ask(`transaction ${height}.${index}`, () => JSON.stringify(chain.getTransaction(id)))
      ask(`value ${height}.${index}`, () => chain.state().get(id))
    }
  }
  return answers
}

function answerOf(read: () => Uint8Array | Uint8Array[] | string | undefined): string {
  try {
    const answer = read()
    if (answer === undefined || typeof answer === 'string') return `${answer}`
    return [answer].flat().map(toHex).join(' ')
  } catch (error) {
    if (error instanceof StorageError) return `error ${error.code}`
    throw error
  }
}
