// Twenty digits that the owner reads aloud before anybody signs: a document on its way from hand to hand may
// have become another one.

import { NodeError } from '@mooring/node/node-error'
import { type RecoveryRequest, requestFingerprint } from '@mooring/records'

const digitsOf = (text: string) => text.replaceAll(/\D/g, '')

export function refuseUnread(request: RecoveryRequest, typed: string): void {
  const found = requestFingerprint(request)
  if (digitsOf(typed) !== digitsOf(found)) throw new NodeError('fingerprint_differs', { found })
}
