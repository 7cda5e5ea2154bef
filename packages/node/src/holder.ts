// The holder on this node: it keeps shards for custodians and answers what other members ask about them.
//
// One request, one answer. Who asks is a member, and known by the key of its connection; nothing that a
// request says about its sender counts. Deposits are taken on the terms of holder-terms.ts, shards are given
// as holder-access.ts says. What belongs to the custodian or to repair is answered by others on this
// node, who are asked through `handlers`.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex } from '@mooring/codec'
import {
  auditAnswer,
  auditNonce,
  auditWindow,
  type EmergencyAnswer,
  type EmergencyMessage,
  type ShardName,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { type ShardHead, type ShardList, StorageError } from '@mooring/storage'
import { ReportAllowance } from './report-allowance.ts'
import type { Clock } from './clock.ts'
import type { HeldAccesses } from './held-accesses.ts'
import type { HolderAccess } from './holder-access.ts'
import type { HolderBatches } from './holder-batches.ts'
import type { HolderDeposits } from './holder-deposits.ts'
import type { HolderErasure } from './holder-erasure.ts'
import { checkMove, type Move, type MoveRefusal } from './holder-terms.ts'
import type { KeptShards } from './kept-shards.ts'
import type { Logger } from './logger.ts'

type Body<K extends VaultRequest['kind']> = Extract<VaultRequest, { kind: K }>['body']
type AnswerBody<K extends VaultAnswer['kind']> = Extract<VaultAnswer, { kind: K }>['body']

/** @throws an error with a code, which is then the refusal */
export interface KeeperHandlers {
  catalogue(sender: string, body: Body<'catalogue'>): Promise<AnswerBody<'catalogue'>>
  fields(sender: string, body: Body<'fields'>): Promise<AnswerBody<'fields'>>
  repair(sender: string, body: Body<'repair'>): Promise<AnswerBody<'repair'>>
  restore(sender: string, body: Body<'restore'>): Promise<AnswerBody<'restore'>>
  /** Shards have another holder now, says the sender: for the custodian's index, which judges it. */
  moved(sender: string, body: Body<'moved'>): Promise<void>
  /** A set was erased: what this organisation has read of it is to go too. */
  erased(setId: Uint8Array): Promise<void>
  /** Somebody was served something else than a shard by another holder. */
  reported(sender: string, body: Body<'report'>): Promise<void>
}

export interface VaultHandlers extends KeeperHandlers {
  /** About emergency sets. @throws Refusal */
  emergency(sender: string, message: EmergencyMessage): Promise<EmergencyAnswer>
}

export type HolderOutcome = 'answered' | 'refused' | 'failed'

export interface HolderModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly shards: KeptShards
  readonly deposits: HolderDeposits
  readonly batches: HolderBatches
  readonly access: HolderAccess
  readonly erasure: HolderErasure
  readonly accesses: HeldAccesses
  /** Null until the node is put together. */
  readonly handlers: () => VaultHandlers | null
  readonly self: string
  readonly groupOf: (organisation: string) => string | undefined
  readonly isConnected: (organisation: string) => boolean
  readonly observe: (kind: VaultRequest['kind'], outcome: HolderOutcome, seconds: number) => void
}

const LIST_BYTES_MAX = 4 * 1024 * 1024
const LIST_OVERHEAD_BYTES = 256
const BUSY_MS = 1_000
const LAST_INDEX = 255
/** Shards between two turns of the event loop. */
const LOOKS_A_TURN = 128
const CODE = /^[a-z0-9_]{1,64}$/

export class Holder {
  readonly #modules: HolderModules
  readonly #reports: ReportAllowance

  constructor(modules: HolderModules) {
    this.#modules = modules
    this.#reports = new ReportAllowance(modules.clock)
  }

  /** What goes wrong here is a refusal with a code; the log says more. */
  async answer(sender: string, request: VaultRequest): Promise<VaultAnswer> {
    const { clock, observe, logger } = this.#modules
    const begun = clock.monotonic()
    const note = (outcome: HolderOutcome): void =>
      observe(request.kind, outcome, (clock.monotonic() - begun) / 1_000)
    try {
      const answer = await this.#answer(sender, request)
      note(answer.kind === 'refusal' ? 'refused' : 'answered')
      return answer
    } catch (error) {
      const code = refusalOf(error)
      note(code === FAILED ? 'failed' : 'refused')
      const level = code === FAILED ? 'error' : 'debug'
      logger.log(level, 'a request of another member was not answered', {
        kind: request.kind,
        sender,
        code,
        error,
      })
      return refusal(code)
    }
  }

