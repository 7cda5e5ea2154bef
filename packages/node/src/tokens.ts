// Bearer tokens: `mor_<id>_<secret>`. The file has the digest of each secret, never the secret, which is
// shown once; a secret is 256 random bits, so that nothing slow has to protect it. The file changes by a
// command on a stopped home, or by the running node, and by nobody else while it runs; whoever replaces it
// from outside has the node read it again.
//
// When a token was last used is told beside the file, in one that may be lost, and at most once a minute.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TokenFinding } from '@mooring/api'
import { CALLER_ROLES, type CallerRole } from '@mooring/api/caller'
import { hasCode } from './durable-files.ts'
import { homePaths } from './home.ts'
import { InTurn } from './in-turn.ts'
import { writeLocalFile } from './local-file.ts'
import { NodeError } from './node-error.ts'

export interface Token {
  readonly id: string
  /** Whose it is, for people. */
  readonly name: string
  readonly role: CallerRole
  /** Of the secret, SHA-256 in hex. */
  readonly digest: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly revokedAt: number | null
}

export interface TokenWish {
  name: string
  role: CallerRole
  lifetimeMs: number
}

export const TOKEN_LIFETIME_MAX_MS = 366 * 86_400_000
const TOKENS_MAX = 1_000
const USED_EVERY_MS = 60_000
/** So long after its end a token is still told apart from one that never was. */
const REMEMBERED_MS = 90 * 86_400_000

const NAME = /^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$/
const TOKEN = /^mor_(?<id>[0-9a-f]{12})_(?<secret>[A-Za-z0-9_-]{43})$/
const NOBODY = createHash('sha256').digest()

