// The credentials of this organisation's practitioners: issued for days, listed, taken back.

import { Refusal } from '@mooring/api'
import { bool, bytes, type Infer, nullable, text, uint, versioned } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { issueCredential, type RandomBytes, RecordsError } from '@mooring/records'
import type { PrivateValues } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import { InTurn } from './in-turn.ts'
import { SealedValues } from './sealed-values.ts'

const issuedSchema = versioned(1, {
  key: bytes(32),
  role: text(128),
  name: text(128),
  licence: text(128),
  btg: bool(),
  issuedAt: uint(),
  expiresAt: uint(),
  revokedAt: nullable(uint()),
})

export type IssuedCredential = Infer<typeof issuedSchema> & { readonly index: number }

export interface IssuerModules {
  readonly organisation: string
  /** With which this organisation issues. */
  readonly issuerKey: KeyPair
  readonly values: PrivateValues
  readonly atRest: AtRest
  readonly clock: Pick<Clock, 'wall'>
  readonly random: RandomBytes
}

export interface CredentialRequest {
  readonly key: Uint8Array
  readonly role: string
  readonly name: string
  readonly licence: string
  readonly btg: boolean
  readonly expiresAt: number
}

export class PractitionerIssuer {
  readonly #modules: IssuerModules
  readonly #values: SealedValues<Infer<typeof issuedSchema>>
  /** Numbers must not be given twice. */
  readonly #turns = new InTurn()

  constructor(modules: IssuerModules) {
    this.#modules = modules
    const { values, atRest } = modules
    this.#values = new SealedValues(values, atRest, 'practitioner-credentials', issuedSchema)
  }

  /** @throws Refusal credential_unfit */
  issue(request: CredentialRequest): Promise<{ credential: string; index: number }> {
    return this.#turns.run(() => this.#issue(request))
  }

  async #issue(request: CredentialRequest): Promise<{ credential: string; index: number }> {
    const { organisation, issuerKey, clock, random } = this.#modules
    const index = (await this.#lastIndex()) + 1
    const issuedAt = clock.wall()
    let credential: string
    try {
      const practitioner = { ...request, organisation, issuedAt, statusIndex: index }
      credential = issueCredential(practitioner, { issuerKey, random })
    } catch (error) {
      if (!(error instanceof RecordsError)) throw error
      throw new Refusal('credential_unfit', error.message)
    }
    await this.#values.put(keyOf(index), { ...request, issuedAt, revokedAt: null })
    return { credential, index }
  }

  /** @throws Refusal unknown_credential */
  async revoke(index: number): Promise<void> {
    const found = this.#values.get(keyOf(index))
    if (found === undefined)
      throw new Refusal('unknown_credential', 'No credential has this number.')
    if (found.revokedAt !== null) return
    await this.#values.put(keyOf(index), { ...found, revokedAt: this.#modules.clock.wall() })
  }

  /** Also one that this node has never issued: after its disk was lost it cannot tell. */
  isRevoked(index: number): boolean {
    const found = this.#values.get(keyOf(index))
    return found === undefined || found.revokedAt !== null
  }

  async list(after: number | null, limit: number): Promise<IssuedCredential[]> {
    const found = await this.#values.list(after === null ? null : keyOf(after), limit)
    return found.map(({ key, value }) => ({ ...value, index: indexOf(key) }))
  }

  async #lastIndex(): Promise<number> {
    let last = 0
    for await (const { key } of this.#values.all()) last = indexOf(key)
    return last
  }
}

function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(4)
  new DataView(key.buffer).setUint32(0, index)
  return key
}

function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, key.length).getUint32(0)
}
