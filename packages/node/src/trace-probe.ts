// Does a holder serve without a trace? The only way to know is to ask it to.
//
// Now and then a custodian asks a holder for a shard of its own, rightly in everything but one thing: it shows
// no witness. A holder that keeps to the rule refuses, and notes it. One that gives out the shard is
// named: an alarm on this node, and a report to all other members, who can ask it themselves.
//
// A request tells the holder whose record a set is. So the institution's own records are asked for, which
// belong to no patient, wherever there are any.

import type { Clock } from './clock.ts'
import { type AccessModules, type LocatedRecord, NOBODY, signRequest } from './access-session.ts'
import type { Finding } from './alarms.ts'
import type { Logger } from './logger.ts'
import { VaultPeerError } from './vault-peers.ts'

const SERVED_WITHOUT_TRACE = 'served_without_trace'

export interface ProbeTarget {
  readonly record: LocatedRecord
  /** Whose account the record is in. */
  readonly logKey: Uint8Array
}

export interface TraceProbeModules {
  readonly access: AccessModules
  readonly clock: Clock
  readonly logger: Logger
  /** Of this custodian, at random; undefined while it has none. */
  readonly target: () => Promise<ProbeTarget | undefined>
  /** All other members. */
  readonly others: () => readonly string[]
  /** A holder was asked without a witness, and served or did not. */
  readonly observe: (holder: string, isServed: boolean) => void
}

const EVERY_MS = 10 * 60_000
const TIMEOUT_MS = 10_000
/** What to do about it is for people, and takes them time. */
const ALARM_MS = 24 * 60 * 60_000
const PURPOSE = 'HOPERAT'

export class TraceProbe {
  readonly #modules: TraceProbeModules
  /** Since when this is known of a holder, on the wall clock. */
  readonly #caught = new Map<string, number>()
  #cancel: () => void = () => undefined
  #running: Promise<void> = Promise.resolve()

  constructor(modules: TraceProbeModules) {
    this.#modules = modules
  }

  start(): void {
    const { clock, logger } = this.#modules
    this.#cancel = clock.after(EVERY_MS, () => {
      this.#running = this.probe().then(
        () => this.start(),
        (error: unknown) => {
          logger.warn('holders could not be asked whether they serve without a trace', { error })
          this.start()
        },
      )
    })
  }

  async close(): Promise<void> {
    this.#cancel()
    await this.#running
    this.#cancel()
  }

  /** One record, at one of its holders; the holder when it serves without a trace. */
  async probe(): Promise<string | null> {
    const { access } = this.#modules
    const target = await this.#modules.target()
    if (target === undefined) return null
    const { holders, setId } = target.record
    const others = holders.filter((name) => name !== access.self && access.peers.isConnected(name))
    const [byte] = access.random(1)
    const holder = others[(byte ?? 0) % Math.max(1, others.length)]
    if (holder === undefined) return null
    const isServed = await this.#isServed(holder, target)
    if (isServed === null) return null
    this.#modules.observe(holder, isServed)
    if (!isServed) return null
    this.#caught.set(holder, this.#modules.clock.wall())
    this.#modules.logger.error('a holder serves without a trace', { holder })
    await this.#report(holder, { setId, index: holders.indexOf(holder) })
    return holder
  }

  /** What an operator should know of it. */
  finding(): Finding | null {
    const now = this.#modules.clock.wall()
    const names = [...this.#caught].flatMap(([holder, at]) => (now - at < ALARM_MS ? [holder] : []))
    if (names.length === 0) return null
    const detail = `${names.join(', ')} gave out a shard of this node that was asked for without a witness.`
    return { code: SERVED_WITHOUT_TRACE, severity: 'page', detail }
  }

  /** Null when the holder said nothing to it. */
  async #isServed(holder: string, { record, logKey }: ProbeTarget): Promise<boolean | null> {
    const { access } = this.#modules
    const reason = { grant: null, logKey, purpose: PURPOSE, person: NOBODY, sequence: null }
    // The entry goes nowhere: a holder that keeps to the rule refuses before it asks for one.
    const { signed } = await signRequest(access, [record], reason)
    const items = [{ setId: record.setId, from: 0, count: 1, digests: 0 }]
    try {
      const { body } = await access.peers.request(
        holder,
        { kind: 'release', body: { signed, witnesses: [], items } },
        { timeoutMs: TIMEOUT_MS },
      )
      return body.items.length > 0
    } catch (error) {
      if (!(error instanceof VaultPeerError)) throw error
      return error.code === 'refused' ? false : null
    }
  }

  async #report(holder: string, shard: { setId: Uint8Array; index: number }): Promise<void> {
    const { access, others } = this.#modules
    const body = { shard, holder, code: SERVED_WITHOUT_TRACE }
    const told = others()
      .filter((name) => name !== holder && access.peers.isConnected(name))
      .map((name) =>
        access.peers.request(name, { kind: 'report', body }, { timeoutMs: TIMEOUT_MS }),
      )
    await Promise.allSettled(told)
  }
}
