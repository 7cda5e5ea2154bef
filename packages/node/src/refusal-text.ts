// Why a transaction is refused, as a sentence about this very transaction.

import { toHex } from '@mooring/codec'
import type {
  ChangeProblem,
  InvalidEmergency,
  InvalidForPatients,
  InvalidTransaction,
} from '@mooring/ledger'
import { describeIdentityProblem } from './identity-text.ts'

export type Refused = InvalidTransaction | { code: 'mempool_full'; detail: string }

export function describeRefusal(reason: Refused): string {
  switch (reason.code) {
    case 'wrong_sequence':
      return `${reason.organisation} must send sequence ${reason.expected} next, not ${reason.got}`
    case 'too_large':
      return `it has ${reason.bytes} bytes, the limit is ${reason.limit}`
    case 'expired':
      return `it expired at ${timeOf(reason.expiresAt)}`
    case 'expires_too_late':
      return `it may expire at ${timeOf(reason.latest)} at the latest`
    case 'unknown_organisation':
      return `${reason.organisation} is not an organisation of this network`
    case 'wrong_signer':
      return `it must be signed with the ${reason.duty} key of ${reason.organisation}`
    case 'bad_signature':
      return 'its signature is not valid on this network'
    case 'already_included':
      return 'it is in a block already'
    case 'root_seen':
      return 'its batch root has been anchored before'
    case 'quota_exceeded':
      return 'its organisation has used up its transactions of this minute'
    case 'malformed':
    case 'unknown_kind':
    case 'mempool_full':
      return reason.detail
    case 'invalid_change':
      return describeProblem(reason.problem)
    case 'too_many_changes':
      return `${reason.open} changes are open, the limit is ${reason.limit}`
    case 'too_many_own_changes':
      return `${reason.organisation} has ${reason.open} changes open, its limit is ${reason.limit}`
    case 'unknown_change':
      return `there is no change ${nameOf(reason.change)}`
    case 'change_passed':
      return `change ${nameOf(reason.change)} passed in block ${reason.height}`
    case 'change_expired':
      return `the change expires at ${timeOf(reason.expiresAt)}, the chain is at ${timeOf(reason.time)}`
    case 'change_expires_too_late':
      return `the change may expire at ${timeOf(reason.latest)} at the latest`
    case 'not_an_authority':
      return `${reason.organisation} is no authority`
    case 'already_approved':
      return `${reason.organisation} has approved change ${nameOf(reason.change)} already`
    case 'nothing_to_withdraw':
      return `${reason.organisation} neither proposed nor approved change ${nameOf(reason.change)}`
    case 'no_readiness_needed':
      return `change ${nameOf(reason.change)} asks nobody to be ready`
    case 'not_in_next_set':
      return `${reason.organisation} is no authority after change ${nameOf(reason.change)}`
    case 'already_ready':
      return `${reason.organisation} is ready for change ${nameOf(reason.change)} already`
    case 'handle_seen':
    case 'unknown_handle':
    case 'handle_revoked':
    case 'handle_expired':
    case 'handle_expires_too_late':
    case 'key_replaced_already':
    case 'key_cycle':
    case 'item_erased':
    case 'root_not_anchored':
      return describeForPatients(reason)
    case 'identity_exists':
    case 'identity_unknown':
    case 'identity_sequence':
    case 'identity_key_invalid':
    case 'identity_key_not_announced':
    case 'identity_forged':
    case 'no_guardians':
    case 'guardian_unknown':
    case 'guardian_repeated':
    case 'guardian_forged':
    case 'guardian_key_differs':
    case 'too_few_guardians':
    case 'desk_unknown':
    case 'desk_forged':
    case 'recovery_pending':
    case 'no_recovery_pending':
    case 'recovery_locked':
    case 'veto_key_unknown':
    case 'veto_needs_guardians':
      return describeIdentityProblem(reason)
    case 'emergency_seen':
    case 'emergency_rate':
    case 'unknown_emergency':
    case 'not_the_opener':
    case 'emergency_closed':
    case 'emergency_overdue':
      return describeEmergency(reason)
  }
}

function describeEmergency(reason: InvalidEmergency): string {
  switch (reason.code) {
    case 'emergency_seen':
      return `request ${nameOf(reason.requestId)} is on the chain already`
    case 'emergency_rate':
      return `${reason.organisation} has opened ${reason.limit} sets within an hour; the next one at ${timeOf(reason.resetsAt)}`
    case 'unknown_emergency':
      return `there is no emergency ${nameOf(reason.requestId)}`
    case 'not_the_opener':
      return `emergency ${nameOf(reason.requestId)} was not opened by ${reason.organisation}`
    case 'emergency_closed':
      return `emergency ${nameOf(reason.requestId)} is closed already`
    case 'emergency_overdue':
      return `the written reason was due at ${timeOf(reason.latest)}`
  }
}

function describeForPatients(reason: InvalidForPatients): string {
  switch (reason.code) {
    case 'handle_seen':
      return `handle ${nameOf(reason.handle)} has been opened before`
    case 'unknown_handle':
      return `there is no handle ${nameOf(reason.handle)}`
    case 'handle_revoked':
      return `handle ${nameOf(reason.handle)} was revoked in block ${reason.height}`
    case 'handle_expired':
      return `handle ${nameOf(reason.handle)} expires at ${timeOf(reason.expiresAt)}, the chain is at ${timeOf(reason.time)}`
    case 'handle_expires_too_late':
      return `the handle may expire at ${timeOf(reason.latest)} at the latest`
    case 'key_replaced_already':
      return `key ${nameOf(reason.key)} has a successor at ${reason.custodian} already`
    case 'key_cycle':
      return `key ${nameOf(reason.key)} would become its own successor at ${reason.custodian}`
    case 'item_erased':
      return `item ${nameOf(reason.item)} has its tombstone already`
    case 'root_not_anchored':
      return `batch root ${nameOf(reason.root)} is not anchored by its organisation`
  }
}

export function describeProblem(problem: ChangeProblem): string {
  switch (problem.code) {
    case 'unknown_organisation':
      return `${problem.organisation} is not an organisation of this network`
    case 'id_taken':
      return `the id ${problem.organisation} is or was that of a member, and ids are never given twice`
    case 'too_many_organisations':
      return `the network has ${problem.limit} organisations, which is the limit`
    case 'not_an_observer':
      return `${problem.organisation} must come as an observer; its role can be changed afterwards`
    case 'has_role':
      return `${problem.organisation} is ${problem.role} already`
    case 'too_few_authorities':
      return `${problem.left} authorities would be left, at least ${problem.least} must be`
    case 'too_many_authorities':
      return `the network has ${problem.limit} authorities, which is the limit`
    case 'bad_key':
      return `the ${problem.duty} key is ${problem.detail}`
    case 'key_taken':
      return `the ${problem.duty} key is or was in use, and keys are never used twice`
    case 'bad_admission_signature':
      return `the entry is not signed by the governance key of ${problem.organisation} for this network`
    case 'bad_key_signature':
      return `the new ${problem.duty} key did not sign that it belongs there on this network`
    case 'contradictory_parameters':
      return `${problem.path}: ${problem.detail}`
    case 'no_change':
      return 'it is so already'
    case 'old_protocol':
      return `the network speaks protocol version ${problem.current}, ${problem.version} is older`
    case 'height_passed':
      return `height ${problem.height} is too low, the earliest is ${problem.earliest}`
  }
}

function nameOf(change: Uint8Array): string {
  return toHex(change)
}

function timeOf(time: number): string {
  return new Date(time).toISOString()
}
