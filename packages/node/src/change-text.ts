// What a transaction says, for people and for programs that do not read its bytes: one sentence, and its
// body as JSON.

import { toHex } from '@mooring/codec'
import {
  type Change,
  changeAsJson,
  type DecodedTransaction,
  handleOfKey,
  type Parameters,
  type Payload,
  payloadAsJson,
} from '@mooring/ledger'
import { summaryOfIdentityEvent } from './identity-text.ts'

type Content = Record<string, unknown>

/** The organisation that a change is about; null for what concerns all. */
export function subjectOf(change: Change): string | null {
  switch (change.kind) {
    case 'admit':
      return change.body.organisation.id
    case 'role':
    case 'remove':
    case 'rekey':
      return change.body.organisation
    case 'parameters':
    case 'protocol':
      return null
  }
}

/** `before` are the parameters that it would replace, where they are known. */
export function summaryOfChange(change: Change, before: Parameters | null): string {
  switch (change.kind) {
    case 'admit':
      return `${change.body.organisation.id} joins as an observer`
    case 'role':
      return `${change.body.organisation} becomes an ${change.body.role}`
    case 'remove':
      return `${change.body.organisation} leaves the network`
    case 'rekey':
      return `${change.body.organisation} gets new keys: ${change.body.keys.map(({ duty }) => duty).join(', ')}`
    case 'parameters':
      return before === null ? 'new parameters' : differences(before, change.body)
    case 'protocol':
      return `protocol version ${change.body.version} from height ${change.body.height}`
  }
}

function differences(before: Parameters, after: Parameters): string {
  const old = new Map(Object.entries(before))
  const changed = Object.entries(after).filter(([name, value]) => old.get(name) !== value)
  if (changed.length === 0) return 'the parameters as they are'
  return changed.map(([name, value]) => `${name} ${old.get(name)} → ${value}`).join(', ')
}

export function detailsOfChange(change: Change): Content {
  return bodyOf(changeAsJson(change))
}

export function contentOf(payload: Payload): Content {
  return bodyOf(payloadAsJson(payload))
}

// A change and a payload are JSON objects with their kind beside their body.
function bodyOf(value: unknown): Content {
  const isWhole = typeof value === 'object' && value !== null && 'body' in value
  const body: unknown = isWhole ? value.body : undefined
  if (typeof body === 'object' && body !== null) return { ...body }
  throw new TypeError('the JSON of a change or a payload has a body')
}

export function summaryOfTransaction({ payload }: Pick<DecodedTransaction, 'payload'>): string {
  switch (payload.kind) {
    case 'record.anchor': {
      const { organisation, sequence } = payload.body
      return `${organisation} anchors batch ${sequence}`
    }
    case 'access.log': {
      const { organisation, sequence } = payload.body
      return `${organisation} logs access batch ${sequence}`
    }
    case 'change.propose':
      return `${payload.body.organisation} proposes: ${summaryOfChange(payload.body.change, null)}`
    case 'change.approve':
      return `${payload.body.organisation} approves change ${shortOf(payload.body.change)}`
    case 'change.withdraw':
      return `${payload.body.organisation} withdraws change ${shortOf(payload.body.change)}`
    case 'emergency.open':
      return `${payload.body.organisation} opens an emergency set: ${payload.body.reason}`
    case 'emergency.close':
      return `${payload.body.organisation} gives the reason of emergency ${shortOf(payload.body.requestId)}: ${payload.body.outcome}`
    case 'change.ready':
      return `${payload.body.organisation} is ready for change ${shortOf(payload.body.change)}`
    case 'grant.open':
      return `a grant opens handle ${shortOf(handleOfKey(payload.body.publicKey))}, relayed by ${payload.body.organisation}`
    case 'grant.revoke':
      return `handle ${shortOf(handleOfKey(payload.body.publicKey))} is revoked, relayed by ${payload.body.organisation}`
    case 'key.replace':
      return `${payload.body.organisation} replaces a key of a patient`
    case 'record.tombstone':
      return `${payload.body.organisation} erases an item: ${payload.body.reason.replaceAll('_', ' ')}`
    case 'identity.create':
    case 'identity.rotate':
    case 'identity.recover':
    case 'identity.veto':
    case 'identity.finalize':
      return summaryOfIdentityEvent(payload)
  }
}

const shortOf = (id: Uint8Array) => toHex(id.subarray(0, 4))
