// What test/vectors/ledger-*.json hold: every encoded type of the ledger, made from fixed seeds.

import { encode, toHex } from '@mooring/codec'
import { leafHash, MerkleFrontier, x25519PublicKey } from '@mooring/crypto'
import { admissionBytes, changeSchema, newKeyBytes } from '../src/change.ts'
import {
  applyBlock,
  authoritySet,
  authoritySetDigest,
  blockDigest,
  type Change,
  createTransaction,
  createTransactionProof,
  type DecodedTransaction,
  decodeTransaction,
  encodeBlock,
  encodeGenesis,
  encodeHeader,
  encodeReceipts,
  encodeTransactionProof,
  formatChangeJson,
  formatGenesisJson,
  formatPayloadJson,
  formatTransactionProofJson,
  genesisState,
  identityKey,
  networkId,
  patientKeyDigest,
  signedBytesOf,
  type StateDiff,
  tombstoneItem,
} from '../src/index.ts'
import {
  accessBatch,
  anchor,
  blockOn,
  contextOf,
  finalize,
  keyOf,
  MINUTE,
  organisation,
  seedOf,
  START,
  world,
} from './fixture.ts'
import { admission, Chain, newKey } from './governance-world.ts'
import { handleNamed, open as openHandle, replace, revoke, tombstone } from './patients-world.ts'
import { deviceKey, type Event, HOUR, identity, IdentityWorld } from './identity-world.ts'

const here = world({}, 'vectors')

function diffLines(diff: StateDiff): { key: string; value: string | null }[] {
  return [...diff.values()].map(({ key, value }) => ({
    key: toHex(key),
    value: value === null ? null : toHex(value),
  }))
}

function genesisVector() {
  return {
    json: formatGenesisJson(here.genesis),
    bytes: toHex(encodeGenesis(here.genesis)),
    digest: toHex(here.digest),
    networkId: networkId(here.digest),
    authoritySetDigest: toHex(authoritySetDigest(authoritySet(here.state))),
    state: diffLines(genesisState(here.genesis)),
  }
}

function transactionVector() {
  const bytes = anchor(here)
  const transaction = decodeTransaction(bytes, here.digest)
  const { id, signer, signature } = transaction
  return {
    genesisDigest: toHex(here.digest),
    signerSeed: toHex(keyOf('st-mary', 'anchor').seed),
    signer: toHex(signer),
    bytes: toHex(bytes),
    signedBytes: toHex(signedBytesOf(here.digest, transaction)),
    signature: toHex(signature),
    id: toHex(id),
  }
}

function firstBlock() {
  const anchors = [
    anchor(here),
    anchor(here, { organisation: 'county' }),
    anchor(here, { sequence: 2 }),
  ]
  const frontier = MerkleFrontier.from(0, [])
  frontier.append(leafHash(here.digest))
  return blockOn(here, anchors, { historyRoot: frontier.root(), stateRoot: seedOf('state root') })
}

/** One organisation that anchors and logs access, one that only anchors. */
function accessVector() {
  const transactions = [
    accessBatch(here),
    anchor(here),
    anchor(here, { organisation: 'county' }),
    accessBatch(here, { sequence: 2 }),
  ]
  const block = blockOn(here, transactions)
  const applied = applyBlock(here.state, here.parent, block, contextOf(here))
  if ('code' in applied) throw new Error(`the block of the vectors is invalid: ${applied.code}`)
  const [first = new Uint8Array()] = transactions
  return {
    transaction: toHex(first),
    json: formatPayloadJson(decodeTransaction(first, here.digest).payload),
    block: toHex(encodeBlock(block)),
    diff: diffLines(applied.diff),
    receipts: toHex(encodeReceipts(applied.receipts)),
  }
}

function blockVector() {
  const block = firstBlock()
  const applied = applyBlock(here.state, here.parent, block, contextOf(here))
  if ('code' in applied) throw new Error(`the block of the vectors is invalid: ${applied.code}`)
  return {
    header: toHex(encodeHeader(block.header)),
    digest: toHex(blockDigest(block.header)),
    transactionRoot: toHex(block.header.transactionRoot),
    block: toHex(encodeBlock(block)),
    diff: diffLines(applied.diff),
    receipts: toHex(encodeReceipts(applied.receipts)),
  }
}

