// What is put on the chain for patients, signed by the members and the one-time keys of the fixture.

import { type KeyPair, keyPairFromSeed } from '@mooring/crypto'
import {
  createTransaction,
  type DecodedTransaction,
  decodeTransaction,
  type GrantKind,
  type GrantOpen,
  handleOfKey,
  type Payload,
  signGrantOpen,
  signGrantRevoke,
} from '../src/index.ts'
import { keyOf, MINUTE, seedOf } from './fixture.ts'
import { type Chain, DAY } from './governance-world.ts'

type Words<P> = P extends { kind: infer K; body: infer B } ? { kind: K; body: B } : never

/** The first start of a day after that of the fixture. */
export const DAY_AFTER = Math.ceil(1_795_082_400_000 / DAY) * DAY

export function grantKeyOf(name: string): KeyPair {
  return keyPairFromSeed(seedOf(`grant ${name}`))
}

export function handleNamed(name: string): Uint8Array {
  return handleOfKey(grantKeyOf(name).publicKey)
}

export function signed(
  chain: Chain,
  content: Words<Payload>,
  key = keyOf(content.body.organisation, 'anchor'),
): DecodedTransaction {
  const { digest } = chain.at
  const expiresAt = chain.time + MINUTE
  const bytes = createTransaction({ ...content, genesisDigest: digest, keyPair: key, expiresAt })
  return decodeTransaction(bytes, digest)
}

export interface OpenInput {
  by?: string
  expiresAt?: number
  kind?: GrantKind
  changes?: Partial<GrantOpen>
  key?: KeyPair
}

export function open(chain: Chain, name: string, input: OpenInput = {}): DecodedTransaction {
  const { by = 'st-mary', expiresAt = DAY_AFTER, kind = 'share', changes = {}, key } = input
  const pair = grantKeyOf(name)
  const signature = signGrantOpen(chain.at.digest, { expiresAt, kind }, pair)
  const body = { organisation: by, publicKey: pair.publicKey, expiresAt, kind, signature }
  return signed(chain, { kind: 'grant.open', body: { ...body, ...changes } }, key)
}

export function revoke(
  chain: Chain,
  name: string,
  { by = 'st-mary', signer = name, key }: { by?: string; signer?: string; key?: KeyPair } = {},
): DecodedTransaction {
  const { publicKey } = grantKeyOf(name)
  const signature = signGrantRevoke(chain.at.digest, grantKeyOf(signer))
  const body = { organisation: by, publicKey, signature }
  return signed(chain, { kind: 'grant.revoke', body }, key)
}

export function replace(
  chain: Chain,
  retired: string,
  successor: string,
  { by = 'st-mary', key }: { by?: string; key?: KeyPair } = {},
): DecodedTransaction {
  const body = { organisation: by, retired: seedOf(retired), successor: seedOf(successor) }
  return signed(chain, { kind: 'key.replace', body }, key)
}

export function tombstone(
  chain: Chain,
  item: string,
  { by = 'st-mary', root, key }: { by?: string; root: Uint8Array; key?: KeyPair },
): DecodedTransaction {
  const body = {
    organisation: by,
    batchRoot: root,
    item: seedOf(item),
    reason: 'patient_request',
  } as const
  return signed(chain, { kind: 'record.tombstone', body }, key)
}
