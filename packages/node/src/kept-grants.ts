// The grants that this custodian has seen come into force: of patients whose keys it hosts, and of wallets.
//
// A grant is kept from the moment before its handle goes on the chain, so that a handle that is final is
// never without the grant that it belongs to. Until its recipient has its keys it is unfinished, and the
// desk comes back to it: after a start, or when the time of the grant begins.

import {
  bool,
  bytes,
  bytesMax,
  concatBytes,
  list,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import type { Infer } from '@mooring/codec'
import type { PrivateValues } from '@mooring/storage'
import { REFERENCE_BYTES_MAX } from './account-record.ts'
import type { AtRest } from './at-rest.ts'
import { SealedValues } from './sealed-values.ts'

const DOCUMENT_BYTES_MAX = 64 * 1024

const keptSchema = versioned(1, {
  /** Counts up; of two grants the later one has the greater. */
  number: uint(),
  reference: text(REFERENCE_BYTES_MAX),
  id: bytes(16),
  /** Its own, and those of the delegations that it rests on. */
  handles: list(bytes(32), 8),
  recipient: text(64),
  classes: list(text(64), 64),
  purposes: list(text(32), 64),
  notBefore: uint(),
  expiresAt: uint(),
  /** Of whole classes: its recipient is given their keys. */
  isWide: bool(),
  /** As a file. */
  document: text(DOCUMENT_BYTES_MAX),
  /** From which its one-time key follows, where that was made here. */
  hostedNumber: nullable(uint()),
  /** The key under which it was deposited. */
  patientKey: bytes(32),
  /** Null while it is unfinished. */
  opened: nullable(struct({ transaction: nullable(bytes(32)), height: uint() })),
})

export type KeptGrant = Infer<typeof keptSchema>

const pointerSchema = struct({ key: bytesMax(64) })
const PAGE = 256
/** So many numbers of one millisecond. */
const NUMBERS_PER_MS = 100

export class KeptGrants {
  readonly #store: PrivateValues
  readonly #grants: SealedValues<KeptGrant>
  readonly #byHandle: SealedValues<{ key: Uint8Array }>
  readonly #unfinished: SealedValues<{ key: Uint8Array }>
  readonly #now: () => number
  #lastNumber = 0

  constructor(store: PrivateValues, atRest: AtRest, now: () => number) {
    this.#store = store
    this.#now = now
    this.#grants = new SealedValues(store, atRest, 'grants', keptSchema)
    this.#byHandle = new SealedValues(store, atRest, 'grant-handles', pointerSchema)
    this.#unfinished = new SealedValues(store, atRest, 'grants-unfinished', pointerSchema)
  }

  /** Durable when it resolves. */
  async begin(grant: Omit<KeptGrant, 'number' | 'opened'>): Promise<KeptGrant> {
    const kept = { ...grant, number: this.#nextNumber(), opened: null }
    const key = this.#keyOf(kept)
    const name = this.#nameOf(kept)
    const operations = [
      this.#grants.operation(key, kept),
      this.#byHandle.operation(name, { key }),
      this.#unfinished.operation(name, { key }),
    ]
    await this.#store.put(operations, { sync: true })
    return kept
  }

  /** Its handle is final. It stays unfinished until its recipient has its keys. Durable when it resolves. */
  async opened(
    grant: KeptGrant,
    opened: NonNullable<KeptGrant['opened']>,
    { isFinished }: { isFinished: boolean },
  ): Promise<KeptGrant> {
    const kept = { ...grant, opened }
    const done = isFinished ? [this.#unfinished.operation(this.#nameOf(kept), null)] : []
    const operations = [this.#grants.operation(this.#keyOf(kept), kept), ...done]
    await this.#store.put(operations, { sync: true })
    return kept
  }

  /** What never came into force. */
  async forget(grant: KeptGrant): Promise<void> {
    const name = this.#nameOf(grant)
    const operations = [
      this.#grants.operation(this.#keyOf(grant), null),
      this.#byHandle.operation(name, null),
      this.#unfinished.operation(name, null),
    ]
    await this.#store.put(operations, { sync: true })
  }

  findByHandle(handle: Uint8Array): KeptGrant | undefined {
    const pointer = this.#byHandle.get(this.#byHandle.name(handle))
    return pointer && this.#grants.get(pointer.key)
  }

  async unfinished(): Promise<KeptGrant[]> {
    const found: KeptGrant[] = []
    for await (const { value } of this.#unfinished.all()) {
      const grant = this.#grants.get(value.key)
      if (grant !== undefined) found.push(grant)
    }
    return found
  }

  /** Of one patient, newest first, below a number or from the newest. */
  async list(reference: string, before: number | null, limit: number): Promise<KeptGrant[]> {
    const prefix = this.#prefixOf(reference)
    const found: KeptGrant[] = []
    let after: Uint8Array | null = before === null ? prefix : concatBytes(prefix, downwards(before))
    while (found.length < limit) {
      const page = await this.#grants.list(after, Math.min(PAGE, limit - found.length))
      const own = page.filter(({ value }) => value.reference === reference)
      found.push(...own.map(({ value }) => value))
      after = page.at(-1)?.key ?? null
      if (own.length < page.length || after === null) break
    }
    return found
  }

  #nextNumber(): number {
    this.#lastNumber = Math.max(this.#lastNumber + 1, this.#now() * NUMBERS_PER_MS)
    return this.#lastNumber
  }

  #nameOf({ handles }: KeptGrant): Uint8Array {
    return this.#byHandle.name(handles[0] ?? new Uint8Array(0))
  }

  #keyOf({ reference, number }: KeptGrant): Uint8Array {
    return concatBytes(this.#prefixOf(reference), downwards(number))
  }

  #prefixOf(reference: string): Uint8Array {
    return this.#grants.name(new TextEncoder().encode(reference))
  }
}

/** Wall clock; a little later where many came at once. */
export function begunAt({ number }: Pick<KeptGrant, 'number'>): number {
  return number / NUMBERS_PER_MS
}

/** Eight bytes that are in the opposite order. */
function downwards(number: number): Uint8Array {
  const found = new Uint8Array(8)
  new DataView(found.buffer).setBigUint64(0, BigInt(Number.MAX_SAFE_INTEGER - number))
  return found
}
