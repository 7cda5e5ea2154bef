// Who a request of a patient is from: the signature it carries, checked once, here.
//
// A request is worth something at this hospital only, for a minute, once, and while the key that signed it
// is in force: a key that was replaced is refused whatever it signs, and so is a device or a
// representative whose delegation has ended. Whether there is an account for the key, who asks finds out.

import { type PatientCall, type PatientCaller, type PatientDelegate, Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import {
  checkPatientRequest,
  type DelegationRefusal,
  PATIENT_REQUEST_SKEW_MS,
  type PatientRequestRefusal,
} from '@mooring/records'
import type { Clock } from './clock.ts'
import type { FinalFacts } from './final-facts.ts'
import { RateLimit } from './rate-limit.ts'

export interface PatientDoorModules {
  readonly organisation: string
  readonly genesisDigest: Uint8Array
  readonly facts: Pick<FinalFacts, 'handle' | 'successorOf'>
  readonly clock: Pick<Clock, 'wall' | 'monotonic'>
}

/** Of one patient: what an app asks when it opens, and then now and then. */
const PACE = { burst: 120, everyMs: 250, namesMax: 20_000 }
const REMEMBERED_MS = 2 * PATIENT_REQUEST_SKEW_MS + 1_000
const REMEMBERED_MAX = 200_000

const DETAILS: Record<PatientRequestRefusal, string> = {
  patient_request_malformed: 'The Authorization header is no signed request of a patient.',
  patient_request_forged: 'The signature is not by the key that the request names.',
  patient_request_elsewhere: 'The request was signed for another network or another hospital.',
  patient_request_other: 'The request was signed for another address or another body.',
  patient_request_time: 'The request was signed more than a minute ago, or in the future.',
}

export class PatientDoor {
  readonly #modules: PatientDoorModules
  readonly #pace: RateLimit
  readonly #openedAt: number
  /** Names of requests that came, until none of them would be taken for its time; oldest first. */
  readonly #seen = new Map<string, number>()

  constructor(modules: PatientDoorModules) {
    this.#modules = modules
    this.#openedAt = modules.clock.wall()
    this.#pace = new RateLimit(PACE, () => modules.clock.monotonic())
  }

  /** @throws Refusal */
  caller({ authorization, method, path, body }: PatientCall): PatientCaller {
    const { organisation, genesisDigest, clock, facts } = this.#modules
    const call = { genesisDigest, organisation, method, path, body }
    const handleOf = (handle: Uint8Array) => facts.handle(handle)
    const checked = checkPatientRequest(authorization ?? '', call, { now: clock.wall(), handleOf })
    if ('code' in checked) throw refusal(checked.code)
    const { patientKey, signer, delegations, issuedAt } = checked.request
    // What came before a start is not remembered, so none of it counts.
    if (issuedAt < this.#openedAt) throw refusal('patient_request_time')
    this.#note(toHex(checked.name))
    if (!this.#pace.take(toHex(patientKey)))
      throw new Refusal('patient_too_often', 'This patient asks too often; wait a moment.')
    if (facts.successorOf(organisation, patientKey) !== null)
      throw new Refusal('key_replaced', 'Another key of this patient has taken its place.')
    const [first] = delegations
    const delegation: PatientDelegate | null =
      first === undefined ? null : { kind: first.delegation.kind, role: first.delegation.role }
    return { patientKey, signer, delegation }
  }

  /** @throws Refusal patient_request_replayed, patient_too_often */
  #note(name: string): void {
    const now = this.#modules.clock.monotonic()
    for (const [known, at] of this.#seen) {
      if (at + REMEMBERED_MS > now) break
      this.#seen.delete(known)
    }
    if (this.#seen.has(name))
      throw new Refusal('patient_request_replayed', 'This very request has come before.')
    if (this.#seen.size >= REMEMBERED_MAX)
      throw new Refusal('patient_too_often', 'Too many requests of patients; wait a moment.')
    this.#seen.set(name, now)
  }
}

function refusal(code: PatientRequestRefusal | DelegationRefusal): Refusal {
  const known = Object.entries(DETAILS).find(([name]) => name === code)?.[1]
  return new Refusal(code, known ?? 'Nothing in force lets this key sign for the patient.')
}
