/**
 * Calls about who may ask a node, and about what was done to it.
 */

import type {
  AdminActPage,
  Caller,
  CreatedToken,
  Reload,
  Token,
  Tokens,
} from './admin-access-answers.ts'
import type { TokenRequest } from './admin-access-handlers.ts'
import type { Http, PageOptions } from './client.ts'

const JSON_TYPE = 'application/json'
/** It reads files, and looks at nothing else. */
const RELOAD_MS = 10_000

export function adminAccessCalls({ read, post }: Http) {
  return {
    caller: () => read<Caller>('/v1/caller'),
    acts: (page: PageOptions = {}) => read<AdminActPage>('/v1/acts', { query: { ...page } }),
    tokens: () => read<Tokens>('/v1/admin/tokens'),
    createToken: (request: TokenRequest) =>
      post<CreatedToken>('/v1/admin/tokens', JSON_TYPE, { body: JSON.stringify(request) }),
    revokeToken: (id: string) =>
      post<Token>(`/v1/admin/tokens/${encodeURIComponent(id)}/revoke`, JSON_TYPE, { body: '{}' }),
    reload: () => post<Reload>('/v1/admin/reload', JSON_TYPE, { body: '{}', waitMs: RELOAD_MS }),
  }
}
