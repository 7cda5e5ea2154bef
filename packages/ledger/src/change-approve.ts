// `change.approve`: an authority agrees to an open change. It counts for as long as the organisation is
// an authority and does not take it back.

import { bytes, type Infer, struct } from '@mooring/codec'
import { checkSigner } from './change-propose.ts'
import { changeOf, setChange } from './membership.ts'
import { findOpen } from './open-change.ts'
import { identifierSchema } from './organisation.ts'
import { authoritySet } from './state.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({ organisation: identifierSchema, change: bytes(32) })

export type ChangeApprove = Infer<typeof schema>

export const changeApprove: TransactionKind<ChangeApprove> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'governance',
  check,
  apply,
}

function check(facts: Facts, { change }: ChangeApprove): InvalidTransaction | undefined {
  const { draft, organisation } = facts
  const refused = checkSigner(facts)
  if (refused !== undefined) return refused
  if (!authoritySet(draft).organisations.includes(organisation.id)) {
    return { code: 'not_an_authority', organisation: organisation.id }
  }
  const found = findOpen(facts, change)
  if (found === undefined || 'code' in found) return found
  return found.approvals.includes(organisation.id)
    ? { code: 'already_approved', organisation: organisation.id, change }
    : undefined
}

function apply({ draft, organisation }: Facts, { change }: ChangeApprove): void {
  const found = changeOf(draft, change)
  if (found === undefined) throw new Error('approved a change that the state does not have')
  const { id, ...record } = found
  setChange(draft, id, { ...record, approvals: [...record.approvals, organisation.id] })
}
