// What can go wrong before, around and in front of a running node: options, the home, key files,
// commands. The code chooses the text in errors.ts; `data` fills it in.

import type { HaltReason } from '@mooring/consensus'
import type { OptionProblem } from './config-file.ts'
import type { ConfigurationErrorCode } from './errors-configuration.ts'
import type { AdmissionErrorCode } from './errors-admission.ts'
import type { DataErrorCode } from './errors-data.ts'
import type { EmergencyCommandErrorCode } from './errors-emergency.ts'
import type { FoundingErrorCode } from './errors-founding.ts'
import type { KeysErrorCode } from './errors-keys.ts'
import type { MembershipErrorCode } from './errors-membership.ts'
import type { PatientGrantErrorCode } from './errors-patient-grants.ts'
import type { PeerBookErrorCode } from './errors-peer-book.ts'
import type { PlaceErrorCode } from './errors-place.ts'
import type { SeeingErrorCode } from './errors-seeing.ts'
import type { TimelineErrorCode } from './errors-timeline.ts'
import type { VaultErrorCode } from './errors-vault.ts'
import type { GuardianErrorCode } from './errors-identity.ts'
import type { WalletErrorCode } from './errors-wallet.ts'

export type NodeErrorCode =
  | PeerBookErrorCode
  | PlaceErrorCode
  | SeeingErrorCode
  | DataErrorCode
  | KeysErrorCode
  | AdmissionErrorCode
  | VaultErrorCode
  | 'options_invalid'
  | 'http_not_loopback'
  | 'config_missing'
  | 'home_missing'
  | 'home_exists'
  | 'home_open'
  | 'home_foreign'
  | 'key_missing'
  | 'key_open'
  | 'key_malformed'
  | 'key_encrypted'
  | 'key_exists'
  | 'genesis_missing'
  | 'genesis_invalid'
  | 'port_taken'
  | 'authorities_missing'
  | 'leaders_failing'
  | 'observing'
  | 'equivocation'
  | 'evidence_invalid'
  | 'mempool_full'
  | 'disk_low'
  | 'snapshot_refused'
  | 'snapshot_unknown'
  | 'snapshot_unavailable'
  | 'chain_exists'
  | 'holds_unreadable'
  | 'hold_invalid'
  | 'hold_exists'
  | 'hold_unknown'
  | 'holds_busy'

// What the commands refuse by themselves.
export type CommandErrorCode =
  | FoundingErrorCode
  | ConfigurationErrorCode
  | EmergencyCommandErrorCode
  | PatientGrantErrorCode
  | WalletErrorCode
  | GuardianErrorCode
  | TimelineErrorCode
  | 'internal'
  | 'node_too_old'
  | 'usage'
  | 'unknown_error_code'
  | 'file_missing'
  | 'file_unreadable'
  | 'file_exists'
  | 'file_too_large'
  | 'file_not_fhir'
  | 'endpoint_unreachable'
  | 'endpoint_strange'
  | 'request_timeout'
  | 'answer_incomplete'
  | 'grant_unreadable'
  | 'grant_not_signed'
  | 'wait_timeout'
  | 'not_ready'
  | 'proof_invalid'
  | 'genesis_needed'
  | 'devnet_missing'
  | 'devnet_differs'
  | 'devnet_unknown_node'
  | 'devnet_start_failed'
  | 'devnet_not_ready'
  | 'devnet_violated'
  | 'devnet_busy'
  | 'devnet_groups_invalid'

// Agreement has stopped for good.
export class HaltError extends Error {
  override readonly name = 'HaltError'
  readonly code: HaltReason['code']

  constructor({ code }: HaltReason, message: string) {
    super(message)
    this.code = code
  }
}

export type ErrorData = Readonly<Record<string, string | number | boolean | null>>

export type ErrorDetails = {
  problems?: readonly OptionProblem[]
  // Findings that are shown as they are, one a line.
  rows?: readonly string[]
  cause?: unknown
}

export class NodeError extends Error {
  override readonly name = 'NodeError'
  readonly code: NodeErrorCode | CommandErrorCode | MembershipErrorCode
  readonly data: ErrorData
  readonly problems: readonly OptionProblem[]
  readonly rows: readonly string[]

  constructor(
    code: NodeErrorCode | CommandErrorCode | MembershipErrorCode,
    data: ErrorData = {},
    details: ErrorDetails = {},
  ) {
    super(`${code} ${JSON.stringify(data)}`, { cause: details.cause })
    this.code = code
    this.data = data
    this.problems = details.problems ?? []
    this.rows = details.rows ?? []
  }
}
