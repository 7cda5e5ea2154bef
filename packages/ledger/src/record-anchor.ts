// `record.anchor`: an organisation puts the root of a batch of record commitments on the chain.
//
// The sequence rises by one per organisation, so that a missing batch is visible to everybody; an
// organisation anchors a root once, whoever else has anchored it. The size bucket says how many
// commitments at most stand below the root.

import {
  bytes,
  encode,
  equalBytes,
  type Infer,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { anchorKey } from './state-keys.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  organisation: text(64),
  sequence: uint(),
  batchRoot: bytes(32),
  sizeBucket: uint(),
})

export type RecordAnchor = Infer<typeof schema>

/** What the state keeps of an anchor, under its root. */
export const anchorSchema = versioned(1, { organisation: text(64), sequence: uint() })

export const recordAnchor: TransactionKind<RecordAnchor> = {
  schema,
  payerOf: (body) => body.organisation,
  sequenceOf: (body) => body.sequence,
  quota: 'data',
  check,
  apply,
}

function check(facts: Facts, body: RecordAnchor): InvalidTransaction | undefined {
  const { draft, organisation, signer, acceptsGap } = facts
  const { id, keys } = organisation
  if (!equalBytes(signer, keys.anchor)) {
    const expected = keys.anchor
    return { code: 'wrong_signer', organisation: id, duty: 'anchor', expected, got: signer }
  }
  const expected = draft.counters(id).anchorSequence + 1
  const isNext = acceptsGap ? body.sequence >= expected : body.sequence === expected
  if (!isNext) return { code: 'wrong_sequence', organisation: id, expected, got: body.sequence }
  if (draft.has(anchorKey(id, body.batchRoot))) return { code: 'root_seen', root: body.batchRoot }
  return undefined
}

function apply({ draft }: Facts, body: RecordAnchor): void {
  const { organisation, sequence, batchRoot } = body
  draft.set(anchorKey(organisation, batchRoot), encode(anchorSchema, { organisation, sequence }))
  draft.setCounters(organisation, {
    ...draft.counters(organisation),
    anchorSequence: sequence,
  })
}
