// Reading records back: trace, any k shards, opening, checking.
//
//   session    the entry is in k access logs (access-session.ts)
//   release    k holders are asked for fragments, those first that witnessed first; others join where one
//              is slow, refuses, or gives what is not in the set (collect-shards.ts)
//   open       segment after segment; the last byte is given when the whole is what was committed to
//   anchor     that what was committed to is on the chain, looked up meanwhile (anchor-check.ts)
//
// A small record is one segment, and is whole before anything of it is given. A large one streams: a
// window of segments is fetched while the one before is being read. Who gave a bad shard is named to
// the caller and to the other holders, who see for themselves and repair.

import { Refusal } from '@mooring/api'
import {
  type AccessRequest,
  areDigestsOfShard,
  fragmentBytesOf,
  fragmentDigest,
  RecordOpener,
  type InvalidRecord,
} from '@mooring/records'
import { concatBytes, equalBytes, toHex } from '@mooring/codec'
import { type Anchored, settled } from './anchor-check.ts'
import {
  type AccessModules,
  type AccessReason,
  type AccessSession,
  type LocatedRecord,
  openSession,
} from './access-session.ts'
import { collectShards, type ShardPlace, type Wanted } from './collect-shards.ts'
import { NodeError } from './node-error.ts'
import { VaultPeerError } from './vault-peers.ts'

export interface BadHolder {
  readonly holder: string
  readonly code: string
}

export interface ReadHow extends AccessReason {
  readonly signal: AbortSignal
  /** Bytes given so far. */
  readonly onProgress?: (bytes: number) => void
}

export interface Reading {
  readonly entryCommit: Uint8Array
  /** Whether what was committed to is on the chain, as this node sees it. */
  readonly anchored: Anchored
  /** Grows until the body has ended. */
  readonly badHolders: readonly BadHolder[]
  /** Read it once; it throws at the end when the whole is not the record. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface ReadRecord {
  readonly record: LocatedRecord
  /** Undefined when it cannot be had; then `error` says why. */
  readonly raw: Uint8Array | undefined
  readonly error: Error | undefined
}

export interface ReaderModules extends AccessModules {
  /** Tells the other holders of a set of a bad shard. */
  readonly report: (record: LocatedRecord, place: ShardPlace, code: string) => void
  /** Tells our own log that records came of a request: enough good shards of so many sets. */
  readonly noteGot: (request: AccessRequest, sets: number) => void
  /** @throws NodeError anchor_missing */
  readonly anchorOf: (record: LocatedRecord) => Promise<Anchored>
}

const WINDOW_BYTES_MAX = 3 << 20
const WINDOW_SEGMENTS_MAX = 8
const RELEASE_TIMEOUT_MS = 30_000
const HEDGE_MIN_MS = 40
const HEDGE_MAX_MS = 1_500
/** A request that is about to end is not begun with. */
const SESSION_REST_MS = 30_000
/** Sets of one request. */
const SETS_MAX = 64

/** Fragments of one shard from a place on, and digests of all when they were asked for. */
interface Fragments {
  readonly from: number
  readonly fragments: readonly Uint8Array[]
  readonly digests: readonly Uint8Array[]
}

interface Run {
  readonly record: LocatedRecord
  readonly bad: BadHolder[]
  readonly badIndexes: Set<number>
  /** Digests of the fragments of shards, once they are known to be those of the set. */
  readonly digests: Map<number, readonly Uint8Array[]>
}

export class VaultReader {
  readonly #modules: ReaderModules

  constructor(modules: ReaderModules) {
    this.#modules = modules
  }

