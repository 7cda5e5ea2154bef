/**
 * What a node supplies about who may ask it, and about what was done to it.
 */

import type { AdminAct, CreatedToken, Reloaded, Token } from './admin-access-answers.ts'
import type { CallerRole } from './caller.ts'

export interface TokenRequest {
  name: string
  role: CallerRole
  lifetimeMs: number
}

export interface AdminAccessHandlers {
  tokens(): Token[]
  createToken(request: TokenRequest): Promise<CreatedToken>
  revokeToken(id: string): Promise<Token>
  reload(): Promise<Reloaded[]>
}

/** An act of administration that was let in, with what it was answered. */
export interface NotedAct {
  caller: string
  /** The operation, as the contract names it. */
  act: string
  /** What came with it, as one text that says the same for the same. */
  parameters: string
  status: number
}

export interface AuditHandlers {
  /** Resolves when the act is on the disk; only then it is answered. */
  note(act: NotedAct): Promise<void>
  /** Newest first; `next` continues the list, null at its end. */
  acts(query: { before: number | null; limit: number }): Promise<{
    items: AdminAct[]
    next: number | null
  }>
}