  async #answer(sender: string, request: VaultRequest): Promise<VaultAnswer> {
    const { deposits } = this.#modules
    switch (request.kind) {
      case 'deposit':
        return { kind: 'receipt', body: await deposits.deposit(sender, request.body.items) }
      case 'deposit-begin':
        return partOf(await deposits.begin(sender, request.body))
      case 'deposit-part':
        return partOf(await deposits.part(sender, request.body))
      case 'deposit-commit': {
        const receipt = await deposits.commit(sender, request.body.shard)
        return typeof receipt === 'string' ? refusal(receipt) : { kind: 'receipt', body: receipt }
      }
      case 'deposit-keys': {
        const code = await deposits.keys(sender, request.body.items)
        return code === undefined ? DONE : refusal(code)
      }
      case 'deposit-with-keys': {
        const receipt = await deposits.depositWithKeys(sender, request.body)
        return typeof receipt === 'string' ? refusal(receipt) : { kind: 'receipt', body: receipt }
      }
      case 'deposit-batches':
      case 'list-batches':
      case 'leaves':
        return await this.#answerBatches(sender, request)
      case 'have':
        return { kind: 'have', body: { bitmap: await this.#have(request.body.shards) } }
      case 'audit':
        return { kind: 'audit', body: { answers: await this.#audit(sender, request.body) } }
      case 'list':
        return { kind: 'list', body: await this.#list(request.body) }
      case 'list-keys':
        return { kind: 'list-keys', body: await this.#listKeys(request.body) }
      case 'accesses':
        return {
          kind: 'accesses',
          body: await this.#modules.accesses.about(sender, request.body),
        }
      case 'witness':
      case 'release':
      case 'catalogue':
      case 'fields':
        return await this.#answerAccess(sender, request)
      case 'erase':
      case 'restrict':
        return await this.#answerErasure(sender, request)
      case 'emergency':
        return {
          kind: 'emergency',
          body: await this.#handlers().emergency(sender, request.body),
        }
      case 'repair':
      case 'restore':
      case 'moved':
      case 'report':
        return await this.#answerRepair(sender, request)
    }
  }

  async #answerErasure(
    sender: string,
    request: Extract<VaultRequest, { kind: 'erase' | 'restrict' }>,
  ): Promise<VaultAnswer> {
    const { erasure } = this.#modules
    if (request.kind === 'restrict') {
      const code = await erasure.restrict(sender, request.body)
      return code === undefined ? DONE : refusal(code)
    }
    const receipt = await erasure.erase(sender, request.body)
    return typeof receipt === 'string' ? refusal(receipt) : { kind: 'erased', body: receipt }
  }

  async #answerBatches(
    sender: string,
    request: Extract<VaultRequest, { kind: 'deposit-batches' | 'list-batches' | 'leaves' }>,
  ): Promise<VaultAnswer> {
    const { batches } = this.#modules
    switch (request.kind) {
      case 'deposit-batches': {
        const code = await batches.deposit(sender, request.body.items)
        return code === undefined ? DONE : refusal(code)
      }
      case 'list-batches':
        return { kind: 'list-batches', body: await batches.list(request.body) }
      case 'leaves':
        return { kind: 'leaves', body: await batches.find(request.body) }
    }
  }

  async #answerAccess(
    sender: string,
    request: Extract<VaultRequest, { kind: 'witness' | 'release' | 'catalogue' | 'fields' }>,
  ): Promise<VaultAnswer> {
    const { access } = this.#modules
    switch (request.kind) {
      case 'witness': {
        const given = await access.witness(sender, request.body)
        return 'refusal' in given ? refusal(given.refusal) : { kind: 'witness', body: given }
      }
      case 'release': {
        const given = await access.release(sender, request.body)
        return 'refusal' in given ? refusal(given.refusal) : { kind: 'release', body: given }
      }
      case 'catalogue':
        return { kind: 'catalogue', body: await this.#handlers().catalogue(sender, request.body) }
      case 'fields':
        return { kind: 'fields', body: await this.#handlers().fields(sender, request.body) }
    }
  }

  async #answerRepair(
    sender: string,
    request: Extract<VaultRequest, { kind: 'repair' | 'restore' | 'moved' | 'report' }>,
  ): Promise<VaultAnswer> {
    switch (request.kind) {
      case 'repair':
        return { kind: 'repair', body: await this.#handlers().repair(sender, request.body) }
      case 'restore':
        return { kind: 'restore', body: await this.#handlers().restore(sender, request.body) }
      case 'moved':
        return await this.#moved(sender, request.body)
      case 'report':
        return await this.#report(sender, request.body)
    }
  }

  async #have(shards: readonly ShardName[]): Promise<Uint8Array> {
    const bitmap = new Uint8Array(Math.ceil(shards.length / 8))
    for (const [at, shard] of shards.entries()) {
      if (at > 0 && at % LOOKS_A_TURN === 0) await nextTurn()
      if (await this.#modules.shards.has(shard)) {
        bitmap[at >> 3] = (bitmap[at >> 3] ?? 0) | (1 << (at & 7))
      }
    }
    return bitmap
  }

  /** Null for what is not here, or does not read back. */
  async #audit(sender: string, { nonce, shards }: Body<'audit'>): Promise<(Uint8Array | null)[]> {
    const answers: (Uint8Array | null)[] = []
    for (const name of shards) {
      answers.push(await this.#auditOne(sender, nonce, name))
    }
    return answers
  }

  async #auditOne(auditor: string, nonce: Uint8Array, name: ShardName): Promise<Uint8Array | null> {
    const kept = this.#modules.shards.find(name)
    if (kept === undefined) return null
    const question = { setId: name.setId, auditor, nonce: auditNonce(kept.set, nonce) }
    const { offset, length } = auditWindow(kept.set, question)
    const window = await this.#modules.shards.bytes(name, offset, length)
    return window === undefined ? null : auditAnswer(window, question)
  }

  async #list({ custodian, after, limit }: Body<'list'>): Promise<AnswerBody<'list'>> {
    const wanted = Math.max(1, limit)
    const { heads, isEnd } = await this.#heads(custodian, after, wanted)
    const items: AnswerBody<'list'>['items'] = []
    let bytes = 0
    for (const { set, manifest, holders, index } of heads) {
      bytes += set.length + manifest.length + LIST_OVERHEAD_BYTES
      if (bytes > LIST_BYTES_MAX) break
      items.push({ set, manifest, holders: [...holders], index })
    }
    const isWhole = isEnd && items.length === heads.length
    return { items, next: isWhole ? null : (heads[items.length - 1]?.setId ?? null) }
  }

  /** A page that the disk has damaged from its first head to its last is passed over. */
  async #heads(
    custodian: string,
    after: Uint8Array | null,
    wanted: number,
  ): Promise<{ heads: ShardHead[]; isEnd: boolean }> {
    const { store } = this.#modules.shards
    let from: ShardName | null = after === null ? null : { setId: after, index: LAST_INDEX }
    for (;;) {
      const { heads, next }: ShardList = await store.list(custodian, from, wanted)
      if (heads.length > 0 || next === null) return { heads, isEnd: next === null }
      from = next
    }
  }

  async #listKeys({
    custodian,
    after,
    limit,
  }: Body<'list-keys'>): Promise<AnswerBody<'list-keys'>> {
    const found = await this.#modules.shards.store.listKeys(custodian, after, Math.max(1, limit))
    const items: Uint8Array[] = []
    let bytes = 0
    for (const { deposit } of found) {
      bytes += deposit.length
      if (bytes > LIST_BYTES_MAX) break
      items.push(deposit)
    }
    const isWhole = items.length === found.length && found.length < limit
    return { items, next: isWhole ? null : (found[items.length - 1]?.id ?? null) }
  }

  /** Those that may move do; the answer names the first reason why one may not. */
  async #moved(sender: string, { holder, shards }: Body<'moved'>): Promise<VaultAnswer> {
    const { store } = this.#modules.shards
    const changed = new Map<string, ShardHead>()
    let refused: MoveRefusal | undefined
    for (const { setId, index } of shards) {
      for (const kept of await this.#modules.shards.of(setId)) {
        const name = `${toHex(setId)} ${kept.head.index}`
        const head = changed.get(name) ?? kept.head
        const code = this.#checkMove(head, { sender, holder, index })
        refused ??= code
        if (code === undefined) {
          changed.set(name, { ...head, holders: head.holders.with(index, holder) })
        }
      }
    }
    await Promise.all([...changed.values()].map((head) => store.setHolders(head, head.holders)))
    if (refused !== undefined) return refusal(refused)
    await this.#modules.handlers()?.moved(sender, { holder, shards })
    return DONE
  }

  #checkMove(
    { custodian, holders }: ShardHead,
    move: Pick<Move, 'sender' | 'holder' | 'index'>,
  ): MoveRefusal | undefined {
    const { self, groupOf, isConnected } = this.#modules
    const isThere = (organisation: string) => organisation === self || isConnected(organisation)
    return checkMove({ ...move, custodian, holders, groupOf, isConnected: isThere })
  }

  async #report(sender: string, body: Body<'report'>): Promise<VaultAnswer> {
    const { self, shards, logger } = this.#modules
    if (body.holder !== self) {
      const { holder, code } = body
      if (!this.#reports.take(sender, body.shard.setId)) return DONE
      if (CODE.test(code)) logger.warn('a member reports a holder', { sender, holder, code })
      await this.#handlers().reported(sender, body)
      return DONE
    }
    const kept = shards.find(body.shard)
    if (kept !== undefined && this.#reports.take(sender, kept.head.setId)) await shards.verify(kept)
    return DONE
  }

  #handlers(): VaultHandlers {
    const handlers = this.#modules.handlers()
    if (handlers === null) throw Object.assign(new Error('not put together yet'), NOT_READY)
    return handlers
  }
}

const FAILED = 'holder_failed'
const NOT_READY = { code: 'not_ready' }
const DONE: VaultAnswer = { kind: 'done', body: {} }

function refusal(code: string): VaultAnswer {
  return { kind: 'refusal', body: { code, retryAfterMs: code === 'busy' ? BUSY_MS : 0 } }
}

function partOf(received: number | string): VaultAnswer {
  if (typeof received === 'string') return refusal(received)
  return { kind: 'part', body: { received } }
}

/** The code that the other side is told. What a disk or a bug says stays here. */
function refusalOf(error: unknown): string {
  if (error instanceof StorageError) return error.code === 'full' ? 'holder_full' : FAILED
  if (!(error instanceof Error) || !('code' in error)) return FAILED
  return typeof error.code === 'string' && CODE.test(error.code) ? error.code : FAILED
}
