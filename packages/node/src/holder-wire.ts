// From the bytes of a request to the bytes of its answer: the thin part between the network and the
// holder. Who asks is the member whose connection it came on; who is none gets nothing.

import { CodecError } from '@mooring/codec'
import {
  decodeVaultRequest,
  encodeVaultAnswer,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import type { AccessNotes } from './access-notes.ts'
import type { Members } from './members.ts'

const MALFORMED = 'request_malformed'

export interface HolderWireModules {
  readonly members: Pick<Members, 'list'>
  readonly answer: (sender: string, request: VaultRequest) => Promise<VaultAnswer>
  readonly notes: Pick<AccessNotes, 'noteRefusal'>
}

export async function answerVaultRequest(
  peerId: string,
  payload: Uint8Array,
  { members, answer, notes }: HolderWireModules,
): Promise<Uint8Array> {
  const sender = members.list.find((member) => member.peerId === peerId)?.name
  if (sender === undefined) return refused('not_a_member')
  let request: VaultRequest
  try {
    request = decodeVaultRequest(payload)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    // It may have been meant as one for access.
    await notes.noteRefusal({ peer: sender, code: MALFORMED, request: null, entry: null })
    return refused(MALFORMED)
  }
  return encodeVaultAnswer(await answer(sender, request))
}

function refused(code: string): Uint8Array {
  return encodeVaultAnswer({ kind: 'refusal', body: { code, retryAfterMs: 0 } })
}
