// Tokens for the API: made, listed, revoked; and reading again what an operator may change while the node
// runs.

import type { AdminAccessHandlers, Token as TokenAnswer } from '@mooring/api'
import { Refusal } from '@mooring/api/errors'
import { failureOf } from './error-text.ts'
import { NodeError } from './node-error.ts'
import type { Reloading } from './reloading.ts'
import type { Token, Tokens } from './tokens.ts'

export function createAdminAccess(
  tokens: Pick<Tokens, 'list' | 'create' | 'revoke'>,
  { reloading, now }: { reloading: Pick<Reloading, 'run'>; now: () => number },
): AdminAccessHandlers {
  const shown = (token: Token) => tokenAnswer({ usedAt: null, ...token }, now())
  return {
    tokens: () => tokens.list.map((token) => tokenAnswer(token, now())),
    createToken: async (request) => {
      const { token, kept } = await refusing(tokens.create(request))
      return { ...shown(kept), token }
    },
    revokeToken: async (id) => shown(await refusing(tokens.revoke(id))),
    reload: () => reloading.run(),
  }
}

export function tokenAnswer(token: Token & { usedAt: number | null }, now: number): TokenAnswer {
  const { id, name, role, createdAt, expiresAt, revokedAt, usedAt } = token
  const status = revokedAt !== null ? 'revoked' : expiresAt <= now ? 'expired' : 'valid'
  return {
    id,
    name,
    role,
    status,
    createdAt: timeOf(createdAt),
    expiresAt: timeOf(expiresAt),
    revokedAt: revokedAt === null ? null : timeOf(revokedAt),
    usedAt: usedAt === null ? null : timeOf(usedAt),
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** What these functions refuse names no path: the whole sentence may travel. */
async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    throw new Refusal(error.code, failureOf(error).where)
  }
}
