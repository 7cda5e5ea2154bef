/**
 * Four hospitals, one anchored batch and the block that makes it final: everything real, built in
 * memory from fixed seeds, so that a proof of it verifies with the genesis digest alone.
 */

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { type Certificate, encodeCertificate, voteMessage } from '@mooring/consensus'
import {
  bitmapOf,
  keyPairFromSeed,
  merkleRoot,
  sha256,
  sign,
  x25519PublicKey,
} from '@mooring/crypto'
import {
  authoritySetDigest,
  blockDigest,
  createBlock,
  createGenesis,
  createTransaction,
  createTransactionProof,
  DEVNET_PARAMETERS,
  decodeTransaction,
  encodeGenesis,
  encodeHeader,
  encodeTransactionProof,
  type Genesis,
  genesisDigest,
  genesisParent,
  type Organisation,
  signGenesisEntry,
  type TransactionProof,
} from '@mooring/ledger'
import {
  batchPath,
  buildBatch,
  commitRecord,
  discloseFields,
  type FieldsRecordProof,
  fieldsOf,
  formatRecordProof,
  openingOf,
  readSubmission,
  type RecordProof,
  recordSecrets,
  type WholeRecordProof,
} from '@mooring/records'

const START = Date.UTC(2026, 10, 20, 9, 31, 7)
const NAMES = ['st-mary', 'riverside', 'county', 'lakeview']

const utf8 = new TextEncoder()
const seedOf = (what: string) => sha256(utf8.encode(what))
const keyOf = (id: string, duty: string) => keyPairFromSeed(seedOf(`${id} ${duty}`))

function organisation(id: string): Organisation {
  const publicKey = (duty: string) => keyOf(id, duty).publicKey
  const keys = {
    governance: publicKey('governance'),
    consensus: publicKey('consensus'),
    transport: publicKey('transport'),
    anchor: publicKey('anchor'),
    seal: x25519PublicKey(seedOf(`${id} seal`)),
    issuer: null,
  }
  return { id, name: id, legalGroup: id, roles: ['authority'], keys }
}

export interface Proven {
  /** Shows these fields instead of the whole. */
  disclose: (...pointers: string[]) => FieldsRecordProof
  genesis: Genesis
  digest: Uint8Array
  raw: Uint8Array
  record: WholeRecordProof
  transaction: TransactionProof
  transactionId: string
}

export interface Deviation {
  network?: string
  signers?: number[]
  kind?: Certificate['kind']
  subject?: Partial<Certificate['subject']>
  anchoredRoot?: Uint8Array
  anchoredSize?: number
  /** `access.log` in the place of `record.anchor`. */
  logs?: boolean
  /** Another transaction in the place of the anchor. */
  governance?: boolean
  /** The block ends its epoch. */
  sealing?: boolean
  /** In the batch; one unless given. */
  records?: number
  /** In the block; one unless given. */
  transactions?: number
}

export function prove(deviation: Deviation = {}): Proven {
  const { network = 'test' } = deviation
  const organisations = NAMES.map((id) =>
    signGenesisEntry(network, organisation(id), keyOf(id, 'governance')),
  )
  const parameters = DEVNET_PARAMETERS
  const genesis = createGenesis({
    networkName: network,
    time: START - 60_000,
    parameters,
    organisations,
  })
  const digest = genesisDigest(genesis)
  const { raw, batch, open, ...committed } = commit(deviation.records ?? 1)
  const transaction =
    deviation.governance === true
      ? withdrawal(digest)
      : anchorOf(digest, deviation.logs === true ? 'access.log' : 'record.anchor', {
          batchRoot: deviation.anchoredRoot ?? batch.root,
          sizeBucket: deviation.anchoredSize ?? batch.size,
        })
  const proof = final(genesis, digest, { transaction, deviation })
  const anchor = encodeTransactionProof(proof)
  const record: WholeRecordProof = { version: 1, network: digest, record: committed, batch, anchor }
  const transactionId = toHex(decodeTransaction(transaction, digest).id)
  const disclose = (...pointers: string[]): FieldsRecordProof => {
    const shown = { commit: committed.commit, opening: open(pointers) }
    return { version: 2, network: digest, record: shown, batch, anchor }
  }
  return { genesis, digest, raw, record, transaction: proof, transactionId, disclose }
}

