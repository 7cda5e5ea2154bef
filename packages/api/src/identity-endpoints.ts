/** From a checked request to an answer, for lasting identities. */

import { fromHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { current, type Endpoint } from './endpoints.ts'
import { Refusal } from './errors.ts'
import type { identityRoutes } from './identity-routes.ts'

export type IdentityEndpoints = { [K in keyof typeof identityRoutes]: Endpoint<K> }

export const identityEndpoints: IdentityEndpoints = {
  relayIdentityEvent: async ({ body }, { handlers }) =>
    current(await handlers.identities.relay(body)),
  getIdentity: ({ params }, { handlers }) => {
    const found = handlers.identities.find(params.id)
    if (found === undefined) {
      throw new Refusal('identity_unknown', 'No identity on this chain has this name.')
    }
    const { pending, ...identity } = found
    if (pending === null) return current({ ...identity, pending })
    const { isAttested, ...running } = pending
    return current({ ...identity, pending: { ...running, attested: isAttested } })
  },
  signRecovery: ({ body }, { handlers }) => {
    const { as, sequence } = body
    return current(
      handlers.identities.sign({
        as,
        identity: fromHex(body.identity),
        sequence,
        controlKey: fromHex(body.controlKey),
        nextKeyDigest: fromHex(body.nextKeyDigest),
      }),
    )
  },
  rebindPatient: async ({ body, patient }, { handlers }) => {
    const { recoveryCommit } = body
    const { receipts, replaced } = await handlers.patients.rebind(patient, {
      former: fromHex(body.former),
      sealKey: fromHex(body.sealKey),
      identity: fromHex(body.identity),
      salt: fromHex(body.salt),
      signature: fromHex(body.signature),
      recoveryCommit: recoveryCommit === undefined ? null : fromHex(recoveryCommit),
    })
    return current({ receipts: encodeBase64url(receipts), replaced })
  },
  openDelegation: async ({ body, patient }, { handlers }) => {
    const { publicKey, expiresAt, signature } = body
    const keys = { publicKey: fromHex(publicKey), signature: fromHex(signature) }
    const open = { ...keys, expiresAt, kind: 'delegation' } as const
    return current(await handlers.identities.openDelegation(patient, open))
  },
}
