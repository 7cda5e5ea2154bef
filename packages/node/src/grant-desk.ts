// Grants come into force here, and are taken back.
//
// The one-time key of a grant says on the chain that its handle is open; when that is final, and the
// recipient has the class keys that the grant covers, the grant is in force. Where the patient's keys are
// hosted, this node makes the grant and its one-time key itself; a wallet brings both. Taking back is a
// second word of the one-time key. This node relays it for anybody: it says itself that it may.

import {
  type HandleOpening,
  type KnownGrantAnswer,
  type KnownGrantQuery,
  type PatientCaller,
  Refusal,
  type RelayedHandle,
} from '@mooring/api'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  type GrantKind,
  handleOfKey,
  isGrantRevokeSigned,
  signGrantOpen,
  signGrantRevoke,
  wholeDayAfter,
} from '@mooring/ledger'
import { CLOCK_SKEW_MS, type RandomBytes } from '@mooring/records'
import { type Account, type Accounts, unknownRecipient } from './accounts.ts'
import type { Clock } from './clock.ts'
import type { FinalFacts } from './final-facts.ts'
import type { DepositedGrant } from './grant-deposit.ts'
import { begunAt, type KeptGrant, type KeptGrants } from './kept-grants.ts'
import { RateLimit } from './rate-limit.ts'
import type { Relay } from './relay.ts'

export interface GrantDeskModules {
  readonly organisation: string
  readonly genesisDigest: Uint8Array
  readonly accounts: Accounts
  readonly kept: KeptGrants
  readonly facts: Pick<FinalFacts, 'handle' | 'time'>
  readonly relay: Relay
  readonly isMember: (organisation: string) => boolean
  readonly clock: Clock
  readonly random: RandomBytes
  /** The store failed. */
  readonly onFatal: (error: unknown) => void
}

/** Of one patient, and of all that is brought for the chain by who is not known. */
const DEPOSITS = { burst: 30, everyMs: 60_000, namesMax: 20_000 }
const REVOCATIONS = { burst: 100, everyMs: 50, namesMax: 1 }
/** What was begun and is not on the chain after so long will not be: its transaction has expired. */
const UNFINISHED_MS = 15 * 60_000
const SWEEP_MS = 15_000

