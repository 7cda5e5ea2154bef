// A small network with fixed keys: four authorities and an observer, their state in a Map, and
// blocks that extend each other. Finalizations here are signatures of a quorum over the digest.

import { bytes, bytesMax, decode, encode, list, struct, toHex } from '@mooring/codec'
import {
  bitmapOf,
  checkMultiSignature,
  domainBytes,
  domainHash,
  type KeyPair,
  keyPairFromSeed,
  sha256,
  sign,
  signersOf,
  x25519PublicKey,
} from '@mooring/crypto'
import {
  type AuthoritySet,
  authoritySet,
  authoritySetDigest,
  type Block,
  blockDigest,
  createBlock,
  createGenesis,
  createTransaction,
  type DecodedTransaction,
  DEVNET_PARAMETERS,
  decodeTransaction,
  type FinalizationVerifier,
  type Genesis,
  genesisDigest,
  genesisParent,
  genesisState,
  type Header,
  type Organisation,
  type Parameters,
  type ParentBlock,
  signGenesisEntry,
  type State,
  type StateDiff,
} from '../src/index.ts'

export const MINUTE = 60_000
/** The start of a minute. */
export const START = 1_795_082_400_000

const utf8 = new TextEncoder()

export function seedOf(what: string): Uint8Array {
  return sha256(utf8.encode(`fixture ${what}`))
}

export function keyOf(id: string, duty: string): KeyPair {
  return keyPairFromSeed(seedOf(`${id} ${duty}`))
}

const organisations = new Map<string, Organisation>()

export function organisation(id: string, role: 'authority' | 'observer' = 'authority') {
  const known = organisations.get(id)
  if (known !== undefined) return known
  const made: Organisation = {
    id,
    name: `Hospital ${id}`,
    legalGroup: `group-${id}`,
    roles: [role],
    keys: {
      governance: keyOf(id, 'governance').publicKey,
      consensus: keyOf(id, 'consensus').publicKey,
      transport: keyOf(id, 'transport').publicKey,
      anchor: keyOf(id, 'anchor').publicKey,
      seal: x25519PublicKey(seedOf(`${id} seal`)),
      issuer: role === 'observer' ? null : keyOf(id, 'issuer').publicKey,
    },
  }
  organisations.set(id, made)
  return made
}

export const AUTHORITIES = ['st-mary', 'riverside', 'county', 'lakeview']
export const MEMBERS = [...AUTHORITIES, 'laboratory']

export function founders(): Organisation[] {
  return MEMBERS.map((id) => organisation(id, id === 'laboratory' ? 'observer' : 'authority'))
}

export class MemoryState implements State {
  readonly values = new Map<string, Uint8Array>()
  readonly #included = new Set<string>()

  get(key: Uint8Array): Uint8Array | undefined {
    return this.values.get(toHex(key))
  }

  wasIncluded(id: Uint8Array): boolean {
    return this.#included.has(toHex(id))
  }

