// What the operator of this node has decided about single peers, beside the membership: who else may
// connect, who may not, and where somebody is to be dialled. It counts at once, without a restart, and is
// kept in one small file of the home, so that it outlives the databases.
//
// A ban holds against members too: it cuts the connection, and this node hears and counts nothing of them
// any more. That is for a member whose machine is somebody else's now, or for a rehearsal; it ends by itself
// when it was given an end.

import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { Refusal } from '@mooring/api/errors'
import { parsePeerId } from '@mooring/crypto'
import type { LocalList } from '@mooring/network'
import type { Clock } from './clock.ts'
import { writeLocalFile } from './local-file.ts'
import { NodeError } from './node-error.ts'

export interface BookedPeer {
  readonly peerId: string
  /** When there are any, it is dialled there and nowhere else. */
  readonly addresses: readonly string[]
  readonly note: string
  /** RFC 3339, UTC. */
  readonly addedAt: string
}

export interface Ban {
  /** A peer id, or the address of a computer. */
  readonly target: string
  readonly reason: string
  readonly bannedAt: string
  /** Null: until it is lifted. */
  readonly until: string | null
}

interface Kept {
  peers: readonly BookedPeer[]
  bans: readonly Ban[]
}

export interface PeerBookOptions {
  home: string
  ownPeerId: string
  allow: 'members' | 'members+list' | 'list'
  /** Of the configuration. */
  allowList: readonly string[]
}

export interface PeerBookModules {
  clock: Pick<Clock, 'wall' | 'after'>
  isMember: (peerId: string) => boolean
}

const ENTRIES_MAX = 1_000
const ADDRESSES_MAX = 8
const TEXT_MAX = 200
const ADDRESS =
  /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]{1,253}\/tcp\/\d{1,5}(\/p2p\/[A-Za-z0-9]{40,64})?$/
const FOR_EVER = 'it is lifted'
// A timer of more than 24 days runs at once; a longer ban is looked at again in between.
const LOOK_AGAIN_MS = 24 * 3_600_000

export class PeerBook {
  readonly #options: PeerBookOptions
  readonly #modules: PeerBookModules
  readonly #path: string
  #allowList: readonly string[]
  #kept: Kept
  #changed: () => void = () => undefined
  #cancel: () => void = () => undefined
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: PeerBookOptions, modules: PeerBookModules, kept: Kept) {
    this.#options = options
    this.#modules = modules
    this.#path = peersFile(options.home)
    this.#allowList = options.allowList
    this.#kept = kept
    this.#plan()
  }

  /** @throws NodeError peers_unreadable */
  static async open(options: PeerBookOptions, modules: PeerBookModules): Promise<PeerBook> {
    return new PeerBook(options, modules, await readKept(peersFile(options.home)))
  }

  /** Whom to tell when something has changed, a ban that has run out included. */
  onChange(changed: () => void): void {
    this.#changed = changed
  }

  /** The configuration was read again. */
  configure(allowList: readonly string[]): void {
    this.#allowList = allowList
    this.#apply()
  }

  close(): void {
    this.#cancel()
  }

  get peers(): readonly BookedPeer[] {
    return this.#kept.peers
  }

  /** Those in force. */
  get bans(): readonly Ban[] {
    const now = this.#modules.clock.wall()
    return this.#kept.bans.filter(({ until }) => until === null || Date.parse(until) > now)
  }

  banOf(target: string): Ban | undefined {
    return this.bans.find((ban) => ban.target === target)
  }

  list(): LocalList {
    const { allow } = this.#options
    const targets = this.bans.map(({ target }) => target)
    return {
      allowed:
        allow === 'members'
          ? []
          : [...this.#allowList, ...this.#kept.peers.map(({ peerId }) => peerId)],
      banned: targets.filter((target) => isIP(target) === 0),
      bannedHosts: targets.filter((target) => isIP(target) !== 0),
    }
  }

  /** Null: where it is, others say. */
  addressesOf(peerId: string): readonly string[] | null {
    const addresses = this.#kept.peers.find((peer) => peer.peerId === peerId)?.addresses ?? []
    return addresses.length === 0 ? null : addresses
  }

  /** @throws Refusal */
  async add(peer: { peerId: string; addresses: readonly string[]; note: string }): Promise<void> {
    const { peerId, addresses, note } = peer
    this.#checkPeer(peerId)
    checkAddresses(peerId, addresses)
    checkText('note', note)
    if (this.#options.allow === 'members' && !this.#modules.isMember(peerId)) {
      throw new Refusal('peer_list_off', `${peerId} is no member, and only members are admitted.`)
    }
    const added = { peerId, addresses: [...addresses], note, addedAt: this.#now() }
    await this.#keep(({ peers, bans }) => {
      return { peers: [...peers.filter((each) => each.peerId !== peerId), added], bans }
    })
  }

  /** @throws Refusal */
  async remove(peerId: string): Promise<void> {
    await this.#keep(({ peers, bans }) => {
      const others = peers.filter((each) => each.peerId !== peerId)
      if (others.length < peers.length) return { peers: others, bans }
      throw new Refusal('peer_unknown', `${peerId} is not on the local list.`)
    })
  }

  /** @throws Refusal */
  async ban(targets: readonly string[], reason: string, forMs: number | null): Promise<void> {
    for (const target of targets) if (isIP(target) === 0) this.#checkPeer(target)
    checkText('reason', reason)
    const until = forMs === null ? null : new Date(this.#modules.clock.wall() + forMs).toISOString()
    const added = [...new Set(targets)].map((target): Ban => {
      return { target, reason, bannedAt: this.#now(), until }
    })
    await this.#keep(({ peers }) => {
      const others = this.bans.filter(({ target }) => !targets.includes(target))
      return { peers, bans: [...others, ...added] }
    })
  }

  /** @throws Refusal */
  async unban(targets: readonly string[]): Promise<void> {
    await this.#keep(({ peers }) => {
      const unknown = targets.find((target) => this.banOf(target) === undefined)
      if (unknown !== undefined) throw new Refusal('ban_unknown', `${unknown} is not banned here.`)
      return { peers, bans: this.bans.filter(({ target }) => !targets.includes(target)) }
    })
  }

  /** @throws Refusal */
  #checkPeer(peerId: string): void {
    if (parsePeerId(peerId) === undefined) {
      throw new Refusal('peer_invalid', `"${peerId.slice(0, 80)}" is no peer id.`)
    }
    if (peerId === this.#options.ownPeerId) {
      throw new Refusal('peer_is_self', `${peerId} is this node itself.`)
    }
  }

  /** On disk before it counts: a ban that is forgotten with the next start would be none. */
  #keep(update: (kept: Kept) => Kept): Promise<void> {
    const kept = this.#turn.then(async () => {
      const next = update(this.#kept)
      if (next.peers.length > ENTRIES_MAX || next.bans.length > ENTRIES_MAX) {
        throw new Refusal('peer_list_full', `It holds ${ENTRIES_MAX} entries at most.`)
      }
      await writeLocalFile(this.#path, { version: 1, ...next })
      this.#kept = next
      this.#apply()
    })
    this.#turn = kept.catch(() => undefined)
    return kept
  }

  #apply(): void {
    this.#plan()
    this.#changed()
  }

  #plan(): void {
    this.#cancel()
    const ends = this.bans.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)]))
    if (ends.length === 0) return
    const { clock } = this.#modules
    const waitMs = Math.min(Math.max(0, Math.min(...ends) - clock.wall()), LOOK_AGAIN_MS)
    this.#cancel = clock.after(waitMs + 1, () => this.#apply())
  }

  #now(): string {
    return new Date(this.#modules.clock.wall()).toISOString()
  }
}