/** An emergency set is opened, and the reason given in the next block. */
function emergencyVector() {
  const { digest: network } = here
  const shared = { genesisDigest: network, keyPair: keyOf('st-mary', 'anchor') }
  const requestId = seedOf('emergency request')
  const open = createTransaction({
    ...shared,
    kind: 'emergency.open',
    expiresAt: START + MINUTE,
    body: {
      organisation: 'st-mary',
      requestId,
      credentialCommit: seedOf('emergency credential'),
      reason: 'unconscious',
      setHandle: seedOf('emergency set'),
    },
  })
  const close = createTransaction({
    ...shared,
    kind: 'emergency.close',
    expiresAt: START + MINUTE,
    body: {
      organisation: 'st-mary',
      requestId,
      outcome: 'treated',
      reasonCommit: seedOf('emergency reason'),
    },
  })
  const block = blockOn(here, [open, close])
  const applied = applyBlock(here.state, here.parent, block, contextOf(here))
  if ('code' in applied) throw new Error(`the block of the vectors is invalid: ${applied.code}`)
  return {
    transactions: [open, close].map(toHex),
    json: [open, close].map((bytes) =>
      formatPayloadJson(decodeTransaction(bytes, network).payload),
    ),
    diff: diffLines(applied.diff),
    receipts: toHex(encodeReceipts(applied.receipts)),
  }
}

function proofVector() {
  const block = firstBlock()
  const proof = createTransactionProof(block.transactions, 1, {
    genesis: encodeGenesis(here.genesis),
    header: encodeHeader(block.header),
    finalization: finalize(block),
    later: null,
    epochs: [],
  })
  return { json: formatTransactionProofJson(proof), bytes: toHex(encodeTransactionProof(proof)) }
}

/** Each kind of change, and what is signed for it beforehand. */
function changesVector() {
  const { digest } = here
  const entry = organisation('seaside', 'observer')
  const anchorOfCounty = { organisation: 'county', duty: 'anchor' } as const
  const consensusOfCounty = { organisation: 'county', duty: 'consensus' } as const
  const seal = {
    duty: 'seal',
    key: x25519PublicKey(seedOf('county seal 2')),
    signature: null,
  } as const
  const keys = [newKey(digest, anchorOfCounty), newKey(digest, consensusOfCounty), seal]
  const changes: Record<string, Change> = {
    admit: admission(digest, 'seaside'),
    promote: { kind: 'role', body: { organisation: 'seaside', role: 'authority' } },
    demote: { kind: 'role', body: { organisation: 'seaside', role: 'observer' } },
    remove: { kind: 'remove', body: { organisation: 'county', evidence: [seedOf('evidence')] } },
    rekey: { kind: 'rekey', body: { organisation: 'county', keys } },
    parameters: { kind: 'parameters', body: { ...here.genesis.parameters, quotaPerMinute: 7 } },
    protocol: { kind: 'protocol', body: { version: 2, height: 50_000 } },
  }
  const { key } = newKey(digest, anchorOfCounty)
  return {
    genesisDigest: toHex(digest),
    signed: {
      admission: toHex(admissionBytes(digest, entry)),
      newKey: toHex(newKeyBytes(digest, { ...anchorOfCounty, key })),
    },
    changes: Object.fromEntries(
      Object.entries(changes).map(([name, change]) => [
        name,
        { json: formatChangeJson(change), bytes: toHex(encode(changeSchema, change)) },
      ]),
    ),
  }
}

