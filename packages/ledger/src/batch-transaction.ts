// What the kinds have in common that put the root of an organisation's batch on the chain.
//
// The sequence rises by one per organisation and kind, so that a missing batch is visible to everybody;
// an organisation puts a root there once, whoever else has. The size bucket says how many
// commitments at most stand below the root.

import { bytes, encode, type Infer, struct, text, uint, versioned } from '@mooring/codec'
import { checkAnchorSigner } from './anchor-signer.ts'
import type { SequenceCounter } from './quota.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  organisation: text(64),
  sequence: uint(),
  batchRoot: bytes(32),
  sizeBucket: uint(),
})

export type BatchRoot = Infer<typeof schema>

/** What the state keeps of a batch, under its root. */
const rootSchema = versioned(1, { organisation: text(64), sequence: uint() })

export function batchTransaction(
  counter: SequenceCounter,
  rootKey: (organisation: string, batchRoot: Uint8Array) => Uint8Array,
): TransactionKind<BatchRoot> {
  const check = (facts: Facts, body: BatchRoot): InvalidTransaction | undefined => {
    const { draft, acceptsGap } = facts
    const { id } = facts.organisation
    const refused = checkAnchorSigner(facts)
    if (refused !== undefined) return refused
    const expected = draft.counters(id)[counter] + 1
    const isNext = acceptsGap ? body.sequence >= expected : body.sequence === expected
    if (!isNext) return { code: 'wrong_sequence', organisation: id, expected, got: body.sequence }
    if (draft.has(rootKey(id, body.batchRoot))) return { code: 'root_seen', root: body.batchRoot }
    return undefined
  }
  const apply = ({ draft }: Facts, { organisation, sequence, batchRoot }: BatchRoot): void => {
    const key = rootKey(organisation, batchRoot)
    draft.set(key, encode(rootSchema, { organisation, sequence }))
    draft.setCounters(organisation, { ...draft.counters(organisation), [counter]: sequence })
  }
  return {
    schema,
    payerOf: (body) => body.organisation,
    placeOf: (body) => ({ counter, sequence: body.sequence }),
    ownKeys: (body) => [rootKey(body.organisation, body.batchRoot)],
    quota: 'data',
    check,
    apply,
  }
}
