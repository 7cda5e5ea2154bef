/**
 * Who a request comes from, as far as the node knows.
 */

import type { Role } from './route.ts'

export interface ApiCaller {
  /** For the log and the audit: `socket`, `anonymous`, or the name of a token or a certificate. */
  name: string
  role: Role
}

/** Who may open the admin socket owns the node: the file system has checked that. */
export const SOCKET_CALLER: ApiCaller = { name: 'socket', role: 'admin' }

export const ANONYMOUS: ApiCaller = { name: 'anonymous', role: 'none' }
