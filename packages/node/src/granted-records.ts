// What a grant opens, and where: from the custodian while it answers, from the holders when it does not.
//
// Either way the reader learns class keys and sealed manifests, and keeps them (manifest-library.ts). A list
// begins with a question, which leaves an entry; a single record that is known already needs none but
// that of its reading.

import { Refusal } from '@mooring/api'
import { equalBytes, toHex } from '@mooring/codec'
import {
  accessRequestDigest,
  checkUse,
  decideConsent,
  type Grant,
  openRecordKeys,
  type RecordKey,
  shardSetId,
  type SignedAccessRequest,
  type VaultAnswer,
  type VaultRequest,
  verifyGrant,
} from '@mooring/records'
import {
  type AccessModules,
  type LocatedRecord,
  type ReadingPerson,
  signQuery,
  untilBlockKnown,
} from './access-session.ts'
import { discoverHeads, discoverKeys, newHeads } from './discovery.ts'
import { PageBudget } from './holder-pages.ts'
import type { Logger } from './logger.ts'
import type { ManifestLibrary, Scope } from './manifest-library.ts'
import { decisionTime, grantStandings, isStale, type StandingFacts } from './grant-standings.ts'
import { orSilence, VaultPeerError } from './vault-peers.ts'

export interface GrantedModules extends AccessModules {
  readonly manifests: ManifestLibrary
  readonly logger: Logger
  /** X25519, of this organisation, those it had as well. */
  readonly sealSecrets: readonly Uint8Array[]
  readonly organisations: () => readonly { readonly id: string }[]
  readonly facts: StandingFacts
}

export interface GrantUse {
  readonly grant: Grant
  readonly purpose: string
  readonly person: ReadingPerson
  readonly signal: AbortSignal
}

export interface GrantedPage {
  readonly items: readonly LocatedRecord[]
  /** Commitment of the entry that the question left; null: this page needed none. */
  readonly entry: Uint8Array | null
  /** Hex name of a set, to go on behind; null at the end. */
  readonly next: string | null
}

type Question = Extract<VaultRequest, { kind: 'catalogue' }>['body']
type Catalogue = Extract<VaultAnswer, { kind: 'catalogue' }>['body']

const TIMEOUT_MS = 20_000
const PAGE = 500
/** The holders are not gone through again for every id that is not there. */
const DISCOVER_AGAIN_MS = 30_000
/** Refusals that say nothing of the record itself. */
const FOR_HOLDERS: readonly string[] = [
  'grant_expired',
  'grant_not_valid_yet',
  'not_the_recipient',
  'practitioner_missing',
  'purpose_not_covered',
]
/** What a custodian says when it cannot answer now; the holders can. */
const PASSING: readonly string[] = ['not_ready', 'holder_failed', 'busy', 'quota_exceeded']

export class GrantedRecords {
  readonly #modules: GrantedModules
  readonly #discoveredAt = new Map<string, number>()

  constructor(modules: GrantedModules) {
    this.#modules = modules
  }

  /** By commitment or by set, in hex; undefined when the grant opens no such record. */
  async find(use: GrantUse, id: string): Promise<LocatedRecord | undefined> {
    checkSignature(use.grant)
    const scope = scopeOf(use.grant)
    const known = await this.#modules.manifests.find(scope, id)
    if (known !== undefined) return this.#isOpened(use, known) ? known : undefined
    await this.#refresh(use)
    const found = await this.#modules.manifests.find(scope, id)
    return found !== undefined && this.#isOpened(use, found) ? found : undefined
  }

  /** Newest first. */
  async list(
    use: GrantUse,
    { after, limit, only }: { after: string | null; limit: number; only: readonly string[] | null },
  ): Promise<GrantedPage> {
    checkSignature(use.grant)
    const entry = after === null ? await this.#refresh(use) : null
    const all = (await this.#modules.manifests.list(scopeOf(use.grant))).filter((record) =>
      this.#isOpened(use, record),
    )
    const names = only === null ? null : new Set(only)
    const wanted =
      names === null
        ? all
        : all.filter(
            ({ setId, manifest }) =>
              names.has(toHex(manifest.recordCommit)) || names.has(toHex(setId)),
          )
    const start = after === null ? 0 : 1 + wanted.findIndex(({ setId }) => toHex(setId) === after)
    const items = wanted.slice(start, start + limit)
    const last = items.at(-1)
    const isEnd = last === undefined || start + limit >= wanted.length
    return { items, entry, next: isEnd ? null : toHex(last.setId) }
  }

  /** Where the shards of a set are, when those we know of are not there any more. */
  async locate(record: LocatedRecord, signal: AbortSignal): Promise<LocatedRecord> {
    const { peers, organisations } = this.#modules
    const before = predecessorOf(record.setId)
    for (const { id } of organisations()) {
      signal.throwIfAborted()
      if (id !== peers.self && !peers.isConnected(id)) continue
      const body = { custodian: record.set.custodian, after: before, limit: 2 }
      const request = { kind: 'list' as const, body }
      const answer = await orSilence(peers.request(id, request, { timeoutMs: TIMEOUT_MS }))
      const head = answer?.body.items.find(({ set }) => equalBytes(shardSetId(set), record.setId))
      if (head === undefined || head.holders.length !== record.holders.length) continue
      const isNew = head.holders.some((holder, at) => holder !== record.holders[at])
      if (isNew) return { ...record, holders: head.holders }
    }
    return record
  }

