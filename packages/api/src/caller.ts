/**
 * Who a request comes from, as far as the node knows, and what that permits.
 */

export const CALLER_ROLES = ['viewer', 'submitter', 'auditor', 'operator', 'admin'] as const

/** What tokens and certificates give. */
export type CallerRole = (typeof CALLER_ROLES)[number]

export interface ApiCaller {
  /** For the audit: `socket`, `loopback`, `anonymous`, or `token …`, `certificate …` with its name. */
  name: string
  role: CallerRole | 'none'
}

/** Who may open the admin socket owns the node: the file system has checked that. */
export const SOCKET_CALLER: ApiCaller = { name: 'socket', role: 'admin' }

/** Of this computer, where the node is open to it. */
export const LOOPBACK_CALLER: ApiCaller = { name: 'loopback', role: 'operator' }

export const ANONYMOUS: ApiCaller = { name: 'anonymous', role: 'none' }

/** Whether somebody stands behind it: a token, or a certificate. */
export function isNamed(caller: ApiCaller): boolean {
  return caller !== SOCKET_CALLER && caller !== LOOPBACK_CALLER && caller !== ANONYMOUS
}

/** The duties of each role; a role does not include what it has no need for. */
const INCLUDED: Readonly<Record<CallerRole, readonly CallerRole[]>> = {
  viewer: ['viewer'],
  submitter: ['viewer', 'submitter'],
  auditor: ['viewer', 'auditor'],
  operator: ['viewer', 'submitter', 'auditor', 'operator'],
  admin: CALLER_ROLES,
}

export function includesRole(role: CallerRole, needed: CallerRole): boolean {
  return INCLUDED[role].includes(needed)
}
