// The entries of a bundle, each with its resource and what is asked to be done with it.
//
// Only the outermost bundle is opened; a bundle inside an entry is a resource like any other. What is
// taken is the content of a resource: reading, deleting, patching and operations are refused, since
// taking the rest of such a submission would do half of what was asked.
//
// A `urn:uuid:` reference has to name an entry only in a transaction, where FHIR says it is resolved
// inside the bundle. In the other types it may point at something that is not in there.

import { type JsonNode, memberOf } from '@mooring/codec'
import type { ProblemCode } from './problems.ts'
import { quote } from './problems.ts'
import { FULL_URL_BYTES_MAX, isText, named, type ResourceCollector } from './resource.ts'

const OPENED = ['transaction', 'batch', 'collection', 'searchset', 'document', 'history'] as const

// Bundles of FHIR that are no submission, and why.
const REFUSED = new Map([
  ['message', 'a message asks for an action of its own; submit the resources it carries'],
  ['batch-response', 'this is an answer to a batch, not a batch'],
  ['transaction-response', 'this is an answer to a transaction, not a transaction'],
])

const NO_READING = 'a submission takes records, it does not read them'
const REQUESTS = new Map<string, { code: ProblemCode; detail: string }>([
  ['DELETE', { code: 'delete_request', detail: 'nothing is deleted by a submission' }],
  ['GET', { code: 'read_request', detail: NO_READING }],
  ['HEAD', { code: 'read_request', detail: NO_READING }],
  ['PATCH', { code: 'patch_request', detail: 'submit the whole resource as it is now' }],
])

export type BundleType = (typeof OPENED)[number]

export function readBundle(bundle: JsonNode, collector: ResourceCollector): BundleType | null {
  const type = readBundleType(bundle, collector)
  const entries = memberOf(bundle, 'entry')
  if (type === null) return null
  if (entries === undefined) {
    collector.problems.add('empty', whole(bundle), 'the bundle has no entries')
    return type
  }
  if (entries.kind !== 'array') {
    collector.problems.add('not_fhir', whole(entries), `entry is ${named(entries)}, not an array`)
    return type
  }
  if (entries.items.length === 0) {
    collector.problems.add('empty', whole(entries), 'the bundle has no entries')
    return type
  }
  const fullUrls = new Set<string>()
  for (const [index, entry] of entries.items.entries()) {
    readEntry({ collector, type, index, fullUrls }, entry)
  }
  if (type === 'transaction') collector.checkLocalReferences(fullUrls)
  return type
}

function readBundleType(bundle: JsonNode, { problems }: ResourceCollector): BundleType | null {
  const node = memberOf(bundle, 'type')
  if (node?.kind !== 'string') {
    problems.add('not_fhir', whole(node ?? bundle), 'the bundle does not say its type')
    return null
  }
  const type = OPENED.find((each) => each === node.value)
  if (type !== undefined) return type
  const reason = REFUSED.get(node.value) ?? 'no bundle type of FHIR'
  problems.add('unsupported_bundle', whole(node), `type ${quote(node.value)}: ${reason}`)
  return null
}

function whole(node: JsonNode): { entry: null; offset: number } {
  return { entry: null, offset: node.start }
}

interface EntryContext {
  readonly collector: ResourceCollector
  readonly type: BundleType
  readonly index: number
  readonly fullUrls: Set<string>
}

function readEntry(context: EntryContext, entry: JsonNode): void {
  const { collector, type, index, fullUrls } = context
  if (entry.kind !== 'object') {
    const place = { entry: index, offset: entry.start }
    collector.problems.add('not_fhir', place, `an entry is an object, not ${named(entry)}`)
    return
  }
  const fullUrl = readFullUrl(context, entry)
  if (typeof fullUrl === 'string') fullUrls.add(fullUrl)
  const isTaken = checkRequest(context, entry)
  if (!isTaken || fullUrl === undefined) return
  const resource = memberOf(entry, 'resource')
  if (resource === undefined) {
    const place = { entry: index, offset: entry.start }
    collector.problems.add('entry_without_resource', place, 'the entry has no resource')
    return
  }
  const isFullUrlUnique = type !== 'history'
  collector.take(resource, { entry: index, base: 0, fullUrl, isFullUrlUnique })
}

function readFullUrl({ collector, index }: EntryContext, entry: JsonNode) {
  const node = memberOf(entry, 'fullUrl')
  if (node === undefined) return null
  if (isText(node, FULL_URL_BYTES_MAX)) return node.value
  const detail = `the fullUrl is not a text of 1 to ${FULL_URL_BYTES_MAX} bytes`
  collector.problems.add('not_fhir', { entry: index, offset: node.start }, detail)
  return undefined
}

function checkRequest({ collector, type, index }: EntryContext, entry: JsonNode): boolean {
  const request = memberOf(entry, 'request')
  if (request === undefined || !['transaction', 'batch', 'history'].includes(type)) return true
  const complain = (code: ProblemCode, detail: string): boolean => {
    collector.problems.add(code, { entry: index, offset: request.start }, detail)
    return false
  }
  const method = memberOf(request, 'method')
  if (method?.kind !== 'string') return complain('not_fhir', 'the request has no method')
  const url = memberOf(request, 'url')
  const asked = `${method.value} ${url?.kind === 'string' ? url.value : ''}`.trim()
  // A history tells what was done. Only a deletion leaves no resource behind to be taken.
  if (type === 'history' && method.value !== 'DELETE') return true
  const refusal = REQUESTS.get(method.value)
  if (refusal !== undefined) return complain(refusal.code, `${quote(asked)}: ${refusal.detail}`)
  if (method.value !== 'POST' && method.value !== 'PUT') {
    return complain('not_fhir', `${quote(method.value)} is no method of a request`)
  }
  if (url?.kind === 'string' && /(?:^|\/)\$/.test(url.value)) {
    return complain('operation_request', `${quote(asked)}: an operation is no record`)
  }
  if (url?.kind === 'string' && /(?:^|\/)_search(?:\?|$)/.test(url.value)) {
    return complain('read_request', `${quote(asked)}: ${NO_READING}`)
  }
  return true
}
