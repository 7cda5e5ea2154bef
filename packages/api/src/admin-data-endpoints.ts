/**
 * Endpoints about backups of this node and the checking of its databases.
 */

import type { adminDataRoutes } from './admin-data-routes.ts'
import { current, type Endpoint } from './endpoints.ts'

export type AdminDataEndpoints = { [K in keyof typeof adminDataRoutes]: Endpoint<K> }

export const adminDataEndpoints: AdminDataEndpoints = {
  getBackups: async (_request, { handlers }) => current(await handlers.admin.data.backups()),
  beginBackup: async ({ body: { compression, keys } }, { handlers }) => {
    const sealed = keys === undefined ? null : new Uint8Array(Buffer.from(keys, 'base64url'))
    const begun = await handlers.admin.data.beginBackup({ compression, keys: sealed })
    return { ...current(begun), status: 202 }
  },
  getVerifications: (_request, { handlers }) => current(handlers.admin.data.verifications()),
  beginVerification: (_request, { handlers }) => ({
    ...current(handlers.admin.data.beginVerification()),
    status: 202,
  }),
}
