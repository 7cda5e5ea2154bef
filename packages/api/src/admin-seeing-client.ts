/**
 * Calls about how a node is doing, for who runs it.
 */

import type { Acknowledged, Checks, LogLevel } from './admin-seeing-answers.ts'
import type { BundleQuery } from './admin-seeing-handlers.ts'
import type { Http } from './client.ts'

const JSON_BODY = 'application/json'

export function adminSeeingCalls({ read, post, send }: Http) {
  return {
    checks: (skip: readonly string[] = []) =>
      read<Checks>('/v1/admin/checks', {
        query: skip.length === 0 ? {} : { skip: skip.join(',') },
      }),
    logLevel: () => read<LogLevel>('/v1/admin/log-level'),
    setLogLevel: (level: string) =>
      post<LogLevel>('/v1/admin/log-level', JSON_BODY, { body: JSON.stringify({ level }) }),
    acknowledge: (code: string, note: string) =>
      post<Acknowledged>('/v1/admin/alarms', JSON_BODY, { body: JSON.stringify({ code, note }) }),
    /** The archive as it comes; it may take as long as the profile does. */
    bundle: (query: BundleQuery) =>
      send('/v1/admin/bundle', {
        method: 'POST',
        headers: { 'content-type': JSON_BODY },
        body: JSON.stringify(query),
        waitMs: query.profileMs + 60_000,
      }),
  }
}
