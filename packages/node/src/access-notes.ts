// What the parts of a node tell its access log: who asked for records, and what came of it.
//
// Each note that promises a trace resolves when the trace is on the disk; only then may an answer leave.

import type { AccessEntry, AccessRequest } from '@mooring/records'

export interface AccessNotes {
  /**
   * As a holder, before the signature of a witness leaves. Asked again for the same request: the same. False
   * when the entry stands here for another request: one trace does not serve for two.
   */
  noteWitness(request: AccessRequest, entry: AccessEntry): Promise<boolean>
  /** Fragments of so many sets went to the reader, or came to us. Needs no answer and no flush. */
  noteServed(request: AccessRequest, sets: number): void
  /** As a reader, before anybody is asked: the entry of our own request. */
  noteRead(request: AccessRequest, entry: AccessEntry): Promise<void>
  /** As a custodian, before the catalogue is answered; and as the reader that asks for it. False as above. */
  noteQuery(request: AccessRequest, entry: AccessEntry): Promise<boolean>
  /** As a holder or custodian: why somebody got nothing. Of one peer only so many are kept apart. */
  noteRefusal(refusal: RefusedAccess): Promise<void>
  /**
   * A share of an emergency set was asked for: given, when there is no code, and else refused with it. Before
   * the share leaves.
   */
  noteEmergency(asked: NotedEmergency): Promise<void>
  /** Shards of a custodian were made again here. */
  noteRepair(repair: NotedRepair): Promise<void>
}

export interface NotedEmergency {
  readonly role: 'reader' | 'holder'
  readonly requestId: Uint8Array
  /** Organisation that opens the set. */
  readonly reader: string
  /** The patient's hospital, and key there. */
  readonly home: string
  readonly patientKey: Uint8Array
  readonly entry: AccessEntry
  readonly code: string | null
}

export interface RefusedAccess {
  /** Organisation that asked: of the peer, not of the text. */
  readonly peer: string
  readonly code: string
  /** Null when it could not be read. */
  readonly request: AccessRequest | null
  /** Null when none came with it. */
  readonly entry: AccessEntry | null
}

export interface NotedRepair {
  readonly custodian: string
  /** Who made them again: for a lost holder, another one. */
  readonly holder: string
  readonly sets: number
}
