// Whether this node lives, whether it may be given work, and what is wrong when not.
//
// Ready is what a load balancer asks: the node follows the chain, and the chain follows its work. Live
// is what a supervisor asks before it kills: it never depends on the network, for no restart brings
// a peer back. An idle chain is as healthy as a busy one; only waiting work, or a heartbeat that
// does not come, shows that something is wrong.

import type { Condition } from '@mooring/api'
import { quorumOf } from '@mooring/consensus'
import { StorageError } from '@mooring/storage'
import { describeObserving, type Observing } from './amnesia.ts'
import { type Alarm, Alarms, type Finding } from './alarms.ts'
import type { DiskUsage } from './disk-usage.ts'
import { catalogEntry } from './errors.ts'
import type { NodeParts } from './node-parts.ts'
import { formatDuration, formatSize } from './option-values.ts'
import { describeOffence } from './offences.ts'
import { BLOCKS_BEHIND, formatAge, liveCount, presenceOf } from './presence.ts'
import { describeStall, type Diagnosis, diagnoseStall } from './stall.ts'
import type { VoteLog } from './vote-log.ts'
import { Waiting } from './waiting.ts'

const OFFENCE_MS = 24 * 60 * 60 * 1_000
const BEAT_MS = 1_000
/** A timer that is so late was held up by something that does not end. */
const DEADLOCK_MS = 30_000
/** Work may wait so long for finality; beyond, the node is not ready and an alarm is raised. */
const WAITING_MS = 30_000
const HEARTBEATS_MISSED = 3
/** Half of what voters forgive a leader. */
const OFFSET_MS = 250

/** Of the least free space: from here on there is room to act, and somebody should know. */
const FREE_WARNING = 1.5

export interface HealthModules {
  votes: VoteLog
  disk: Pick<DiskUsage, 'current'>
  /** What others find that health knows nothing of. */
  findings?: () => readonly Finding[]
  onAlarm: (alarm: Alarm, isActive: boolean) => void
}

export class Health {
  readonly #parts: NodeParts
  readonly #modules: HealthModules
  readonly #waiting: Waiting
  readonly #alarms: Alarms
  #beatAt: number
  #cancelBeat: () => void = () => undefined

  constructor(parts: NodeParts, modules: HealthModules) {
    this.#parts = parts
    this.#modules = modules
    this.#waiting = new Waiting(parts)
    this.#alarms = new Alarms(parts.clock, modules.onAlarm)
    this.#beatAt = parts.clock.monotonic()
    this.#beat()
  }

  live(): Condition[] {
    const lateMs = this.#parts.clock.monotonic() - this.#beatAt
    const ok = lateMs < DEADLOCK_MS
    const detail = ok ? 'The event loop turns.' : `No timer has run for ${formatAge(lateMs)}.`
    return [{ name: 'event_loop', ok, detail }]
  }

  ready(): Condition[] {
    return [
      this.#database(),
      this.#height(),
      this.#finality(),
      this.#heartbeat(),
      this.#peers(),
      this.#guard(),
      this.#disk(),
      this.#running(),
    ]
  }

  /** Age of the oldest work without finality; 0 when idle. */
  waitingMs(): number {
    return this.#waiting.ms()
  }

  stall(): Diagnosis | null {
    return diagnoseStall({ ...this.#parts, votes: this.#modules.votes }, this.waitingMs())
  }

  alarms(): readonly Alarm[] {
    const { halted } = this.#parts
    const findings: Finding[] = []
    const reason = halted()
    if (reason !== null) findings.push(haltFinding(reason.code))
    const observing = this.#parts.observing()
    if (observing !== null) findings.push(observingFinding(observing))
    const offence = this.#offenceFinding()
    if (offence !== null) findings.push(offence)
    const disk = this.#diskFinding()
    if (disk !== null) findings.push(disk)
    const membership = this.#parts.membership()
    if (membership !== null) findings.push(membership)
    const shards = this.#parts.shards()
    if (shards !== null) findings.push(shards)
    const vault = this.#parts.vault()
    if (vault !== null) findings.push(vault)
    const emergency = this.#parts.emergencies()
    if (emergency !== null) findings.push(emergency)
    const signer = this.#parts.signer()
    if (signer !== null) findings.push(signer)
    const clock = this.#clockFinding()
    if (clock !== null) findings.push(clock)
    findings.push(...this.#parts.data())
    const stall = this.#stallFinding()
    if (stall !== null) findings.push(stall)
    findings.push(...(this.#modules.findings?.() ?? []))
    return this.#alarms.update(findings)
  }

  acknowledge(code: string, words: string): { again: boolean } | undefined {
    this.alarms()
    return this.#alarms.acknowledge(code, words)
  }

  close(): void {
    this.#cancelBeat()
    this.#waiting.close()
  }

  #beat(): void {
    this.#cancelBeat = this.#parts.clock.after(BEAT_MS, () => {
      this.#beatAt = this.#parts.clock.monotonic()
      this.#beat()
      this.alarms()
    })
  }

  #database(): Condition {
    try {
      this.#parts.chain.state()
      return { name: 'database', ok: true, detail: 'The database is open.' }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      const detail = catalogEntry(error.code)?.title ?? 'The database cannot be used'
      return { name: 'database', ok: false, detail: `${detail}.` }
    }
  }

  #height(): Condition {
    const { height } = this.#parts.execution.tip.meta
    const best = this.#parts.bestKnownHeight()
    const behind = best - height
    if (behind <= BLOCKS_BEHIND) {
      return { name: 'height', ok: true, detail: `Height ${height}; no peer is far ahead.` }
    }
    const detail = `Height ${height} is ${behind} blocks behind ${best}; the node is catching up.`
    return { name: 'height', ok: false, detail }
  }

