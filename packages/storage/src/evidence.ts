// Evidence against authorities, in the chain database: encoded as it came, in the order of its arrival.
//
// It is opaque here but for what names an offence: epoch, view, kind and signer. One authority commits one
// offence of a kind in a view, however many pairs of votes show it, and only so many are kept of it in an
// epoch: who has voted against himself a hundred times is not more guilty than after ten. So the store is
// bounded by the number of authorities, and is kept in memory as well.

import { bytesMax, decode, encode, type Infer, text, uint, versioned } from '@mooring/codec'
import type { Database } from './database.ts'
import { evidenceKey, numberOf } from './keys.ts'

const EVIDENCE_BYTES_MAX = 4_096
/** Offences of one authority in one epoch. */
export const OFFENCES_MAX = 32

const storedSchema = versioned(1, {
  epoch: uint(),
  view: uint(),
  kind: text(32),
  signer: uint(65_535),
  seenAt: uint(),
  evidence: bytesMax(EVIDENCE_BYTES_MAX),
})

export type NewEvidence = Infer<typeof storedSchema>

/** Arrivals count from 1. */
export type StoredEvidence = NewEvidence & { arrival: number }

export class EvidenceStore {
  readonly #database: Database
  readonly #all: StoredEvidence[]
  readonly #names: Set<string>
  #queue: Promise<void> = Promise.resolve()

  private constructor(database: Database, all: StoredEvidence[]) {
    this.#database = database
    this.#all = all
    this.#names = new Set(all.map(nameOf))
  }

  static async open(database: Database): Promise<EvidenceStore> {
    const all: StoredEvidence[] = []
    const range = { from: evidenceKey(0), to: evidenceKey(Number.MAX_SAFE_INTEGER) }
    for await (const { key, value } of database.iterate(range))
      all.push({ ...decode(storedSchema, value), arrival: numberOf(key) })
    return new EvidenceStore(database, all)
  }

  /** Oldest first. */
  get all(): readonly StoredEvidence[] {
    return this.#all
  }

  /** Whether there is nothing new in it, or enough. */
  isKnown(offence: Pick<NewEvidence, 'epoch' | 'view' | 'kind' | 'signer'>): boolean {
    if (this.#names.has(nameOf(offence))) return true
    const { epoch, signer } = offence
    const same = this.#all.filter((each) => each.epoch === epoch && each.signer === signer)
    return same.length >= OFFENCES_MAX
  }

  /** Durable when it resolves; null when it was known. */
  async keep(evidence: NewEvidence): Promise<StoredEvidence | null> {
    if (this.isKnown(evidence)) return null
    const stored = { ...evidence, arrival: (this.#all.at(-1)?.arrival ?? 0) + 1 }
    this.#all.push(stored)
    this.#names.add(nameOf(stored))
    const operation = {
      type: 'put' as const,
      key: evidenceKey(stored.arrival),
      value: encode(storedSchema, evidence),
    }
    const written = this.#queue.then(() => this.#database.batch([operation], { sync: true }))
    this.#queue = written.catch(() => undefined)
    await written
    return stored
  }
}

function nameOf({ epoch, view, kind, signer }: Omit<NewEvidence, 'seenAt' | 'evidence'>): string {
  return `${epoch} ${view} ${kind} ${signer}`
}
