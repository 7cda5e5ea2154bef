// The gate of a node: who may ask it, over which certificates, and what of that is read again while it
// runs. Put together before the API listens, and told the listening server afterwards.

import { type ApiServer, CALLER_ROLES, type TlsIdentity } from '@mooring/api'
import type { Finding } from './alarms.ts'
import { Callers } from './callers.ts'
import type { Clock } from './clock.ts'
import type { NodeOptions, TlsFiles } from './load-options.ts'
import type { RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { NodeError } from './node-error.ts'
import type { PartOptions } from './part-options.ts'
import type { PeerBook } from './peer-book.ts'
import { Reloading } from './reloading.ts'
import {
  certificateFindings,
  type KnownCertificate,
  type ReadIdentity,
  readTls,
} from './tls-files.ts'
import { Tokens } from './tokens.ts'

export interface GateModules {
  clock: Pick<Clock, 'wall'>
  logger: RootLogger
  book: Pick<PeerBook, 'configure'>
  metrics: Pick<Metrics, 'tlsCertExpiry' | 'tokenExpiry'>
}

type TlsListener = 'api' | 'patients'

/** Certificates of a running node change; whether it speaks TLS at all does not. */
type Identities = Record<TlsListener, ReadIdentity | null>

export class Gate {
  readonly callers: Callers
  readonly tokens: Tokens
  readonly reloading: Reloading
  readonly #modules: GateModules
  readonly #identities: Identities
  #server: Pick<ApiServer, 'changeTls'> | null = null

  private constructor(
    options: NodeOptions,
    modules: GateModules,
    { tokens, identities }: { tokens: Tokens; identities: Identities },
  ) {
    this.#modules = modules
    this.#identities = identities
    this.tokens = tokens
    this.callers = new Callers(options.http, tokens)
    this.reloading = new Reloading(options.reread, modules.logger)
    this.#addParts(options)
    this.#measure()
  }

  /** @throws NodeError what cannot be read, or does not belong together */
  static async open(options: NodeOptions, modules: GateModules): Promise<Gate> {
    const tokens = await Tokens.open(options.home, () => modules.clock.wall())
    const { http, patients } = options
    const identities = {
      api: http.tls && (await readTls(http.tls, http.clientCa)),
      patients: patients.tls && (await readTls(patients.tls, null)),
    }
    return new Gate(options, modules, { tokens, identities })
  }

  tls(listener: TlsListener): TlsIdentity | null {
    return this.#identities[listener]?.identity ?? null
  }

  /** From now on what is read again reaches the connections that come. */
  serve(server: Pick<ApiServer, 'changeTls'>): void {
    this.#server = server
  }

  get certificates(): readonly KnownCertificate[] {
    return Object.values(this.#identities).flatMap((each) => each?.certificates ?? [])
  }

  findings(): readonly Finding[] {
    this.#measure()
    return certificateFindings(this.certificates, this.#modules.clock.wall())
  }

  async close(): Promise<void> {
    await this.tokens.close()
  }

  #addParts(options: NodeOptions): void {
    const { logger, book } = this.#modules
    let levels = options.log.levels
    let allowList = options.p2p.allowList
    let shown = shownHttp(options.http)
    this.reloading.add({
      part: 'log level',
      reload: ({ log }) => {
        if (isSame(log.levels, levels)) return null
        levels = log.levels
        logger.setLevels(levels)
        return levels.base
      },
    })
    this.reloading.add({ part: 'tokens', reload: () => this.#reloadTokens() })
    this.reloading.add({
      part: 'callers',
      reload: ({ http }) => {
        const next = shownHttp(http)
        if (isSame(next, shown)) return null
        shown = next
        this.callers.change(next)
        return `open to ${next.open}, ${next.clientRoles.length} names with a role`
      },
    })
    this.reloading.add({
      part: 'certificates',
      reload: (read) => this.#reloadTls(read),
    })
    this.reloading.add({
      part: 'allow list',
      reload: ({ p2p }) => {
        if (isSame(p2p.allowList, allowList)) return null
        allowList = p2p.allowList
        book.configure(allowList)
        return `${allowList.length} peers`
      },
    })
  }

  async #reloadTokens(): Promise<string | null> {
    const before = this.tokens.list.map(({ id, revokedAt }) => [id, revokedAt])
    await this.tokens.reload()
    this.#measure()
    const after = this.tokens.list.map(({ id, revokedAt }) => [id, revokedAt])
    return isSame(before, after) ? null : `${after.length} tokens`
  }

  /** All of them or none: what is read is looked at before anything changes. */
  async #reloadTls({ http, patients }: PartOptions): Promise<string | null> {
    const next: Identities = {
      api: await this.#readAgain('api', http.tls, http.clientCa),
      patients: await this.#readAgain('patients', patients.tls, null),
    }
    const changed: string[] = []
    for (const listener of ['api', 'patients'] as const) {
      const read = next[listener]
      if (read === null || isSame(read.identity, this.tls(listener))) continue
      this.#server?.changeTls(listener, read.identity)
      this.#identities[listener] = read
      const [own] = read.certificates
      changed.push(`${listener}: "${own?.subject ?? ''}" until ${timeOf(own)}`)
    }
    this.#measure()
    return changed.length === 0 ? null : changed.join('; ')
  }

  async #readAgain(
    listener: TlsListener,
    files: TlsFiles | null,
    clientCa: string | null,
  ): Promise<ReadIdentity | null> {
    const now = this.tls(listener)
    if ((files === null) !== (now === null))
      throw new NodeError('reload_refused', { detail: `TLS of ${listener}: start the node again` })
    if (files === null) return null
    if ((clientCa === null) !== (now?.clientCa === null))
      throw new NodeError('reload_refused', { detail: 'client_ca: start the node again' })
    const read = await readTls(files, clientCa)
    const [own] = read.certificates
    if (own === undefined || own.notAfter > this.#modules.clock.wall()) return read
    const { path, subject } = own
    throw new NodeError('tls_expired', { path, subject, at: timeOf(own) })
  }

  #measure(): void {
    const { metrics } = this.#modules
    for (const [listener, read] of Object.entries(this.#identities)) {
      const ends = read?.certificates.map(({ notAfter }) => notAfter) ?? []
      if (ends.length > 0) metrics.tlsCertExpiry.set({ use: listener }, Math.min(...ends) / 1_000)
    }
    const now = this.#modules.clock.wall()
    for (const use of CALLER_ROLES) {
      const ends = this.tokens.list.flatMap(({ role, expiresAt, revokedAt }) =>
        role === use && revokedAt === null && expiresAt > now ? [expiresAt] : [],
      )
      if (ends.length > 0) metrics.tokenExpiry.set({ use }, Math.min(...ends) / 1_000)
      else metrics.tokenExpiry.remove({ use })
    }
  }
}

function shownHttp({ open, rate, clientRoles }: NodeOptions['http']) {
  return { open, rate, clientRoles }
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

function timeOf(certificate: KnownCertificate | undefined): string {
  return certificate === undefined ? '' : new Date(certificate.notAfter).toISOString()
}