  /** Resolves when the first window is here and opened. @throws NodeError */
  async read(record: LocatedRecord, how: ReadHow): Promise<Reading> {
    // Beside the reading, which takes as long.
    const checked = settled(this.#modules.anchorOf(record))
    const session = await openSession(this.#modules, [record], how, how.signal)
    const run = runOf(record)
    const opener = openerOf(record)
    const windows = this.#windows(run, { session, how })
    const first = await windows.next()
    const rest = opened(opener, first, windows, run)
    // A record of one window is whole now; nothing of it is given when it does not end well.
    const isWhole = windowSegments(record) >= record.set.segmentCount
    const body = isWhole ? listed(await all(rest)) : rest
    return {
      entryCommit: session.entryCommit,
      anchored: (await checked)(),
      badHolders: run.bad,
      body: counted(body, how.onProgress),
    }
  }

  /** Records of one segment, of one patient, any number: they share requests. In their order. */
  async *readMany(records: readonly LocatedRecord[], how: ReadHow): AsyncGenerator<ReadRecord> {
    for (let at = 0; at < records.length; at += SETS_MAX) {
      const part = records.slice(at, at + SETS_MAX)
      const session = await openSession(this.#modules, part, how, how.signal)
      const runs = part.map(runOf)
      const collected = await this.#collect(runs, { session, how, from: 0, count: 1 })
      for (const [index, record] of part.entries()) {
        yield openedWhole(record, collected[index])
      }
    }
  }

  async *#windows(
    run: Run,
    { session: first, how }: { session: AccessSession; how: ReadHow },
  ): AsyncGenerator<Window> {
    const { record } = run
    const { segmentCount } = record.set
    let session = first
    const fetchFrom = async (from: number): Promise<Window> => {
      if (session.expiresAt - SESSION_REST_MS < this.#modules.clock.wall()) {
        session = await openSession(this.#modules, [record], how, how.signal)
      }
      // The digests of all fragments come with the first one.
      const count = from === 0 && segmentCount > 1 ? 1 : windowSegments(record)
      const [found] = await this.#collect([run], { session, how, from, count })
      return { from, good: found ?? new Map() }
    }
    let next: Promise<Window> | undefined = fetchFrom(0)
    while (next !== undefined) {
      const window: Window = await next
      const end = window.from + givenSegments(window)
      next = end < segmentCount ? fetchFrom(end) : undefined
      // Whoever stops reading leaves this one alone.
      next?.catch(() => undefined)
      yield window
    }
  }

  /** k good answers for each, or an error that says what is wrong with the first that has fewer. */
  async #collect(
    runs: readonly Run[],
    { session, how, from, count }: Range,
  ): Promise<ReadonlyMap<number, Fragments>[]> {
    const { clock } = this.#modules
    const wants = runs.map((run) => this.#wanted(run, session, { from, count }))
    const runOfWant = new Map(wants.map((wanted, at) => [wanted, runs[at]]))
    const collected = await collectShards(wants, {
      clock,
      hedgeMs: Math.min(HEDGE_MAX_MS, Math.max(HEDGE_MIN_MS, 4 * session.tookMs)),
      signal: how.signal,
      ask: (holder, items) =>
        this.#release(holder, session, {
          from,
          count,
          items: items.flatMap(({ wanted, index }) => {
            const run = runOfWant.get(wanted)
            return run === undefined ? [] : [{ run, index }]
          }),
        }),
      onBad: ({ wanted, place, code }) => {
        const run = runOfWant.get(wanted)
        if (run === undefined || run.badIndexes.has(place.index)) return
        run.badIndexes.add(place.index)
        run.bad.push({ holder: place.holder, code })
        this.#modules.report(run.record, place, code)
      },
    })
    const isMany = runs.length > 1
    for (const { good, wanted, failures } of collected) {
      if (good.size < wanted.k && !isMany) throw unavailable(wanted, good.size, failures)
    }
    const got = collected.filter(({ good, wanted }) => good.size >= wanted.k).length
    if (got > 0) this.#modules.noteGot(session.signed.request, got)
    return collected.map(({ good }) => good)
  }

  #wanted(
    run: Run,
    { witnesses }: AccessSession,
    { from, count }: { from: number; count: number },
  ): Wanted<Fragments> {
    const { set, holders } = run.record
    const { self, peers } = this.#modules
    const order = [self, ...witnesses.map(({ holder }) => holder)]
    const rank = ({ holder }: ShardPlace): number => {
      const at = order.indexOf(holder)
      return at < 0 ? order.length : at
    }
    const places = holders
      .map((holder, index) => ({ holder, index }))
      .filter(({ holder, index }) => {
        const isThere = holder === self || peers.isConnected(holder)
        return isThere && !run.badIndexes.has(index)
      })
      .toSorted((a, b) => rank(a) - rank(b))
    const last = Math.min(set.segmentCount, from + count) - 1
    const digestBytes = from === 0 && set.segmentCount > 1 ? 32 * set.segmentCount : 0
    return {
      k: set.k,
      places,
      bytes: (last - from) * fragmentBytesOf(set, from) + fragmentBytesOf(set, last) + digestBytes,
      check: (index, answer) => isGood(run, index, answer),
    }
  }

  async #release(
    holder: string,
    { signed, witnesses }: AccessSession,
    { from, count, items }: Release,
  ): Promise<(Fragments | null)[]> {
    const asked = items.map(({ run: { record, digests }, index }) => {
      const isNeeded = record.set.segmentCount > 1 && !digests.has(index)
      return { setId: record.setId, from, count, digests: isNeeded ? 1 : 0 }
    })
    const request = {
      kind: 'release' as const,
      body: { signed, witnesses: [...witnesses], items: asked },
    }
    const answer = await this.#modules.peers.request(holder, request, {
      timeoutMs: RELEASE_TIMEOUT_MS,
    })
    return items.map(({ run, index }) => {
      const given = answer.body.items.find(
        (item) => item.index === index && equalBytes(item.setId, run.record.setId),
      )
      return given === undefined || given.fragments.length === 0 ? null : given
    })
  }
}

