// One resource of a submission: what it says it is, and the exact bytes it came as.
//
// The collector takes resources one by one and keeps the account that spans them: how many there
// are, how many fields they have together, which identities were seen. A resource with a problem is
// not taken; whether the others count is for the reader of the whole submission to say.

import { type JsonNode, memberOf } from '@mooring/codec'
import { type Place, type ProblemCode, ProblemList, quote, TextPositions } from './problems.ts'

export interface SubmittedResource {
  /** A slice of the submission, never re-formatted. */
  readonly raw: Uint8Array
  readonly resourceType: string
  readonly id: string | null
  readonly versionId: string | null
  readonly fullUrl: string | null
  /** Index of the bundle entry or of the NDJSON line with content; 0 for a resource on its own. */
  readonly entry: number
  readonly line: number
  /** Its offsets count from the start of the parsed text: the submission, or the NDJSON line. */
  readonly node: JsonNode
}

export interface SubmissionLimits {
  readonly bytesMax: number
  readonly resourcesMax: number
  readonly depthMax: number
}

/** What surrounds a resource: its entry, and where the parsed text starts in the submission. */
export interface Surrounding {
  readonly entry: number | null
  readonly base: number
  readonly fullUrl: string | null
  /** False in a history, which lists the versions of one resource under one address. */
  readonly isFullUrlUnique: boolean
  /** It is the whole submission, and its bytes are all of it. */
  readonly isWhole?: boolean
}

type JsonText = Extract<JsonNode, { kind: 'string' }>

interface Identity {
  readonly resourceType: string
  readonly id: string | null
  readonly versionId: string | null
}

// Bounds that no clinical resource comes near (the longest of thousands has 523 fields and a path of
// 67 characters) and that keep the work for one submission in proportion to its size.
const FIELDS_MAX = 65_536
const FIELDS_TOTAL_MAX = 1_000_000
const POINTER_MAX = 1_024

export const ID_BYTES_MAX = 256
export const FULL_URL_BYTES_MAX = 2_048

const RESOURCE_TYPE = /^[A-Z][A-Za-z]{0,63}$/
const LOCAL_REFERENCE = 'urn:uuid:'

const utf8 = new TextEncoder()

export class ResourceCollector {
  readonly bytes: Uint8Array
  readonly limits: SubmissionLimits
  readonly resources: SubmittedResource[] = []
  readonly problems = new ProblemList()
  readonly #lines: TextPositions
  readonly #entryOf = new Map<string, number>()
  readonly #localReferences: (Place & { target: string })[] = []
  #seen = 0
  #fieldsLeft = FIELDS_TOTAL_MAX

  constructor(bytes: Uint8Array, limits: SubmissionLimits) {
    this.bytes = bytes
    this.limits = limits
    this.#lines = new TextPositions(bytes)
  }

  take(node: JsonNode, around: Surrounding): void {
    const { entry, base, fullUrl } = around
    const start = base + node.start
    this.#seen += 1
    if (this.#seen > this.limits.resourcesMax) {
      const detail = `more than ${this.limits.resourcesMax} resources`
      if (this.#seen === this.limits.resourcesMax + 1) {
        this.problems.add('too_many', { entry, offset: start }, detail)
      }
      return
    }
    const isWithin = this.#measure(node, around)
    const identity = this.#identify(node, around)
    if (identity === undefined) return
    const isNew = this.#checkNew(identity, around, { entry, offset: start })
    if (!isWithin || !isNew) return
    this.resources.push({
      raw: around.isWhole === true ? this.bytes : this.bytes.subarray(start, base + node.end),
      ...identity,
      fullUrl,
      entry: entry ?? 0,
      line: this.#lines.at(start).line,
      node,
    })
  }

  /** Every `urn:uuid:` reference met so far must be one of these: the rule of a transaction. */
  checkLocalReferences(fullUrls: ReadonlySet<string>): void {
    for (const reference of this.#localReferences) {
      if (fullUrls.has(reference.target)) continue
      const detail = `no entry has the fullUrl ${quote(reference.target)}`
      this.problems.add('unresolved_reference', reference, detail)
    }
  }

