// Signatures of practitioners, whose keys are on their own devices and never here.
//
// What a practitioner reads is begun without the signature. When the request stands, whoever asked is given
// it to sign; the same call with the signature goes on where the first one waits. A reading may need more
// than one: the question to the custodian, then the request to the holders. What waits too long is over,
// and so is a long record whose request must be made again after its first bytes have gone out.

import { randomBytes } from 'node:crypto'
import { type PractitionerProof, Refusal, SignatureNeeded } from '@mooring/api'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import { verify } from '@mooring/crypto'
import type { PractitionerSigner } from './access-session.ts'
import type { Clock } from './clock.ts'

export interface Call {
  /** All that is asked, so that a signature goes on with the same and nothing else. */
  readonly what: string
  readonly signal: AbortSignal
}

interface Waiting {
  readonly what: string
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signed: (signature: Uint8Array) => void
  readonly session: Session
}

/** What came of it, or what must be signed first. */
interface Session {
  readonly result: Promise<unknown>
  needed: PromiseWithResolvers<SignatureNeeded>
}

const SIGN_MS = 60_000
const WAITING_MAX = 64
const CHALLENGE_BYTES = 16

export class PractitionerDesk {
  readonly #clock: Pick<Clock, 'after'>
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  /** @throws SignatureNeeded; Refusal practitioner_forged, practitioner_late, practitioners_waiting */
  async run<T>(
    proof: PractitionerProof | null,
    { what, signal }: Call,
    work: (signer: PractitionerSigner | null, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (proof === null) return await work(null, signal)
    if (proof.challenge === undefined) return await this.#begin(proof, what, work)
    const { session } = this.#resume(proof, what)
    // What the first call began has the type of that call, which asked for the same.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    return (await outcomeOf(session)) as T
  }

  async #begin<T>(
    proof: PractitionerProof,
    what: string,
    work: (signer: PractitionerSigner, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const key = fromHex(proof.key)
    const begun = Promise.withResolvers<Session>()
    const sign = async (message: Uint8Array): Promise<Uint8Array> =>
      await this.#ask({ what, key, message, session: await begun.promise })
    // It outlasts the call that began it, and ends with the last signature that does not come.
    const result = work({ key, sign }, new AbortController().signal)
    result.catch(() => undefined)
    const session: Session = { result, needed: Promise.withResolvers() }
    begun.resolve(session)
    await outcomeOf(session)
    return await result
  }

  #ask({ session, ...asked }: Omit<Waiting, 'signed'>): Promise<Uint8Array> {
    if (this.#waiting.size >= WAITING_MAX) {
      const detail = `${WAITING_MAX} practitioners are being waited for already.`
      return Promise.reject(new Refusal('practitioners_waiting', detail))
    }
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const challenge = toHex(new Uint8Array(randomBytes(CHALLENGE_BYTES)))
    const cancel = this.#clock.after(SIGN_MS, () => {
      this.#waiting.delete(challenge)
      reject(new Refusal('practitioner_late', 'The signature of the practitioner did not come.'))
    })
    const signed = (signature: Uint8Array): void => {
      cancel()
      this.#waiting.delete(challenge)
      session.needed = Promise.withResolvers()
      resolve(signature)
    }
    this.#waiting.set(challenge, { ...asked, session, signed })
    session.needed.resolve(new SignatureNeeded(challenge, asked.message))
    return promise
  }

  #resume({ key, challenge = '', signature = '' }: PractitionerProof, what: string): Waiting {
    const waiting = this.#waiting.get(challenge)
    const isSame =
      waiting !== undefined && waiting.what === what && equalBytes(waiting.key, fromHex(key))
    if (!isSame) {
      const detail =
        'Nothing waits for this signature: it came too late, or was for something else.'
      throw new Refusal('practitioner_late', detail)
    }
    const bytes = fromHex(signature)
    if (bytes.length !== 64 || !verify(waiting.key, waiting.message, bytes)) {
      const detail = 'The signature is not by the key that was named, over what was to be signed.'
      throw new Refusal('practitioner_forged', detail)
    }
    waiting.signed(bytes)
    return waiting
  }
}

async function outcomeOf({ result, needed }: Session): Promise<unknown> {
  const outcome = await Promise.race([result, needed.promise])
  if (outcome instanceof SignatureNeeded) throw outcome
  return outcome
}
