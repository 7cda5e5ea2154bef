// Every version of an emergency set that went through this hospital, for good: by its handle, whose it is and who
// is told when it is opened.
//
// It is on the disk before a trustee is asked. A trustee that was away, or took a deposit that failed at others,
// may have versions that are in no statement of today; they open all the same, and the patient is told. A
// handle that several patients claim is told to each: nobody can claim it away from another.

import { bytes, type Infer, list, struct, text, toHex, versioned } from '@mooring/codec'
import type { EmergencyHeader } from '@mooring/records'
import type { PrivateValues } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'
import { SealedValues } from './sealed-values.ts'

const NOTIFIED_MAX = 16

const handedSchema = versioned(1, {
  setHandle: bytes(32),
  patientKey: bytes(32),
  notified: list(struct({ organisation: text(64), key: bytes(32) }), NOTIFIED_MAX),
})

export type HandedVersion = Infer<typeof handedSchema>

export class HandedVersions {
  readonly #values: SealedValues<HandedVersion>
  /** By handle, in hex. */
  readonly #known = new Map<string, HandedVersion[]>()

  constructor(values: PrivateValues, atRest: AtRest) {
    this.#values = new SealedValues(values, atRest, 'emergency-handed', handedSchema)
  }

  async start(): Promise<void> {
    for await (const { value } of this.#values.all()) this.#remember(value)
  }

  of(setHandle: Uint8Array): readonly HandedVersion[] {
    return this.#known.get(toHex(setHandle)) ?? []
  }

  all(): readonly HandedVersion[] {
    return Array.from(this.#known.values()).flat()
  }

  /** Durable when this resolves. */
  async add(patientKey: Uint8Array, headers: readonly EmergencyHeader[]): Promise<void> {
    for (const { setHandle, notified } of headers) {
      const handed = { setHandle, patientKey, notified }
      await this.#values.put(this.#values.name(setHandle, patientKey), handed)
      this.#remember(handed)
    }
  }

  #remember(handed: HandedVersion): void {
    const name = toHex(handed.setHandle)
    const patient = toHex(handed.patientKey)
    const others = (this.#known.get(name) ?? []).filter(
      (each) => toHex(each.patientKey) !== patient,
    )
    this.#known.set(name, [...others, handed])
  }
}
