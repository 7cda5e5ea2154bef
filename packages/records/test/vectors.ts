// What test/vectors/records-*.json hold: a sealed record with all that is derived on the way, a deposit of
// class keys, and messages of every shape, from fixed seeds.

import { encode, toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import {
  auditAnswer,
  auditWindow,
  batchRoot,
  depositReceiptMessage,
  encodeKeyDeposit,
  encodeVaultAnswer,
  encodeVaultRequest,
  gateTagOf,
  manifestSchema,
  openManifest,
  placementOrder,
  type VaultAnswer,
} from '../src/index.ts'
import { classKey } from './seal-world.ts'
import {
  batchDepositExample,
  keyContentExample,
  keyDepositExample,
  leavesExample,
  placeExample,
  rawExample,
  readerSecrets,
  requestExamples,
  sealedExample,
} from './vault-values.ts'

export const vectorFolder = new URL('../../../test/vectors/', import.meta.url)

const { set, setId, encodedSet, manifest, shards } = sealedExample
const contents = openManifest(manifest, classKey, setId)
if (contents === undefined) throw new Error('the example does not open')

const question = { setId, auditor: 'riverside', nonce: new Uint8Array(16).fill(0x4e) }
const window = auditWindow(set, question)
const answers = shards.map((shard) =>
  auditAnswer(shard.subarray(window.offset, window.offset + window.length), question),
)
const organisations = ['st-anna', 'riverside', 'county', 'lakeview', 'st-mary'].map((id) => ({
  id,
  legalGroup: id === 'lakeview' ? 'county' : id,
}))

const answerExamples: VaultAnswer[] = [
  { kind: 'refusal', body: { code: 'holder_full', retryAfterMs: 1000 } },
  { kind: 'done', body: {} },
  {
    kind: 'receipt',
    body: {
      holder: 'riverside',
      signature: new Uint8Array(64).fill(0x51),
      refused: [{ position: 2, code: 'holder_full' }],
    },
  },
  { kind: 'have', body: { bitmap: Uint8Array.of(0b101) } },
  { kind: 'audit', body: { answers: [answers[0] ?? null, null] } },
  {
    kind: 'list',
    body: { items: [{ set: encodedSet, manifest, holders: ['st-anna'], index: 0 }], next: setId },
  },
  {
    kind: 'list-batches',
    body: { items: [batchDepositExample], next: batchRoot(leavesExample) },
  },
  {
    kind: 'leaves',
    body: { items: [{ leaf: leavesExample[3] ?? setId, place: placeExample }], more: 0 },
  },
  {
    kind: 'catalogue',
    body: {
      keys: [encodeKeyDeposit(keyDepositExample)],
      items: [{ set: encodedSet, manifest, holders: ['st-anna'], place: placeExample }],
      recordKeys: new Uint8Array(0),
      next: null,
    },
  },
  {
    kind: 'release',
    body: {
      items: [
        { setId, index: 1, from: 0, digests: [set.leaves[1] ?? setId], fragments: [rawExample] },
      ],
    },
  },
]

function messageOf(kind: string, encoded: Uint8Array) {
  return { kind, bytes: toHex(encoded) }
}

export const vectors = {
  'records-sealed.json': {
    raw: toHex(rawExample),
    rec: toHex(contents.rec),
    recordCommit: toHex(contents.recordCommit),
    dek: toHex(contents.dek),
    classKey: toHex(classKey),
    gateTag: toHex(gateTagOf(contents.rec)),
    set: toHex(encodedSet),
    setId: toHex(setId),
    manifest: toHex(encode(manifestSchema, contents)),
    sealedManifest: toHex(manifest),
    shards: shards.map((shard) => ({ length: shard.length, sha256: toHex(sha256(shard)) })),
    audit: {
      auditor: question.auditor,
      nonce: toHex(question.nonce),
      window,
      answers: answers.map(toHex),
    },
    placement: { organisations, order: placementOrder(setId, organisations) },
  },
  'records-class-keys.json': {
    content: {
      ...keyContentExample,
      patientKey: toHex(keyContentExample.patientKey),
      logKey: toHex(keyContentExample.logKey),
      mark: toHex(keyContentExample.mark),
      classKey: toHex(keyContentExample.classKey),
    },
    readerSecrets: readerSecrets.map(toHex),
    deposit: toHex(encodeKeyDeposit(keyDepositExample)),
  },
  'records-messages.json': {
    requests: requestExamples.map((each) => messageOf(each.kind, encodeVaultRequest(each))),
    answers: answerExamples.map((each) => messageOf(each.kind, encodeVaultAnswer(each))),
    receipt: toHex(
      depositReceiptMessage({
        depositor: 'st-anna',
        holder: 'riverside',
        shards: [{ setId, index: 1 }],
      }),
    ),
  },
}
