// `change.withdraw`: the proposer of an open change takes it back, which closes it; an authority that
// approved it takes its approval back.

import { bytes, equalBytes, type Infer, struct } from '@mooring/codec'
import { checkSigner } from './change-propose.ts'
import { changeOf, openList, setChange, setOpenList } from './membership.ts'
import { findOpen } from './open-change.ts'
import { identifierSchema } from './organisation.ts'
import { changeKey } from './state-keys.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({ organisation: identifierSchema, change: bytes(32) })

export type ChangeWithdraw = Infer<typeof schema>

export const changeWithdraw: TransactionKind<ChangeWithdraw> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'governance',
  check,
  apply,
}

function check(facts: Facts, { change }: ChangeWithdraw): InvalidTransaction | undefined {
  const refused = checkSigner(facts)
  if (refused !== undefined) return refused
  const found = findOpen(facts, change)
  if (found === undefined || 'code' in found) return found
  const { id } = facts.organisation
  return found.proposer === id || found.approvals.includes(id)
    ? undefined
    : { code: 'nothing_to_withdraw', organisation: id, change }
}

function apply({ draft, organisation }: Facts, { change }: ChangeWithdraw): void {
  const found = changeOf(draft, change)
  if (found === undefined) throw new Error('withdrew a change that the state does not have')
  const { id, ...record } = found
  if (record.proposer !== organisation.id) {
    const approvals = record.approvals.filter((name) => name !== organisation.id)
    setChange(draft, id, { ...record, approvals })
    return
  }
  draft.set(changeKey(id), null)
  setOpenList(
    draft,
    openList(draft).filter((other) => !equalBytes(other.id, id)),
  )
}