  #identify(node: JsonNode, { entry, base }: Surrounding): Identity | undefined {
    const complain = (at: JsonNode, detail: string): undefined => {
      this.problems.add('not_fhir', { entry, offset: base + at.start }, detail)
      return undefined
    }
    if (node.kind !== 'object') return complain(node, `a resource is an object, not ${named(node)}`)
    const type = memberOf(node, 'resourceType')
    if (type === undefined) return complain(node, 'there is no resourceType')
    if (type.kind !== 'string' || !RESOURCE_TYPE.test(type.value)) {
      return complain(type, 'the resourceType is not the name of a resource')
    }
    const id = memberOf(node, 'id')
    if (id !== undefined && !isText(id, ID_BYTES_MAX)) {
      return complain(id, `the id is not a text of 1 to ${ID_BYTES_MAX} bytes`)
    }
    const meta = memberOf(node, 'meta')
    const versionId = meta === undefined ? undefined : memberOf(meta, 'versionId')
    if (versionId !== undefined && !isText(versionId, ID_BYTES_MAX)) {
      return complain(versionId, `the versionId is not a text of 1 to ${ID_BYTES_MAX} bytes`)
    }
    const ids = { id: id?.value ?? null, versionId: versionId?.value ?? null }
    return { resourceType: type.value, ...ids }
  }

  #checkNew(identity: Identity, { fullUrl, isFullUrlUnique }: Surrounding, place: Place): boolean {
    const { resourceType, id, versionId } = identity
    const version = versionId === null ? '' : ` in version ${quote(versionId)}`
    const isUsed = (key: string, name: string, code: ProblemCode): boolean => {
      const first = this.#remember(JSON.stringify([key, versionId]), place.entry ?? 0)
      if (first === undefined) return false
      this.problems.add(code, place, `entry ${first} is ${quote(name)}${version} already`)
      return true
    }
    if (fullUrl !== null && isFullUrlUnique) {
      if (isUsed(`url ${fullUrl}`, fullUrl, 'duplicate_full_url')) return false
    }
    if (id === null) return true
    const name = `${resourceType}/${id}`
    return !isUsed(`id ${serverOf(fullUrl, name)}${name}`, name, 'duplicate_id')
  }

  #remember(key: string, entry: number): number | undefined {
    const first = this.#entryOf.get(key)
    if (first === undefined) this.#entryOf.set(key, entry)
    return first
  }

  #measure(node: JsonNode, { entry, base }: Surrounding): boolean {
    const survey = new Survey()
    survey.visit(node, 0)
    const place = { entry, offset: base + node.start }
    for (const { target, offset } of survey.localReferences) {
      this.#localReferences.push({ target, entry, offset: base + offset })
    }
    if (survey.longestPointer > POINTER_MAX) {
      this.problems.add('path_too_long', place, `a path has more than ${POINTER_MAX} characters`)
      return false
    }
    if (survey.fields > FIELDS_MAX) {
      this.problems.add('too_many_fields', place, `more than ${FIELDS_MAX} fields in a resource`)
      return false
    }
    const wasWithin = this.#fieldsLeft >= 0
    this.#fieldsLeft -= survey.fields
    if (this.#fieldsLeft >= 0) return true
    if (wasWithin) {
      this.problems.add('too_many', place, `more than ${FIELDS_TOTAL_MAX} fields in a submission`)
    }
    return false
  }
}

/** One walk over a resource: its size in fields, and the references that point into its bundle. */
class Survey {
  fields = 0
  longestPointer = 0
  readonly localReferences: { target: string; offset: number }[] = []

  visit(node: JsonNode, pointerLength: number): void {
    if (node.kind === 'object' && node.members.length > 0) {
      for (const { key, value } of node.members) {
        if (key === 'reference') this.#note(value)
        this.visit(value, pointerLength + 1 + key.length)
      }
    } else if (node.kind === 'array' && node.items.length > 0) {
      const itemLength = pointerLength + 1 + String(node.items.length - 1).length
      for (const item of node.items) this.visit(item, itemLength)
    } else {
      this.fields += 1
      this.longestPointer = Math.max(this.longestPointer, pointerLength)
    }
  }

  #note(value: JsonNode): void {
    if (value.kind === 'string' && value.value.startsWith(LOCAL_REFERENCE)) {
      this.localReferences.push({ target: value.value, offset: value.start })
    }
  }
}

// Two servers may each have a Patient/23; a fullUrl that ends in the resource's name says whose it is.
function serverOf(fullUrl: string | null, name: string): string {
  return fullUrl?.endsWith(`/${name}`) ? fullUrl.slice(0, -name.length) : ''
}

export function isText(node: JsonNode, bytesMax: number): node is JsonText {
  if (node.kind !== 'string' || node.value === '' || node.value.length > bytesMax) return false
  return node.value.length * 3 <= bytesMax || utf8.encode(node.value).length <= bytesMax
}

/** What a node is, with its article, for a sentence. */
export function named({ kind }: JsonNode): string {
  if (kind === 'null') return 'null'
  return kind === 'array' || kind === 'object' ? `an ${kind}` : `a ${kind}`
}
