/** From a checked request to an answer, for patients. */

import { fromHex } from '@mooring/codec'
import { decodeBase64url, encodeBase64url } from '@mooring/crypto'
import type { Cursors } from './cursors.ts'
import { current, type Endpoint, fresh, pageAnswer } from './endpoints.ts'
import { ApiError } from './errors.ts'
import type { KnownGrantAnswer, KnownGrantQuery } from './patient-handlers.ts'
import type { patientRoutes } from './patient-routes.ts'
import { PAGE_DEFAULT } from './route-forms.ts'

export type PatientEndpoints = { [K in keyof typeof patientRoutes]: Endpoint<K> }

export const patientEndpoints: PatientEndpoints = {
  createEnrolment: async ({ body }, { handlers }) => {
    const created = await handlers.patients.createEnrolment(body)
    return { status: 201, headers: fresh, body: created }
  },
  enrolPatient: async ({ body, patient }, { handlers }) => {
    const { code, sealKey, recoveryCommit } = body
    const { receipts, replaced } = await handlers.patients.enrol(patient, {
      code: decodeBase64url(code),
      sealKey: fromHex(sealKey),
      recoveryCommit: recoveryCommit === undefined ? null : fromHex(recoveryCommit),
    })
    return current({ receipts: encodeBase64url(receipts), replaced })
  },
  depositGrant: async ({ body, patient }, { handlers }) => {
    const { publicKey, expiresAt, kind, signature } = body.open
    const keys = { publicKey: fromHex(publicKey), signature: fromHex(signature) }
    const deposited = await handlers.patients.depositGrant(patient, {
      grant: JSON.stringify(body.grant),
      open: { ...keys, expiresAt, kind },
    })
    return { status: 201, headers: fresh, body: deposited }
  },
  listOwnGrants: ({ query, patient }, { handlers, cursors }) =>
    grantPage({ path: '/v1/patient/grants', list: 'own-grants', cursors, query }, (page) =>
      handlers.patients.grants(patient, page),
    ),
  revokeHandle: async ({ body }, { handlers }) => {
    const { publicKey, signature } = body
    const revocation = { publicKey: fromHex(publicKey), signature: fromHex(signature) }
    return current(await handlers.patients.revoke(revocation))
  },
  listGrants: ({ query, query: { patient } }, { handlers, cursors }) =>
    grantPage(
      { path: '/v1/grants', list: `grants/${patient}`, cursors, query, filter: { patient } },
      (page) => handlers.patients.grantsOf(patient, page),
    ),
  revokeGrant: async ({ params }, { handlers }) => {
    const revoked = await handlers.patients.revokeHosted(params.handle)
    if (revoked !== undefined) return current(revoked)
    throw new ApiError('unknown_grant', 'This node has signed no grant of this handle.')
  },
}

interface GrantPage {
  path: string
  list: string
  cursors: Cursors
  query: { limit?: number; cursor?: string }
  filter?: Record<string, string>
}

async function grantPage(
  { path, list, cursors, query, filter = {} }: GrantPage,
  find: (query: KnownGrantQuery) => Promise<{ items: KnownGrantAnswer[]; next: number | null }>,
) {
  const limit = query.limit ?? PAGE_DEFAULT
  const before = query.cursor === undefined ? null : cursors.parse(list, query.cursor)
  const { items, next } = await find({ before, limit })
  const shown = items.map(({ isHosted, ...grant }) => ({ ...grant, hosted: isHosted }))
  const nextCursor = next === null ? null : cursors.format(list, next)
  return pageAnswer(path, { limit: String(limit), ...filter }, { items: shown, nextCursor })
}