  /**
   * What the consent says of the record. Whether the grant is in force, the purpose covered and the
   * practitioner the right one is for the holders to say, who write down that they refuse.
   */
  #isOpened({ grant, purpose, person }: GrantUse, { manifest }: LocatedRecord): boolean {
    const { self, clock, facts } = this.#modules
    const decision = decideConsent(grant.consent, {
      time: decisionTime(clock, facts),
      organisation: self,
      practitioner: person.practitioner?.key ?? null,
      purpose,
      facts: manifest.facts,
    })
    if (decision.permit) return decision.fields.length === 0
    return FOR_HOLDERS.includes(decision.code)
  }

  async #refresh(use: GrantUse): Promise<Uint8Array> {
    const { grant, purpose, person } = use
    const { logKey } = grant
    const query = 'records that this grant opens'
    const question = await signQuery(this.#modules, { grant, logKey, purpose, person, query })
    const { entry } = question.signed.request
    const isAnswered = await this.#askCustodian(use, question)
    // A custodian that lost its disk has forgotten to whom it sealed its class keys; the holders have them.
    // Keys of single records nobody has but the custodian.
    const hasKeys =
      grant.isNarrow || (await this.#modules.manifests.hasKeys(scopeOf(grant), grant.classes))
    if (!isAnswered) this.#checkUse(grant)
    if (!isAnswered || !hasKeys) await this.#askHolders(use)
    return entry
  }

  /**
   * False when it does not answer, or leads on and on: its order is that in which records came, which
   * nobody else knows, so a name that comes again and the budget tell. @throws Refusal
   */
  async #askCustodian(
    { grant, signal }: GrantUse,
    question: Awaited<ReturnType<typeof signQuery>>,
  ): Promise<boolean> {
    const { manifests, peers } = this.#modules
    const { custodian } = grant
    if (!peers.isConnected(custodian)) return false
    const budget = new PageBudget(this.#modules)
    const seen = new Set<string>()
    let after: Uint8Array | null = null
    do {
      signal.throwIfAborted()
      const began = budget.now()
      const page = await this.#page(custodian, { ...question, after, limit: PAGE }, signal)
      if (page === undefined) return false
      const recordKeys = this.#recordKeysOf(page, question.signed)
      await manifests.learn(scopeOf(grant), { keys: page.keys, heads: page.items, recordKeys })
      after = page.next
      if (after === null) return true
      if (seen.has(toHex(after))) budget.leave(custodian, 'list_out_of_order')
      seen.add(toHex(after))
      const items = Math.max(1, page.items.length)
      budget.spend(custodian, { items, ms: budget.now() - began })
    } while (!budget.isLeft(custodian))
    return false
  }

  #recordKeysOf({ recordKeys }: Catalogue, { request }: SignedAccessRequest): RecordKey[] {
    const question = accessRequestDigest(request)
    for (const secret of this.#modules.sealSecrets) {
      const keys = openRecordKeys(recordKeys, { secret, question })
      if (keys !== undefined) return keys
    }
    return []
  }

  /** Nobody answers who would refuse: this node looks at its own chain. @throws Refusal */
  #checkUse(grant: Grant): void {
    const { self: reader, clock, facts } = this.#modules
    const { custodian } = grant
    const known = {
      now: decisionTime(clock, facts),
      standings: grantStandings(facts),
      isStale: isStale(clock, facts),
    }
    const code = checkUse(grant, { reader, custodian }, known)
    if (code !== undefined) throw new Refusal(code, `The grant opens nothing: ${code}.`)
  }

  /** Undefined when it cannot answer now. @throws Refusal */
  async #page(custodian: string, body: Question, signal: AbortSignal) {
    const { peers, clock } = this.#modules
    const request = { kind: 'catalogue' as const, body }
    try {
      const answer = await untilBlockKnown({ clock, signal }, () =>
        peers.request(custodian, request, { timeoutMs: TIMEOUT_MS }),
      )
      return answer.body
    } catch (error) {
      if (!(error instanceof VaultPeerError)) throw error
      const { refusal } = error
      if (refusal === null || PASSING.includes(refusal)) return undefined
      throw new Refusal(refusal, `${custodian} refuses: ${refusal}.`)
    }
  }

  async #askHolders({ grant, signal }: GrantUse): Promise<void> {
    const { manifests, sealSecrets, clock } = this.#modules
    const scope = scopeOf(grant)
    const name = `${scope.custodian} ${toHex(scope.patientKey)}`
    const last = this.#discoveredAt.get(name)
    if (last !== undefined && clock.monotonic() - last < DISCOVER_AGAIN_MS) return
    const keys = await discoverKeys(this.#modules, scope.custodian, {
      secrets: sealSecrets,
      signal,
    })
    await manifests.learn(scope, { keys: keys.map(({ deposit }) => deposit), heads: [] })
    const seen = new Map<string, string>()
    for await (const heads of discoverHeads(this.#modules, scope.custodian, signal)) {
      await manifests.learn(scope, { keys: [], heads: newHeads(heads, seen) })
    }
    this.#discoveredAt.set(name, clock.monotonic())
  }
}

/** Also where what is asked for is known already: what an altered grant says is nobody's word. @throws Refusal */
export function checkSignature(grant: Grant): void {
  if (verifyGrant(grant)) return
  throw new Refusal('grant_forged', 'The signature of the grant is wrong.')
}

function scopeOf({ custodian, patientKey }: Grant): Scope {
  return { custodian, patientKey }
}

/** The greatest name that is less than this one. */
function predecessorOf(name: Uint8Array): Uint8Array | null {
  const before = name.slice()
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const byte = before[at] ?? 0
    before[at] = (byte + 255) & 255
    if (byte > 0) return before
  }
  return null
}