export class Tokens {
  readonly #path: string
  readonly #now: () => number
  #tokens: ReadonlyMap<string, Token> = new Map()
  #usedAt = new Map<string, number>()
  #usedWritten = 0
  /** A change begins with what the one before has left, and is on disk before the next is thought of. */
  readonly #changes = new InTurn()
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, now: () => number) {
    this.#path = path
    this.#now = now
  }

  /** @throws NodeError tokens_unreadable, key_open */
  static async open(home: string, now: () => number): Promise<Tokens> {
    const tokens = new Tokens(join(homePaths(home).keys, 'tokens.json'), now)
    await tokens.reload()
    tokens.#usedAt = await readUsed(tokens.#usedPath)
    return tokens
  }

  get list(): readonly (Token & { usedAt: number | null })[] {
    return [...this.#tokens.values()].map((token) => ({
      ...token,
      usedAt: this.#usedAt.get(token.id) ?? null,
    }))
  }

  /** Reads the file again; what it says is in force only when all of it can be read. */
  reload(): Promise<void> {
    return this.#changes.run(async () => {
      this.#tokens = await readTokens(this.#path)
    })
  }

  /** The token is told here, and nowhere else again. */
  create(wish: TokenWish): Promise<{ token: string; kept: Token }> {
    return this.#changes.run(() => this.#create(wish))
  }

  /** Again is no failure. */
  revoke(id: string): Promise<Token> {
    return this.#changes.run(() => this.#revoke(id))
  }

  find(text: string): TokenFinding {
    const groups = TOKEN.exec(text)?.groups
    const id = groups?.['id'] ?? ''
    const token = this.#tokens.get(id)
    const kept = token === undefined ? NOBODY : Buffer.from(token.digest, 'hex')
    const isRight = timingSafeEqual(digestOf(groups?.['secret'] ?? ''), kept)
    if (token === undefined || !isRight)
      return { refused: 'token_unknown', detail: 'No token of this node is like that.' }
    const { expiresAt, revokedAt, role, name } = token
    const now = this.#now()
    const whose = `That of "${name}" (${id})`
    if (revokedAt !== null)
      return { refused: 'token_revoked', detail: `${whose} was revoked at ${timeOf(revokedAt)}.` }
    if (expiresAt <= now)
      return { refused: 'token_expired', detail: `${whose} expired at ${timeOf(expiresAt)}.` }
    this.#used(id, now)
    return { name: `${id} ${name}`, role }
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    this.#writeUsed()
    await Promise.all([this.#writing, this.#changes.run(() => Promise.resolve())])
  }

  async #create({ name, role, lifetimeMs }: TokenWish): Promise<{ token: string; kept: Token }> {
    checkWish({ name, role, lifetimeMs })
    const now = this.#now()
    const remembered = [...this.#tokens.values()].filter(
      ({ expiresAt, revokedAt }) =>
        Math.min(expiresAt, revokedAt ?? expiresAt) > now - REMEMBERED_MS,
    )
    if (remembered.length >= TOKENS_MAX) throw new NodeError('tokens_full', { limit: TOKENS_MAX })
    const id = randomBytes(6).toString('hex')
    const secret = randomBytes(32).toString('base64url')
    const kept: Token = {
      id,
      name,
      role,
      digest: digestOf(secret).toString('hex'),
      createdAt: now,
      expiresAt: now + lifetimeMs,
      revokedAt: null,
    }
    await this.#write([...remembered, kept])
    return { token: `mor_${id}_${secret}`, kept }
  }

  async #revoke(id: string): Promise<Token> {
    const known = this.#tokens.get(id)
    if (known === undefined) throw new NodeError('token_missing', { id })
    if (known.revokedAt !== null) return known
    const revoked = { ...known, revokedAt: this.#now() }
    await this.#write([...this.#tokens.values()].map((each) => (each.id === id ? revoked : each)))
    return revoked
  }

  get #usedPath(): string {
    return `${this.#path}.used`
  }

  #used(id: string, now: number): void {
    this.#usedAt.set(id, now)
    if (now - this.#usedWritten < USED_EVERY_MS) return
    this.#usedWritten = now
    this.#writeUsed()
  }

  #writeUsed(): void {
    if (this.#usedAt.size === 0) return
    const used = Object.fromEntries(this.#usedAt)
    // A folder of keys may be mounted read-only; then nobody learns when a token was used, and that is all.
    this.#writing = this.#writing
      .then(() => writeLocalFile(this.#usedPath, used))
      .catch(() => undefined)
  }

  async #write(tokens: readonly Token[]): Promise<void> {
    await writeLocalFile(this.#path, { version: 1, tokens })
    this.#tokens = new Map(tokens.map((token) => [token.id, token]))
  }
}

const refuse = (detail: string) => new NodeError('token_invalid', { detail })

function checkWish({ name, role, lifetimeMs }: TokenWish): void {
  if (!NAME.test(name)) throw refuse(`"${name}" is no name: 1 to 64 of a-z, 0-9, . and -`)
  if (!CALLER_ROLES.includes(role)) throw refuse(`there is no role "${role}"`)
  if (!(lifetimeMs >= 1_000 && lifetimeMs <= TOKEN_LIFETIME_MAX_MS))
    throw refuse('a token lives from a second to 366 days')
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

async function readTokens(path: string): Promise<ReadonlyMap<string, Token>> {
  try {
    const mode = (await stat(path)).mode & 0o777
    if ((mode & 0o077) !== 0)
      throw new NodeError('key_open', { path, mode: mode.toString(8).padStart(4, '0') })
    const { version, tokens }: { version: unknown; tokens: unknown } = JSON.parse(
      await readFile(path, 'utf8'),
    )
    if (version !== 1 || !Array.isArray(tokens) || !tokens.every(isToken))
      throw new NodeError('tokens_unreadable', { path, detail: 'it has another form' })
    return new Map(tokens.map((token) => [token.id, token]))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return new Map()
    if (!(error instanceof SyntaxError)) throw error
    const detail = 'it is no JSON'
    throw new NodeError('tokens_unreadable', { path, detail }, { cause: error })
  }
}

async function readUsed(path: string): Promise<Map<string, number>> {
  try {
    const used: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'))
    const times = Object.entries(used).flatMap(([id, at]): [string, number][] =>
      typeof at === 'number' ? [[id, at]] : [],
    )
    return new Map(times)
  } catch (error) {
    // It only informs.
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return new Map()
    throw error
  }
}

function isToken(value: unknown): value is Token {
  if (typeof value !== 'object' || value === null) return false
  const { id, name, role, digest, createdAt, expiresAt, revokedAt } = { ...EMPTY, ...value }
  return (
    /^[0-9a-f]{12}$/.test(String(id)) &&
    typeof name === 'string' &&
    CALLER_ROLES.some((known) => known === role) &&
    /^[0-9a-f]{64}$/.test(String(digest)) &&
    typeof createdAt === 'number' &&
    typeof expiresAt === 'number' &&
    (revokedAt === null || typeof revokedAt === 'number')
  )
}

const EMPTY: Readonly<Record<keyof Token, unknown>> = {
  id: null,
  name: null,
  role: null,
  digest: null,
  createdAt: null,
  expiresAt: null,
  revokedAt: null,
}