function anchorOf(
  digest: Uint8Array,
  kind: 'record.anchor' | 'access.log',
  batch: { batchRoot: Uint8Array; sizeBucket: number },
) {
  return createTransaction({
    genesisDigest: digest,
    keyPair: keyOf('st-mary', 'anchor'),
    kind,
    expiresAt: START + 60_000,
    body: { organisation: 'st-mary', sequence: 31, ...batch },
  })
}

function withdrawal(digest: Uint8Array): Uint8Array {
  return createTransaction({
    genesisDigest: digest,
    keyPair: keyOf('st-mary', 'governance'),
    kind: 'change.withdraw',
    expiresAt: START + 60_000,
    body: { organisation: 'st-mary', change: seedOf('change') },
  })
}

export function documentOf(record: RecordProof): string {
  return formatRecordProof(record)
}

function commit(records: number) {
  const raw = utf8.encode(
    '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.50}}',
  )
  const [resource] = readSubmission(raw).resources
  assert.ok(resource !== undefined)
  let drawn = 0
  const random = (length: number) => {
    drawn += 1
    return seedOf(`draw ${drawn}`).slice(0, length)
  }
  const rec = random(32)
  const fields = fieldsOf(resource.node)
  const commitment = commitRecord(fields, resource.raw, recordSecrets(rec))
  const others = Array.from({ length: records - 1 }, (_, other) => seedOf(`record ${other}`))
  const built = buildBatch([commitment.recordCommit, ...others], random)
  assert.ok(!('code' in built))
  const [index = 0] = built.positions
  const path = batchPath(built.leaves, index)
  return {
    raw,
    commit: commitment.recordCommit,
    opening: openingOf({ rec, ...commitment }),
    open: (pointers: string[]) => discloseFields({ rec, fields, ...commitment }, pointers),
    batch: { index, size: built.bucket, path, root: built.root },
  }
}

function final(
  genesis: Genesis,
  digest: Uint8Array,
  { transaction, deviation }: { transaction: Uint8Array; deviation: Deviation },
): TransactionProof {
  const keys = NAMES.map((id) => keyOf(id, 'consensus'))
  const authoritySet = { organisations: NAMES, keys: keys.map(({ publicKey }) => publicKey) }
  const { header, transactions } = createBlock(genesisParent(genesis, digest), {
    genesisDigest: digest,
    view: 3,
    time: START,
    proposer: 'riverside',
    stateRoot: seedOf('state'),
    historyRoot: merkleRoot([digest]),
    authoritySetDigest: authoritySetDigest(authoritySet),
    nextAuthoritySetDigest: deviation.sealing === true ? authoritySetDigest(authoritySet) : null,
    transactions: [
      transaction,
      ...Array.from({ length: (deviation.transactions ?? 1) - 1 }, (_, other) =>
        seedOf(`transaction ${other}`),
      ),
    ],
  })
  const { epoch, view, parentView, height } = header
  const block = { epoch, view, parentView, height, digest: toHex(blockDigest(header)) }
  const subject = { ...block, ...deviation.subject }
  const { signers = [0, 1, 2], kind = 'finalize' } = deviation
  const message = voteMessage(digest, kind, subject)
  const signatures = keys
    .filter((_, index) => signers.includes(index))
    .map((key) => sign(key, message))
  const bitmap = bitmapOf(signers, keys.length)
  const finalization = encodeCertificate({ kind, subject, bitmap, signatures })
  return createTransactionProof(transactions, 0, {
    genesis: encodeGenesis(genesis),
    header: encodeHeader(header),
    finalization,
    later: null,
    epochs: [],
  })
}
