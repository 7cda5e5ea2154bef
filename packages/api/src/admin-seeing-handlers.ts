/**
 * What a node supplies about how it is doing, for who runs it.
 */

import type { Acknowledged, Check } from './admin-seeing-answers.ts'
import type { ApiCaller } from './caller.ts'

export interface BundleQuery {
  /** Log lines of so many milliseconds. */
  sinceMs: number
  /** Record what the processor does for so long; 0: not at all. */
  profileMs: number
  /** Leave out, or replace, what could name somebody or open something. */
  isRedacted: boolean
}

export interface AdminSeeingHandlers {
  /** What only the node itself can look at; `skip` names checks. */
  checks(skip: ReadonlySet<string>): Promise<Check[]>
  logLevel(): string
  /** Refuses what is no level. */
  setLogLevel(level: string): string
  /** Refuses an alarm that is not raised. */
  acknowledge(code: string, note: string, caller: ApiCaller): Acknowledged
  /** A tar archive, compressed with gzip, in pieces. */
  bundle(query: BundleQuery): AsyncIterable<Uint8Array>
}
