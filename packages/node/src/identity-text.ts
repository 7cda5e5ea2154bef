// Events of identities in one line, and why one is refused, as a sentence about this very event.

import { toHex } from '@mooring/codec'
import { identityIdOf, type IdentityProblem, type Payload } from '@mooring/ledger'

type IdentityEvent = Extract<Payload, { kind: `identity.${string}` }>

export function summaryOfIdentityEvent({ kind, body }: IdentityEvent): string {
  const { organisation } = body
  switch (kind) {
    case 'identity.create':
      return `${organisation} relays a new identity, ${shortOf(identityIdOf(body.settings.controlKey))}`
    case 'identity.rotate':
      return `${organisation} relays new keys of identity ${shortOf(body.identity)}`
    case 'identity.recover':
      return body.desk === null
        ? `${organisation} relays a recovery of identity ${shortOf(body.identity)}`
        : `${organisation} relays a recovery of identity ${shortOf(body.identity)}, attested by ${body.desk.organisation}`
    case 'identity.veto':
      return `${organisation} relays a veto for identity ${shortOf(body.identity)}`
    case 'identity.finalize':
      return `${organisation} relays the end of a recovery of identity ${shortOf(body.identity)}`
  }
}

export function describeIdentityProblem(problem: IdentityProblem): string {
  switch (problem.code) {
    case 'identity_exists':
      return `identity ${toHex(problem.identity)} exists`
    case 'identity_unknown':
      return `there is no identity ${toHex(problem.identity)}`
    case 'identity_sequence':
      return `identity ${toHex(problem.identity)} is at event ${problem.expected} next, not ${problem.got}`
    case 'identity_key_invalid':
    case 'identity_forged':
      return problem.detail
    case 'identity_key_not_announced':
      return `the key is not the one that identity ${toHex(problem.identity)} announced`
    case 'no_guardians':
      return `identity ${toHex(problem.identity)} has no guardians`
    case 'guardian_unknown':
      return `who signed in place ${problem.index} is no guardian`
    case 'guardian_repeated':
      return `the guardian in place ${problem.index} is there twice`
    case 'guardian_forged':
      return `the guardian in place ${problem.index} did not sign this`
    case 'guardian_key_differs':
      return `that is not the anchor key of ${problem.organisation}`
    case 'too_few_guardians':
      return `${problem.given} independent guardians signed, ${problem.needed} are needed`
    case 'desk_unknown':
      return `${problem.organisation} is no member with this anchor key`
    case 'desk_forged':
      return `${problem.organisation} did not sign this`
    case 'recovery_pending':
      return `a recovery runs, whose time lock ends at ${timeOf(problem.unlocksAt)}`
    case 'no_recovery_pending':
      return `no recovery of identity ${toHex(problem.identity)} runs`
    case 'recovery_locked':
      return `the time lock ends at ${timeOf(problem.unlocksAt)}, the chain is at ${timeOf(problem.time)}`
    case 'veto_key_unknown':
      return `the key has no veto for identity ${toHex(problem.identity)}`
    case 'veto_needs_guardians':
      return 'the recovery is attested by a member, so that only guardians may stop it'
  }
}

const shortOf = (id: Uint8Array) => toHex(id.subarray(0, 4))

function timeOf(time: number): string {
  return new Date(time).toISOString()
}
