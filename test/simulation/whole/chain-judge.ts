/**
 * The one chain that all honest nodes must have, and the promises made to clients. What a block may hold
 * is judged by a model of its own: signatures, sequences, expiry, nothing twice.
 */
import { toHex } from '@mooring/codec'
import { decodeCertificate } from '@mooring/consensus'
import { verify } from '@mooring/crypto'
import {
  decodeAuthoritySet,
  decodeBlock,
  decodeTransaction,
  organisations,
  payerOf,
  placeOf,
  signedBytesOf,
} from '@mooring/ledger'
import type { ChainStore } from '@mooring/storage'
import type { CommittedBlock } from '../../../packages/node/src/committer.ts'
import { Violation } from '../violation.ts'
import { isBearable } from './bearing.ts'
import { indexOf, KEY_GENERATIONS, keyOf } from './keys.ts'
import type { VoteJudge } from './vote-judge.ts'

interface FinalBlock {
  readonly digest: string
  readonly time: number
  readonly by: string
}

type JudgedBlock = Pick<CommittedBlock, 'height' | 'header' | 'time' | 'digest' | 'transactions'>

export class ChainJudge {
  readonly finals = new Map<number, FinalBlock>()
  /** Transaction ids in final blocks, with their heights. */
  readonly included = new Map<string, number>()
  /** Accepted by an honest node, by id. */
  readonly promised = new Map<string, { organisation: string; by: string }>()
  /** Who is a member after the last final block. */
  members: ReadonlySet<string>
  epoch = 0
  readonly #digest: Uint8Array
  readonly #votes: VoteJudge
  readonly #faulty: ReadonlySet<string>
  readonly #roots = new Map<number, string>()
  readonly #sequences = new Map<string, number>()

  constructor(
    genesis: { digest: Uint8Array; time: number; members: readonly string[] },
    votes: VoteJudge,
    faulty: ReadonlySet<string>,
  ) {
    this.#faulty = faulty
    this.members = new Set(genesis.members)
    this.#digest = genesis.digest
    this.#votes = votes
    this.finals.set(0, { digest: toHex(genesis.digest), time: genesis.time, by: 'genesis' })
  }

  get height(): number {
    return this.finals.size - 1
  }

  /** What an honest node has just made durable. */
  durable(by: string, blocks: readonly CommittedBlock[], chain: ChainStore): void {
    for (const block of blocks) this.#final(by, block, chain)
    const { height } = chain.tip
    const root = toHex(chain.state().root)
    const known = this.#roots.get(height)
    if (known !== undefined && known !== root)
      throw new Violation('I14', `the state of ${by} at height ${height} is another`)
    this.#roots.set(height, root)
  }

  /** The first to end an epoch shows who votes in the next; everybody else must show the same. */
  #sealed({ height, header, digest }: JudgedBlock, chain: ChainStore): void {
    const ended = chain.epochs()[header.epoch]
    if (ended?.height !== height)
      throw new Violation('I12', `an epoch ends at height ${height} and its end is not kept`)
    const { organisations: names, keys } = decodeAuthoritySet(ended.authoritySet)
    const strangers = names.filter((name, index) => !isKeyOf(name, keys[index]))
    if (names.length < 4 || new Set(names).size !== names.length || strangers.length > 0)
      throw new Violation('I12', `the set of epoch ${header.epoch + 1} is ${names.join(', ')}`)
    if (!isBearable(names, this.#faulty))
      throw new Violation('world', `too many are faulty in the set ${names.join(', ')}`)
    this.epoch = header.epoch + 1
    this.members = new Set(organisations(chain.state()).map(({ id }) => id))
    this.#votes.beginEpoch(this.epoch, { organisations: names, keys }, toHex(digest))
  }

  /** What a node comes back with after a restart. */
  restarted(by: string, chain: ChainStore): void {
    const { height, digest } = chain.tip
    // It may have died between the disk and its word: then nobody has heard of these blocks.
    for (const { block } of chain.blocks(this.finals.size, height))
      this.#final(by, read(block), chain)
    if (this.finals.get(height)?.digest !== toHex(digest))
      throw new Violation('I1', `${by} came back with another block at height ${height}`)
  }

  #final(by: string, block: JudgedBlock, chain: ChainStore): void {
    const { height, header, time } = block
    const digest = toHex(block.digest)
    this.#judgeCertificate(by, height, chain)
    const known = this.finals.get(height)
    if (known?.digest === digest) return
    if (known !== undefined)
      throw new Violation('I1', `${by} has ${digest} at height ${height}, ${known.by} another`)
    const below = this.finals.get(height - 1)
    if (below === undefined || below.digest !== toHex(header.parent))
      throw new Violation('I1', `the final block at height ${height} has another parent`)
    if (header.epoch !== this.epoch)
      throw new Violation('I12', `height ${height} is of epoch ${header.epoch}, not ${this.epoch}`)
    if (time <= below.time) throw new Violation('I13', `time does not rise at height ${height}`)
    this.finals.set(height, { digest, time, by })
    this.#roots.set(height, toHex(header.stateRoot))
    for (const transaction of block.transactions) this.#judgeTransaction(transaction, height, time)
    if (header.nextAuthoritySetDigest !== null) this.#sealed(block, chain)
  }

  #judgeCertificate(by: string, height: number, chain: ChainStore): void {
    const stored = chain.getFinalization(height)
    if (stored === undefined) return
    const certificate = decodeCertificate(stored)
    const { subject, kind } = certificate
    if (kind !== 'finalize' || subject.height !== height || !this.#votes.isProven(certificate))
      throw new Violation('I11', `the finalization of ${by} at height ${height} proves nothing`)
    const header = chain.getHeader(height)
    if (header === undefined || chain.heightOf(Buffer.from(subject.digest, 'hex')) !== height)
      throw new Violation('I11', `the finalization of ${by} at height ${height} is of another`)
  }

  #judgeTransaction(encoded: Uint8Array, height: number, time: number): void {
    const transaction = decodeTransaction(encoded, this.#digest)
    const { signer, signature, payload } = transaction
    const signedBytes = signedBytesOf(this.#digest, transaction)
    const id = toHex(transaction.id)
    const complain = (what: string): never => {
      throw new Violation('validity', `the final block at height ${height} holds ${what}`)
    }
    if (!verify(signer, signedBytes, signature)) complain('a forged transaction')
    if (this.included.has(id)) complain('a transaction that is final already')
    if (payload.expiresAt <= time) complain('an expired transaction')
    this.included.set(id, height)
    const place = placeOf(transaction)
    if (place === null) return
    const { sequence } = place
    const lane = `${place.counter} of ${payerOf(transaction)}`
    if (sequence !== (this.#sequences.get(lane) ?? 0) + 1)
      complain(`${sequence} as ${lane}, out of turn`)
    this.#sequences.set(lane, sequence)
  }
}

function read(encoded: Uint8Array): JudgedBlock {
  const { header, digest, transactions } = decodeBlock(encoded)
  return { height: header.height, time: header.time, header, digest, transactions }
}

function isKeyOf(name: string, key: Uint8Array | undefined): boolean {
  if (key === undefined) return false
  return Array.from({ length: KEY_GENERATIONS }, (_, generation) => generation).some(
    (generation) => toHex(keyOf(indexOf(name), 'consensus', generation).publicKey) === toHex(key),
  )
}