export class GrantDesk {
  readonly #modules: GrantDeskModules
  readonly #deposits: RateLimit
  readonly #revocations: RateLimit
  #cancel: () => void = () => undefined
  #sweeping: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(modules: GrantDeskModules) {
    this.#modules = modules
    const now = () => modules.clock.monotonic()
    this.#deposits = new RateLimit(DEPOSITS, now)
    this.#revocations = new RateLimit(REVOCATIONS, now)
  }

  /** Goes on with what an earlier run began, and with grants whose time begins. */
  async start(): Promise<void> {
    await this.#sweep()
    this.#cancel = this.#modules.clock.after(SWEEP_MS, () => {
      this.#sweeping = this.start().catch(this.#modules.onFatal)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#sweeping
  }

  async #sweep(): Promise<void> {
    const { kept, facts, clock } = this.#modules
    for (const grant of await kept.unfinished()) {
      if (this.#isClosed) return
      const now = clock.wall()
      const standing = facts.handle(handleOf(grant))
      if (standing === undefined) {
        if (begunAt(grant) + UNFINISHED_MS < now) await kept.forget(grant)
        continue
      }
      const isOver = standing.revokedAt !== null || grant.expiresAt <= now
      const isFinished = isOver || grant.notBefore <= now + CLOCK_SKEW_MS
      if (isFinished && !isOver) await this.#openKeys(grant)
      const opened = grant.opened ?? { transaction: null, height: standing.openedAt }
      if (isFinished || grant.opened === null) await kept.opened(grant, opened, { isFinished })
    }
  }

  /** A one-time key of a patient whose keys are hosted here, and what it says for the chain. */
  newHandle(account: Account, expiresAt: number): { number: number; open: HandleOpening } {
    const { accounts, genesisDigest, random } = this.#modules
    const number = random(6).reduce((sum, byte) => sum * 256 + byte, 0)
    const pair = accounts.handleKeyPair(account.patientKey, number)
    if (pair === undefined) throw new Error('an account without a seed')
    const terms = { expiresAt: wholeDayAfter(expiresAt), kind: 'share' as const }
    const signature = signGrantOpen(genesisDigest, terms, pair)
    return { number, open: { ...terms, publicKey: pair.publicKey, signature } }
  }

  /** In force when it resolves. @throws Refusal */
  async putInForce(
    account: Account,
    {
      grant,
      open,
      hostedNumber,
    }: {
      grant: DepositedGrant
      open: HandleOpening
      hostedNumber: number | null
    },
  ): Promise<KeptGrant> {
    const { kept, organisation, relay, facts, clock } = this.#modules
    const known = kept.findByHandle(handleOfKey(open.publicKey))
    if (known?.opened && known.document === grant.document) return known
    // The word of a one-time key is on its way to the chain for all to see, and may be brought by another.
    const isOther = known !== undefined && !equalBytes(known.patientKey, account.patientKey)
    if (known?.opened || isOther)
      throw new Refusal('handle_seen', 'The handle of the grant belongs to another one.')
    if (!this.#modules.isMember(grant.recipient)) throw unknownRecipient(grant.recipient)
    if (hostedNumber === null && !this.#deposits.take(toHex(account.patientKey)))
      throw new Refusal('patient_too_often', 'So many grants were deposited a moment ago.')
    const { reference, patientKey } = account
    if (known !== undefined) await kept.forget(known)
    const begun = await kept.begin({ ...grant, reference, patientKey, hostedNumber })
    const { publicKey, expiresAt, kind, signature } = open
    const body = { organisation, publicKey, expiresAt, kind, signature }
    const opened = await relay.submit({ kind: 'grant.open', body }).then(
      ({ id, height }) => ({ transaction: id, height }),
      (error: unknown) => {
        // Somebody else may have brought it, or this node before it was cut off.
        const standing = facts.handle(handleOf(begun))
        if (standing === undefined || !isSame(standing, open)) throw error
        return { transaction: null, height: standing.openedAt }
      },
    )
    // Keys are not given before the grant begins: they open the manifests of records.
    const isFinished = grant.notBefore <= clock.wall() + CLOCK_SKEW_MS
    if (isFinished) await this.#openKeys(begun)
    return kept.opened(begun, opened, { isFinished })
  }

  /** @throws Refusal handle_forged, or of the chain */
  async revoke({
    publicKey,
    signature,
  }: {
    publicKey: Uint8Array
    signature: Uint8Array
  }): Promise<RelayedHandle> {
    const { genesisDigest, organisation, facts, relay } = this.#modules
    if (!isGrantRevokeSigned(genesisDigest, { publicKey, signature }))
      throw new Refusal('handle_forged', 'The one-time key has not signed this revocation.')
    const handle = handleOfKey(publicKey)
    const standing = facts.handle(handle)
    if (standing === undefined)
      throw new Refusal('unknown_handle', 'No final block has opened this handle.')
    if (standing.revokedAt !== null) return revokedAt(handle, standing.revokedAt)
    // Last, so that only what would revoke something costs the others a turn.
    if (!this.#revocations.take(''))
      throw new Refusal('patient_too_often', 'Too many revocations at once; wait a moment.')
    try {
      const body = { organisation, publicKey, signature }
      const { id, height } = await relay.submit({ kind: 'grant.revoke', body })
      return { handle: toHex(handle), transactionId: toHex(id), height }
    } catch (error) {
      const height = facts.handle(handle)?.revokedAt ?? null
      if (height === null) throw error
      return revokedAt(handle, height)
    }
  }

  /** Undefined for a handle whose one-time key is not here. */
  async revokeHosted(handle: string): Promise<RelayedHandle | undefined> {
    const { kept, accounts, genesisDigest } = this.#modules
    const grant = kept.findByHandle(fromHex(handle))
    if (grant === undefined || grant.hostedNumber === null) return undefined
    const pair: KeyPair | undefined = accounts.handleKeyPair(grant.patientKey, grant.hostedNumber)
    if (pair === undefined) return undefined
    const signature = signGrantRevoke(genesisDigest, pair)
    return await this.revoke({ publicKey: pair.publicKey, signature })
  }

  async grants(
    reference: string,
    { before, limit }: KnownGrantQuery,
  ): Promise<{ items: KnownGrantAnswer[]; next: number | null }> {
    const found = await this.#modules.kept.list(reference, before, limit)
    const last = found.at(-1)
    const items = found.filter(({ opened }) => opened !== null)
    return {
      items: items.map((grant) => this.#answerOf(grant)),
      next: last === undefined || found.length < limit ? null : last.number,
    }
  }

  /** For a wallet: the account that its key governs now. @throws Refusal unknown_patient_key, key_replaced */
  ownAccount({ patientKey }: Pick<PatientCaller, 'patientKey'>): Account {
    const account = this.#modules.accounts.findByKey(patientKey)
    if (account === undefined)
      throw new Refusal('unknown_patient_key', 'No patient here has enrolled with this key.')
    if (!equalBytes(account.patientKey, patientKey))
      throw new Refusal(
        'key_replaced',
        'Another key of this patient has taken the place of this one.',
      )
    return account
  }

  async #openKeys({ isWide, patientKey, handles, recipient, classes, expiresAt }: KeptGrant) {
    if (!isWide) return
    const { accounts } = this.#modules
    const account = accounts.findByKey(patientKey)
    // A key that was retired meanwhile: what it signed is over.
    if (account === undefined || !equalBytes(account.patientKey, patientKey)) return
    await accounts.open(patientKey, { handles, recipient, classes, expiresAt })
  }

  #answerOf(grant: KeptGrant): KnownGrantAnswer {
    const { id, recipient, classes, purposes, notBefore, expiresAt, hostedNumber } = grant
    const { facts, clock } = this.#modules
    const now = clock.wall()
    const revokedHeight = facts.handle(handleOf(grant))?.revokedAt ?? null
    const inTime = expiresAt <= now ? 'expired' : notBefore > now ? 'not_yet' : 'live'
    return {
      id: toHex(id),
      handle: toHex(handleOf(grant)),
      recipient,
      classes: [...classes],
      purposes: [...purposes],
      notBefore: new Date(notBefore).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      status: revokedHeight === null ? inTime : 'revoked',
      revokedHeight,
      isHosted: hostedNumber !== null,
      document: grant.document,
    }
  }
}

function handleOf({ handles }: KeptGrant): Uint8Array {
  const [handle] = handles
  if (handle === undefined) throw new Error('a kept grant without a handle')
  return handle
}

function isSame(
  standing: { kind: GrantKind; expiresAt: number; revokedAt: number | null },
  { kind, expiresAt }: HandleOpening,
): boolean {
  return standing.revokedAt === null && standing.kind === kind && standing.expiresAt === expiresAt
}

function revokedAt(handle: Uint8Array, height: number): RelayedHandle {
  return { handle: toHex(handle), transactionId: null, height }
}
