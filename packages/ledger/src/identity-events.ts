// An event of an identity on its way to the member that will relay it: signed by whom it concerns, and not
// yet a transaction of anybody.

import { decode, encode, type Infer, variant } from '@mooring/codec'
import { createEventSchema } from './identity-create.ts'
import { finalizeEventSchema } from './identity-finalize.ts'
import { recoverEventSchema } from './identity-recover.ts'
import { rotateEventSchema } from './identity-rotate.ts'
import { vetoEventSchema } from './identity-veto.ts'
import type { Payload } from './kinds.ts'

const IDENTITY_EVENT_BYTES_MAX = 16 * 1024

const schema = variant({
  'identity.create': createEventSchema,
  'identity.rotate': rotateEventSchema,
  'identity.recover': recoverEventSchema,
  'identity.veto': vetoEventSchema,
  'identity.finalize': finalizeEventSchema,
})

export type IdentityEvent = Infer<typeof schema>

type Words<P> = P extends { kind: infer K; body: infer B } ? { kind: K; body: B } : never
export type RelayedIdentityEvent = Words<Extract<Payload, { kind: IdentityEvent['kind'] }>>

export function encodeIdentityEvent(event: IdentityEvent): Uint8Array {
  return encode(schema, event)
}

/** @throws CodecError */
export function decodeIdentityEvent(encoded: Uint8Array): IdentityEvent {
  return decode(schema, encoded, IDENTITY_EVENT_BYTES_MAX)
}

/** As a member relays it. */
export function relayedBy(organisation: string, event: IdentityEvent): RelayedIdentityEvent {
  switch (event.kind) {
    case 'identity.create':
      return { kind: event.kind, body: { organisation, ...event.body } }
    case 'identity.rotate':
      return { kind: event.kind, body: { organisation, ...event.body } }
    case 'identity.recover':
      return { kind: event.kind, body: { organisation, ...event.body } }
    case 'identity.veto':
      return { kind: event.kind, body: { organisation, ...event.body } }
    case 'identity.finalize':
      return { kind: event.kind, body: { organisation, ...event.body } }
  }
}
