// Class keys as they go to holders: sealed copies, each with a mark by which this custodian knows its own
// keys again when it has nothing left but what holders have. Anybody can seal something to a public key.

import { encode, equalBytes, toHex } from '@mooring/codec'
import {
  CLASS_KEY_MARK_BYTES,
  type ClassKeyContent,
  classKeyContentSchema,
  createKeyDeposit,
  type RandomBytes,
} from '@mooring/records'
import type { ClassKey } from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import type { NewKeys } from './key-deposits.ts'

export interface ClassKeyDepositsModules {
  readonly organisation: string
  readonly atRest: AtRest
  /** The custodian's own seal key, public. */
  readonly sealKey: Uint8Array
  readonly random: RandomBytes
}

const NO_MARK = new Uint8Array(CLASS_KEY_MARK_BYTES)
/** Nobody waits for a copy. */
const NO_NAME = new Uint8Array(0)
const utf8 = new TextEncoder()

export class ClassKeyDeposits {
  readonly #modules: ClassKeyDepositsModules

  constructor(modules: ClassKeyDepositsModules) {
    this.#modules = modules
  }

  /** For the custodian, the patient and others, before the first record under the key. */
  first(classKey: ClassKey, logKey: Uint8Array, others: readonly Uint8Array[]): NewKeys {
    const { sealKey, atRest } = this.#modules
    const to = new Map([sealKey, logKey, ...others].map((key) => [toHex(key), key]))
    const deposit = this.#sealed(classKey, logKey, [...to.values()])
    return { keyName: classKeyName(atRest, classKey), deposit }
  }

  copy(classKey: ClassKey, logKey: Uint8Array, recipientKey: Uint8Array): NewKeys {
    return { keyName: NO_NAME, deposit: this.#sealed(classKey, logKey, [recipientKey]) }
  }

  isOwn(content: ClassKeyContent): boolean {
    return equalBytes(content.mark, this.#markOf(content))
  }

  #sealed(classKey: ClassKey, logKey: Uint8Array, recipients: readonly Uint8Array[]) {
    const { organisation: custodian, random } = this.#modules
    const { class: name, epoch, patientKey, key } = classKey
    const content = { class: name, epoch, patientKey, logKey, classKey: key, mark: NO_MARK }
    const marked = { ...content, mark: this.#markOf(content) }
    return createKeyDeposit(marked, recipients, { custodian, random })
  }

  #markOf(content: ClassKeyContent): Uint8Array {
    const encoded = encode(classKeyContentSchema, { ...content, mark: NO_MARK })
    return this.#modules.atRest.name('class-key-mark', encoded)
  }
}

/** By which deposits and records of one class key find each other. */
export function classKeyName(
  atRest: AtRest,
  { patientKey, class: name, epoch }: Pick<ClassKey, 'patientKey' | 'class' | 'epoch'>,
): Uint8Array {
  return atRest.name('class-key', patientKey, utf8.encode(`${epoch}\0${name}`))
}