/** A newcomer is admitted and promoted, a key rotated, a protocol version scheduled: every block of it. */
function governanceVector() {
  const chain = new Chain(here)
  const { digest } = here
  const blocks: unknown[] = []
  const transactions: Record<string, string> = {}
  const take = (...given: DecodedTransaction[]): void => {
    const { state } = chain
    const { block } = chain.tryBlock(given)
    for (const { payload, bytes } of given) transactions[payload.kind] ??= toHex(bytes)
    const changed = [...chain.state.values].filter(
      ([name, value]) => toHex(state.values.get(name) ?? new Uint8Array()) !== toHex(value),
    )
    const removed = [...state.values.keys()].filter((name) => !chain.state.values.has(name))
    blocks.push({
      header: toHex(encodeHeader(block.header)),
      nextParent: { epoch: chain.at.parent.epoch, view: chain.at.parent.view },
      values: [
        ...changed.map(([name, value]) => ({ key: name, value: toHex(value) })),
        ...removed.map((name) => ({ key: name, value: null })),
      ],
    })
  }
  const rotate: Change = {
    kind: 'rekey',
    body: {
      organisation: 'county',
      keys: [newKey(digest, { organisation: 'county', duty: 'consensus' })],
    },
  }
  const admit = chain.propose({ change: admission(digest, 'seaside') })
  take(admit, chain.approve('riverside', admit.id), chain.approve('county', admit.id))
  const rotation = chain.propose({ by: 'county', change: rotate })
  const withdrawn = chain.propose({ change: { kind: 'protocol', body: { version: 2, height: 9 } } })
  take(rotation, withdrawn)
  take(chain.withdraw('st-mary', withdrawn.id), chain.ready('st-mary', rotation.id))
  take(
    chain.ready('riverside', rotation.id),
    chain.ready('county', rotation.id, keyOf('county', 'consensus 2')),
  )
  return { transactions, blocks }
}

/** What the chain has for patients: a grant, a replaced key, an erased record. */
function patientsVector() {
  const chain = new Chain(here)
  const { digest } = here
  const first = decodeTransaction(anchor(here), digest)
  if (first.payload.kind !== 'record.anchor') throw new Error('the first one is no anchor')
  chain.block(first)
  const { batchRoot: root } = first.payload.body
  const given = [
    openHandle(chain, 'allergies'),
    replace(chain, 'hosted', 'own', { by: 'county' }),
    tombstone(chain, 'item', { root }),
    revoke(chain, 'allergies', { by: 'riverside' }),
  ]
  const before = chain.state
  chain.block(...given)
  const values = [...chain.state.values].filter(
    ([name, value]) => toHex(before.values.get(name) ?? new Uint8Array()) !== toHex(value),
  )
  const key = keyOf('st-mary', 'patient').publicKey
  return {
    transactions: given.map(({ payload, bytes }) => ({
      bytes: toHex(bytes),
      json: formatPayloadJson(payload),
    })),
    values: values.map(([name, value]) => ({ key: name, value: toHex(value) })),
    handle: toHex(handleNamed('allergies')),
    patientKeyDigest: toHex(patientKeyDigest('st-mary', key)),
    tombstoneItem: toHex(tombstoneItem(seedOf('set'), seedOf('salt'))),
  }
}

/** An identity is made, recovered with a desk, stopped by a device, recovered again and finished. */
function identityVector() {
  const there = new IdentityWorld(here)
  const events: { kind: string; json: string; bytes: string; value: string }[] = []
  const take = (event: Event): void => {
    const bytes = there.encode(event)
    const { payload } = decodeTransaction(bytes, here.digest)
    there.take(event)
    const value = there.at.state.get(identityKey(identity)) ?? new Uint8Array()
    const json = formatPayloadJson(payload)
    events.push({ kind: event.kind, json, bytes: toHex(bytes), value: toHex(value) })
  }
  take(there.create())
  take(there.rotate(2))
  take(there.recover({ sequence: 3 }))
  take(there.object(4, 'device', deviceKey(1)))
  take(there.recover({ sequence: 5, by: ['ann', 'county'], desk: 'lakeview' }))
  there.time += 24 * HOUR
  take(there.finalize(6))
  return { genesisDigest: toHex(here.digest), identity: toHex(identity), events }
}

export const vectors: Record<string, Record<string, unknown>> = {
  'ledger-genesis.json': genesisVector(),
  'ledger-transaction.json': transactionVector(),
  'ledger-block.json': blockVector(),
  'ledger-access.json': accessVector(),
  'ledger-emergency.json': emergencyVector(),
  'ledger-proof.json': proofVector(),
  'ledger-changes.json': changesVector(),
  'ledger-governance.json': governanceVector(),
  'ledger-patients.json': patientsVector(),
  'ledger-identity.json': identityVector(),
}

export const vectorFolder = new URL('../../../test/vectors/', import.meta.url)