/** In the home of a node that does not run: what was decided there under this note, or for this reason. */
export async function forgetDecided(home: string, text: string): Promise<void> {
  const path = peersFile(home)
  const { peers, bans } = await readKept(path)
  const next = {
    peers: peers.filter(({ note }) => note !== text),
    bans: bans.filter(({ reason }) => reason !== text),
  }
  if (next.peers.length < peers.length || next.bans.length < bans.length)
    await writeLocalFile(path, { version: 1, ...next })
}

export function peersFile(home: string): string {
  return join(home, 'peers.json')
}

export function describeEnd({ until }: Pick<Ban, 'until'>): string {
  return until ?? FOR_EVER
}

/** @throws Refusal */
export function checkAddresses(peerId: string, addresses: readonly string[]): void {
  if (addresses.length > ADDRESSES_MAX) {
    throw new Refusal('peer_invalid', `${ADDRESSES_MAX} addresses are the most of one peer.`)
  }
  for (const address of addresses) {
    const named = /\/p2p\/(.+)$/.exec(address)?.[1]
    if (!ADDRESS.test(address) || (named !== undefined && named !== peerId)) {
      throw new Refusal('peer_invalid', `"${address.slice(0, 80)}" is no address of ${peerId}.`)
    }
  }
}

function checkText(name: string, text: string): void {
  if (text.length > TEXT_MAX || /\p{Cc}/u.test(text)) {
    throw new Refusal('peer_invalid', `The ${name} has at most ${TEXT_MAX} printable characters.`)
  }
}

async function readKept(path: string): Promise<Kept> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { peers: [], bans: [] }
    throw new NodeError('peers_unreadable', { path, detail: String(error) }, { cause: error })
  }
  const kept = parseKept(text)
  if (kept !== null) return kept
  throw new NodeError('peers_unreadable', { path, detail: 'it is not what was written' })
}

function parseKept(text: string): Kept | null {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof document !== 'object' || document === null) return null
  if (!('version' in document) || document.version !== 1) return null
  if (!('peers' in document) || !('bans' in document)) return null
  const { peers, bans } = document
  if (!Array.isArray(peers) || !Array.isArray(bans)) return null
  return peers.every(isBookedPeer) && bans.every(isBan) ? { peers, bans } : null
}

function isBookedPeer(value: unknown): value is BookedPeer {
  if (
    typeof value !== 'object' ||
    value === null ||
    !hasTexts(value, ['peerId', 'note', 'addedAt'])
  )
    return false
  return (
    'addresses' in value &&
    Array.isArray(value.addresses) &&
    value.addresses.every((address) => typeof address === 'string')
  )
}

function isBan(value: unknown): value is Ban {
  if (typeof value !== 'object' || value === null) return false
  if (!hasTexts(value, ['target', 'reason', 'bannedAt']) || !('until' in value)) return false
  const { until } = value
  return until === null || (typeof until === 'string' && !Number.isNaN(Date.parse(until)))
}

function hasTexts(value: object, names: readonly string[]): boolean {
  return names.every((name) => typeof Reflect.get(value, name) === 'string')
}