interface Range {
  readonly session: AccessSession
  readonly how: ReadHow
  readonly from: number
  readonly count: number
}

interface Release {
  readonly from: number
  readonly count: number
  readonly items: readonly { readonly run: Run; readonly index: number }[]
}

interface Window {
  readonly from: number
  readonly good: ReadonlyMap<number, Fragments>
}

function runOf(record: LocatedRecord): Run {
  return { record, bad: [], badIndexes: new Set(), digests: new Map() }
}

function isGood(run: Run, index: number, { from, fragments, digests }: Fragments): boolean {
  const { set } = run.record
  const own = fragments.map((fragment) => fragmentDigest(fragment))
  if (set.segmentCount === 1) return from === 0 && areDigestsOfShard(set, index, own)
  const known = run.digests.get(index) ?? digests
  if (!run.digests.has(index)) {
    if (!areDigestsOfShard(set, index, known)) return false
    run.digests.set(index, known)
  }
  return own.every((digest, at) => {
    const expected = known[from + at]
    return expected !== undefined && equalBytes(digest, expected)
  })
}

function windowSegments({ set }: LocatedRecord): number {
  const fitting = Math.floor(WINDOW_BYTES_MAX / fragmentBytesOf(set, 0))
  return Math.max(1, Math.min(WINDOW_SEGMENTS_MAX, fitting))
}

/** A holder may give fewer than asked. */
function givenSegments({ good }: Window): number {
  return Math.min(...[...good.values()].map(({ fragments }) => fragments.length))
}

function segmentOf(
  { set }: LocatedRecord,
  good: ReadonlyMap<number, Fragments> | undefined,
  at: number,
): (Uint8Array | null)[] {
  return Array.from({ length: set.n }, (_, index) => good?.get(index)?.fragments[at] ?? null)
}

function openedWhole(
  record: LocatedRecord,
  good: ReadonlyMap<number, Fragments> | undefined,
): ReadRecord {
  try {
    const opener = openerOf(record)
    const first = unwrap(opener.segment(segmentOf(record, good, 0)), record)
    const raw = concatBytes(first, unwrap(opener.end(), record))
    return { record, raw, error: undefined }
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    return { record, raw: undefined, error }
  }
}

async function* opened(
  opener: RecordOpener,
  first: IteratorResult<Window>,
  windows: AsyncIterator<Window>,
  { record }: Run,
): AsyncGenerator<Uint8Array> {
  for (let next = first; next.done !== true; next = await windows.next()) {
    for (let at = 0; at < givenSegments(next.value); at += 1) {
      const part = unwrap(opener.segment(segmentOf(record, next.value.good, at)), record)
      if (part.length > 0) yield part
    }
  }
  const last = unwrap(opener.end(), record)
  if (last.length > 0) yield last
}

function openerOf(record: LocatedRecord): RecordOpener {
  const opener = RecordOpener.create(record.set, record.manifest)
  if (opener instanceof RecordOpener) return opener
  throw wrong(opener, record)
}

function unwrap(part: Uint8Array | InvalidRecord, record: LocatedRecord): Uint8Array {
  if (part instanceof Uint8Array) return part
  throw wrong(part, record)
}

function wrong({ code }: InvalidRecord, { manifest }: LocatedRecord): NodeError {
  if (code === 'too_few_shards') return new NodeError('record_unavailable', { have: 0, need: 0 })
  return new NodeError('record_damaged', { record: toHex(manifest.recordCommit), reason: code })
}

function unavailable(
  { k }: Wanted<Fragments>,
  have: number,
  failures: readonly { readonly holder: string; readonly error: unknown }[],
): Error {
  for (const { holder, error } of failures) {
    if (error instanceof VaultPeerError && error.refusal !== null) {
      return new Refusal(error.refusal, `${holder} refuses: ${error.refusal}.`)
    }
  }
  return new NodeError('record_unavailable', { have, need: k }, { cause: failures[0]?.error })
}

async function all(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = []
  for await (const part of parts) found.push(part)
  return found
}

// oxlint-disable-next-line require-await -- an array as an asynchronous iterable
async function* listed(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  onProgress: ReadHow['onProgress'],
): AsyncGenerator<Uint8Array> {
  let given = 0
  for await (const part of body) {
    given += part.length
    onProgress?.(given)
    yield part
  }
}