  /** The state after a block, this one left as it is. */
  after(diff: StateDiff, ids: Uint8Array[] = []): MemoryState {
    const next = new MemoryState()
    for (const [name, value] of this.values) next.values.set(name, value)
    for (const [name, { value }] of diff) {
      if (value === null) next.values.delete(name)
      else next.values.set(name, value)
    }
    for (const name of this.#included) next.#included.add(name)
    for (const id of ids) next.#included.add(toHex(id))
    return next
  }
}

export type World = {
  genesis: Genesis
  digest: Uint8Array
  parent: ParentBlock
  state: MemoryState
}

export function world(parameters: Partial<Parameters> = {}, networkName = 'fixture'): World {
  return worldWith(founders(), { parameters, networkName })
}

/** A network of these authorities. */
export function worldOf(ids: readonly string[]): World {
  const authorities = ids.map((id) => organisation(id))
  return worldWith(authorities, { parameters: {}, networkName: 'fixture' })
}

function worldWith(
  members: Organisation[],
  { parameters, networkName }: { parameters: Partial<Parameters>; networkName: string },
): World {
  const genesis = createGenesis({
    networkName,
    time: START - 10_000,
    parameters: { ...DEVNET_PARAMETERS, ...parameters },
    organisations: members.map((each) =>
      signGenesisEntry(networkName, each, keyOf(each.id, 'governance')),
    ),
  })
  const digest = genesisDigest(genesis)
  return {
    genesis,
    digest,
    parent: genesisParent(genesis, digest),
    state: new MemoryState().after(genesisState(genesis)),
  }
}

export type AnchorInput = {
  organisation?: string
  sequence?: number
  root?: string
  expiresAt?: number
  key?: KeyPair
}

export function anchor(at: Pick<World, 'digest'>, input: AnchorInput = {}): Uint8Array {
  return batchRoot(at, 'record.anchor', input)
}

export function accessBatch(at: Pick<World, 'digest'>, input: AnchorInput = {}): Uint8Array {
  return batchRoot(at, 'access.log', input)
}

function batchRoot(
  { digest }: Pick<World, 'digest'>,
  kind: 'record.anchor' | 'access.log',
  input: AnchorInput,
): Uint8Array {
  const { organisation: id = 'st-mary', sequence = 1, expiresAt = START + MINUTE } = input
  return createTransaction({
    genesisDigest: digest,
    keyPair: input.key ?? keyOf(id, 'anchor'),
    kind,
    expiresAt,
    body: {
      organisation: id,
      sequence,
      batchRoot: domainHash('batch', utf8.encode(input.root ?? `${id} ${sequence}`)),
      sizeBucket: 64,
    },
  })
}

export function decodedAnchor(at: World, input: AnchorInput = {}): DecodedTransaction {
  return decodeTransaction(anchor(at, input), at.digest)
}

export function blockOn(
  at: World,
  transactions: Uint8Array[],
  changes: Partial<Header> = {},
): Block {
  const block = createBlock(at.parent, {
    genesisDigest: at.digest,
    view: at.parent.view + 1,
    time: Math.max(START, at.parent.time + 1),
    proposer: 'riverside',
    stateRoot: seedOf('state root'),
    historyRoot: seedOf('history root'),
    authoritySetDigest: authoritySetDigest(authoritySet(at.state)),
    nextAuthoritySetDigest: null,
    transactions,
  })
  return { ...block, header: { ...block.header, ...changes } }
}

/** For a transaction that would enter the next block. */
export function placeOf(at: World, time = START) {
  const { parameters } = at.genesis
  return { genesisDigest: at.digest, time, height: at.parent.height + 1, parameters }
}

export function contextOf(at: World) {
  const { parameters } = at.genesis
  return { genesisDigest: at.digest, parameters, expectedProposer: 'riverside' }
}

const finalizationSchema = struct({ bitmap: bytesMax(32), signatures: list(bytes(64), 256) })

function voteOf(digest: Uint8Array): Uint8Array {
  return sha256(domainBytes('fixture-vote'), digest)
}

/** Signed by three of four authorities unless told otherwise. */
export function finalize(
  { header }: Pick<Block, 'header'>,
  signers = [0, 1, 2],
  ids = AUTHORITIES,
) {
  const message = voteOf(blockDigest(header))
  const signatures = signers.map((signer) =>
    sign(keyOf(ids[signer] ?? 'nobody', 'consensus'), message),
  )
  return encode(finalizationSchema, { bitmap: bitmapOf(signers, ids.length), signatures })
}

/** Signed by a quorum of the set, with whichever of their consensus keys it has. */
export function finalizeBy(header: Header, { organisations: ids, keys }: AuthoritySet): Uint8Array {
  const signers = [...ids.keys()].slice(0, Math.ceil((2 * ids.length) / 3))
  const message = voteOf(blockDigest(header))
  const signatures = signers.map((signer) => {
    const wanted = toHex(keys[signer] ?? new Uint8Array())
    const known = ['consensus', 'consensus 2'].map((duty) => keyOf(ids[signer] ?? '', duty))
    const key = known.find(({ publicKey }) => toHex(publicKey) === wanted)
    return key === undefined ? new Uint8Array(64) : sign(key, message)
  })
  return encode(finalizationSchema, { bitmap: bitmapOf(signers, ids.length), signatures })
}

export const verifyFinalization: FinalizationVerifier = (input) => {
  const { finalization, headerDigest, authoritySet: set } = input
  const quorum = Math.ceil((2 * set.keys.length) / 3)
  let multiSignature: { bitmap: Uint8Array; signatures: Uint8Array[] }
  try {
    multiSignature = decode(finalizationSchema, finalization)
  } catch {
    return { code: 'malformed' }
  }
  const message = voteOf(headerDigest)
  const invalid = checkMultiSignature({ message, publicKeys: set.keys, quorum, multiSignature })
  return invalid ?? { signers: signersOf(multiSignature.bitmap), needed: quorum }
}