  #finality(): Condition {
    const waitingMs = this.waitingMs()
    const waited = formatAge(waitingMs)
    const ok = waitingMs <= WAITING_MS
    if (waitingMs === 0) return { name: 'finality', ok, detail: 'No work waits.' }
    const detail = ok
      ? `The oldest work waits for ${waited}.`
      : `Work has been waiting for a final block for ${waited}.`
    return { name: 'finality', ok, detail }
  }

  #heartbeat(): Condition {
    const { execution, clock } = this.#parts
    const { heartbeatMs } = execution.parameters
    if (heartbeatMs === 0) {
      return { name: 'heartbeat', ok: true, detail: 'The chain has no heartbeat.' }
    }
    const ageMs = clock.wall() - execution.tip.meta.time
    const age = formatAge(ageMs)
    const ok = ageMs < HEARTBEATS_MISSED * heartbeatMs
    const detail = `The last block is ${age} old; the heartbeat is ${formatDuration(heartbeatMs)}.`
    return { name: 'heartbeat', ok, detail }
  }

  #peers(): Condition {
    const { members, network, driver } = this.#parts
    if (driver().config.me !== null) {
      const authorities = presenceOf(this.#parts)
      const live = liveCount(authorities)
      const quorum = quorumOf(authorities.length)
      const detail = `${live} of ${authorities.length} authorities take part; blocks need ${quorum}.`
      return { name: 'peers', ok: live >= quorum, detail }
    }
    const connected = network.peers().filter((peer) => peer.connected).length
    const others = members.list.filter(({ peerId }) => peerId !== network.peerId).length
    const detail = `${connected} of ${others} members are connected.`
    return { name: 'peers', ok: connected > 0 || others === 0, detail }
  }

  #guard(): Condition {
    const reason = this.#parts.halted()
    const observing = this.#parts.observing()
    if (reason === null && observing !== null) {
      return { name: 'guard', ok: false, detail: observingFinding(observing).detail }
    }
    if (reason === null) {
      return { name: 'guard', ok: true, detail: 'Nothing contradicts the votes of this node.' }
    }
    return { name: 'guard', ok: false, detail: haltFinding(reason.code).detail }
  }

  #disk(): Condition {
    const { freeBytes } = this.#modules.disk.current()
    if (freeBytes === null) {
      return { name: 'disk', ok: true, detail: 'The free space is not known.' }
    }
    const ok = freeBytes >= this.#parts.options.storage.minFreeBytes
    return { name: 'disk', ok, detail: `${formatSize(freeBytes)} are free for the data.` }
  }

  #running(): Condition {
    const isDraining = this.#parts.isDraining()
    const detail = isDraining ? 'The node is stopping.' : 'The node is running.'
    return { name: 'running', ok: !isDraining, detail }
  }

  /** For a day: what to do about it is for people, and takes them time. */
  #offenceFinding(): Finding | null {
    const recent = this.#parts.offences
      .list()
      .filter(({ seenAt }) => this.#parts.clock.wall() - seenAt < OFFENCE_MS)
    const [newest] = recent
    if (newest === undefined) return null
    const names = [...new Set(recent.map(({ authority }) => authority))].join(', ')
    const detail = `${describeOffence(newest)}. In one day ${recent.length} such votes were seen, of: ${names}.`
    return { code: 'equivocation', severity: 'page', detail }
  }

  #diskFinding(): Finding | null {
    const { freeBytes } = this.#modules.disk.current()
    const least = this.#parts.options.storage.minFreeBytes
    if (freeBytes === null || freeBytes >= least * FREE_WARNING) return null
    const detail = `${formatSize(freeBytes)} are free for the data; it needs ${formatSize(least)}.`
    return { code: 'disk_low', severity: freeBytes < least ? 'page' : 'ticket', detail }
  }

  #clockFinding(): Finding | null {
    const offsetMs = this.#parts.clocks.offsetMs()
    if (offsetMs === null || Math.abs(offsetMs) <= OFFSET_MS) return null
    const way = offsetMs > 0 ? 'ahead of' : 'behind'
    const detail = `The clock of this node is ${formatAge(Math.abs(offsetMs))} ${way} those of the others; 500 ms cost it its blocks.`
    return { code: 'clock_skew', severity: 'ticket', detail }
  }

  #stallFinding(): Finding | null {
    const waitingMs = this.waitingMs()
    if (waitingMs < WAITING_MS) return null
    const parts = { ...this.#parts, votes: this.#modules.votes }
    const diagnosis = diagnoseStall(parts, waitingMs)
    if (diagnosis === null) return null
    const detail = describeStall(diagnosis, parts, waitingMs)
    return { code: diagnosis.code, severity: 'page', detail }
  }
}

function observingFinding(observing: Observing): Finding {
  const detail = `This node does not vote yet: ${describeObserving(observing)}.`
  return { code: 'observing', severity: 'ticket', detail }
}

function haltFinding(code: string): Finding {
  const entry = catalogEntry(code)
  const what = entry === undefined ? code : `${entry.title}. ${entry.meaning}`
  return { code, severity: 'page', detail: `This node has stopped voting. ${what}` }
}
