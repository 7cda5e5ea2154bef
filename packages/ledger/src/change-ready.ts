// `change.ready`: an organisation of the next set says that its node runs, has caught up and holds the key
// with which it will vote. That very key signs, so that nobody becomes part of a quorum by the word
// of somebody else. For a protocol version it also says that the node's software speaks it.

import { bytes, equalBytes, type Infer, struct } from '@mooring/codec'
import { planChange } from './change-rules.ts'
import { changeOf, setChange } from './membership.ts'
import { findOpen } from './open-change.ts'
import { identifierSchema } from './organisation.ts'
import { needsReady } from './settle.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({ organisation: identifierSchema, change: bytes(32) })

export type ChangeReady = Infer<typeof schema>

export const changeReady: TransactionKind<ChangeReady> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'governance',
  check,
  apply,
}

function check(facts: Facts, { change }: ChangeReady): InvalidTransaction | undefined {
  const { draft, organisation, signer } = facts
  const { id } = organisation
  // Which key must have signed is known from the change alone: without it anybody could fill a mempool.
  const found = findOpen({ ...facts, acceptsGap: false }, change)
  if (found === undefined || 'code' in found) return found
  const plan = planChange(draft, found.change, facts)
  if ('code' in plan) return { code: 'invalid_change', problem: plan }
  if (!needsReady(found, plan)) return { code: 'no_readiness_needed', change }
  const { organisations, keys } = plan.authorities
  const expected = keys[organisations.indexOf(id)]
  if (expected === undefined) return { code: 'not_in_next_set', organisation: id, change }
  if (!equalBytes(signer, expected)) {
    return { code: 'wrong_signer', organisation: id, duty: 'consensus', expected, got: signer }
  }
  const isReady = found.ready.some(
    (other) => other.organisation === id && equalBytes(other.key, signer),
  )
  return isReady ? { code: 'already_ready', organisation: id, change } : undefined
}

function apply(facts: Facts, { change }: ChangeReady): void {
  const { draft, organisation, signer } = facts
  const found = changeOf(draft, change)
  if (found === undefined) throw new Error('ready for a change that the state does not have')
  const { id, ...record } = found
  const plan = planChange(draft, record.change, facts)
  if ('code' in plan) throw new Error(`ready for a change that cannot be made: ${plan.code}`)
  const others = record.ready.filter(
    (other) =>
      other.organisation !== organisation.id &&
      plan.authorities.organisations.includes(other.organisation),
  )
  const ready = [...others, { organisation: organisation.id, key: signer }]
  setChange(draft, id, { ...record, ready })
}
