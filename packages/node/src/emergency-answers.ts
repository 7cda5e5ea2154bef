// Emergencies for the API: of this hospital, of its patients, of those that it reviews.

import {
  type EmergencyAnswer,
  type EmergencyHandlers,
  type EmergencyNoticeAnswer,
  type EmergencyReviewAnswer,
  type EmergencySetStatus,
  Refusal,
} from '@mooring/api'
import { CodecError, decode, encode, fromHex, toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import { EMERGENCY_REASON_MS } from '@mooring/ledger'
import {
  addressedDepositsSchema,
  EMERGENCY_VERDICTS,
  emergencyHeaderSchema,
  formatCard,
  genesisPrefixOf,
} from '@mooring/records'
import type { Emergencies } from './emergency-parts.ts'
import type { EmergencyNotice, EmergencyReview, OpenedByUs } from './emergency-store.ts'

export interface EmergencyAnswerModules {
  readonly self: string
  readonly genesisDigest: Uint8Array
  readonly now: () => number
  readonly patientOf: (reference: string) => { patientKey: Uint8Array } | undefined
  /** Whether somebody has an account here under this key. */
  readonly isKnownKey: (patientKey: Uint8Array) => boolean
}

const DEPOSITS_BYTES_MAX = 16 * 1024 * 1024

export function createEmergencyAnswers(
  emergencies: Emergencies,
  modules: EmergencyAnswerModules,
): EmergencyHandlers {
  const { desk, home, reviews, issuer, store, offline } = emergencies
  const { self, genesisDigest, now } = modules
  return {
    open: async (question, signal) => {
      const request = { ...question, organisation: self, issuedAt: now() }
      const { requestId, openedAt, shares, refused } = await desk.open(request, signal)
      const found = store.opened.get(requestId)
      return {
        requestId: toHex(requestId),
        transactionId: toHex(openedAt.transaction),
        height: openedAt.height,
        openedAt: textOf(openedAt.time),
        endsAt: textOf(found === undefined ? openedAt.time : desk.endsAt(found)),
        shares: shares.map(({ header, ...share }) => ({
          ...share,
          header: encode(emergencyHeaderSchema, header),
        })),
        refused: [...refused],
      }
    },
    openOffline: (question) => offline.open(question),
    list: async ({ after, limit }) => {
      const found = await store.opened.list(after === null ? null : fromHex(after), limit)
      const items = found.map(({ value }) => answerOf(emergencies, value, now()))
      return { items, next: found.length < limit ? null : (items.at(-1)?.requestId ?? null) }
    },
    find: (requestId) => {
      const found = store.opened.get(fromHex(requestId))
      return found && answerOf(emergencies, found, now())
    },
    close: async (requestId, end) =>
      answerOf(emergencies, await desk.close(fromHex(requestId), end), now()),
    reviews: async ({ after, limit }) => {
      const found = await reviews.list(after === null ? null : fromHex(after), limit)
      const items = found.map((each) => reviewOf(each, now()))
      return { items, next: found.length < limit ? null : (items.at(-1)?.requestId ?? null) }
    },
    judge: async (requestId, { verdict: said, note }) => {
      const verdict = EMERGENCY_VERDICTS.find((each) => each === said)
      if (verdict === undefined) throw new Refusal('verdict_unknown', `${said} is no verdict.`)
      return reviewOf(await reviews.judge(fromHex(requestId), { verdict, note }), now())
    },
    issueCredential: (question) => issuer.issue(question),
    revokeCredential: (index) => issuer.revoke(index),
    depositHosted: async (patient, how) => {
      const { locator, taken, waiting } = await home.depositHosted(patient, how)
      const card = formatCard({ locator, genesisPrefix: genesisPrefixOf(genesisDigest) })
      return { card, taken: [...taken], waiting: [...waiting] }
    },
    statusOf: (patient) => {
      const account = modules.patientOf(patient)
      if (account === undefined)
        throw new Refusal('unknown_patient', 'No patient has this reference.')
      return statusOf(emergencies, account.patientKey)
    },
    status: ({ patientKey }) => statusOf(emergencies, patientKey),
    summary: async ({ patientKey }, withSensitive) => {
      refuseStranger(modules, patientKey)
      return await emergencies.summary(patientKey, withSensitive)
    },
    trustees: (locatorId) => {
      const { k, trustees } = home.trustees(locatorId)
      const shown = trustees.map(({ organisation, sealKey }) => ({
        organisation,
        sealKey: toHex(sealKey),
      }))
      return { k, trustees: shown }
    },
    deposit: async ({ patientKey }, deposits) => {
      refuseStranger(modules, patientKey)
      const { taken, waiting } = await home.deposit(patientKey, readDeposits(deposits))
      return { taken: [...taken], waiting: [...waiting] }
    },
  }
}

/** Anybody can make a key and sign with it: room and trustees are for the patients of this hospital. */
function refuseStranger({ isKnownKey }: EmergencyAnswerModules, patientKey: Uint8Array): void {
  if (isKnownKey(patientKey)) return
  throw new Refusal('unknown_patient_key', 'No patient here has enrolled with this key.')
}

function readDeposits(encoded: Uint8Array) {
  try {
    return decode(addressedDepositsSchema, encoded, DEPOSITS_BYTES_MAX)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new Refusal('deposit_malformed', error.message)
  }
}

function answerOf({ desk }: Emergencies, opened: OpenedByUs, now: number): EmergencyAnswer {
  const { request, role, practitioner, openedAt, closed } = opened
  return {
    requestId: toHex(request.requestId),
    reason: request.reason,
    role,
    practitioner: formatDidKey(practitioner),
    openedAt: textOf(openedAt.time),
    endsAt: textOf(desk.endsAt(opened)),
    height: openedAt.height,
    status: statusNameOf(desk, opened, now),
    reasonDueAt: textOf(openedAt.time + EMERGENCY_REASON_MS),
    outcome: closed?.outcome ?? null,
    reviewer: desk.reviewerOf(request.requestId) ?? null,
    isOffline: request.presentation === '',
  }
}

function statusNameOf(
  desk: Emergencies['desk'],
  opened: OpenedByUs,
  now: number,
): EmergencyAnswer['status'] {
  if (desk.isClosed(opened)) return 'closed'
  if (desk.isOverdue(opened)) return 'overdue'
  return now < desk.endsAt(opened) ? 'open' : 'ended'
}

function reviewOf(
  { requestId, organisation, reason, time, written, verdict }: EmergencyReview,
  now: number,
): EmergencyReviewAnswer {
  return {
    requestId: toHex(requestId),
    organisation,
    reason,
    time: textOf(time),
    written,
    isOverdue: written === null && now > time + EMERGENCY_REASON_MS,
    verdict: verdict?.verdict ?? null,
    note: verdict?.note ?? null,
  }
}

function statusOf(emergencies: Emergencies, patientKey: Uint8Array): EmergencySetStatus {
  const { home } = emergencies
  const found = home.find(patientKey)
  return {
    set:
      found === undefined
        ? null
        : {
            locatorId: toHex(found.locatorId),
            sequence: found.sequence,
            isOptedOut: found.isOptedOut,
            isHosted: found.hosted !== null,
            versions: found.versions.map(({ version }) => version),
            spare: home.spare(found),
          },
    notices: emergencies.noticesOf(patientKey).map(noticeOf),
  }
}

function noticeOf(notice: EmergencyNotice): EmergencyNoticeAnswer {
  const { requestId, organisation, reason, time, as, written, verdict, isLate } = notice
  const shared = { organisation, reason, as, written, verdict, isLate }
  return { ...shared, requestId: toHex(requestId), time: textOf(time) }
}

function textOf(time: number): string {
  return new Date(time).toISOString()
}
