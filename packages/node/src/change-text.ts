// What a transaction says, for people and for programs that do not read its bytes: one sentence, and the
// content of its body with keys and digests in hex.

import { toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import type { Change, DecodedTransaction, Parameters, Payload } from '@mooring/ledger'

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
  switch (change.kind) {
    case 'admit': {
      const { id, name, legalGroup, keys } = change.body.organisation
      const byDuty = Object.entries(keys).map(([duty, key]) => [duty, hexOrNull(key)] as const)
      return { organisation: id, name, legalGroup, keys: Object.fromEntries(byDuty) }
    }
    case 'role':
      return { ...change.body }
    case 'remove': {
      const { organisation, evidence } = change.body
      return { organisation, evidence: evidence.map(encodeBase64url) }
    }
    case 'rekey': {
      const { organisation, keys } = change.body
      const byDuty = keys.map(({ duty, key }) => [duty, toHex(key)] as const)
      return { organisation, keys: Object.fromEntries(byDuty) }
    }
    case 'parameters':
      return { parameters: { ...change.body } }
    case 'protocol':
      return { ...change.body }
  }
}

const hexOrNull = (key: Uint8Array | null) => (key === null ? null : toHex(key))

export function summaryOfTransaction({ payload }: Pick<DecodedTransaction, 'payload'>): string {
  switch (payload.kind) {
    case 'record.anchor': {
      const { organisation, sequence } = payload.body
      return `${organisation} anchors batch ${sequence}`
    }
    case 'change.propose':
      return `${payload.body.organisation} proposes: ${summaryOfChange(payload.body.change, null)}`
    case 'change.approve':
      return `${payload.body.organisation} approves change ${shortOf(payload.body.change)}`
    case 'change.withdraw':
      return `${payload.body.organisation} withdraws change ${shortOf(payload.body.change)}`
    case 'change.ready':
      return `${payload.body.organisation} is ready for change ${shortOf(payload.body.change)}`
  }
}

const shortOf = (id: Uint8Array) => toHex(id.subarray(0, 4))

export function contentOf(payload: Payload): Content {
  switch (payload.kind) {
    case 'record.anchor': {
      const { batchRoot, ...rest } = payload.body
      return { ...rest, batchRoot: toHex(batchRoot) }
    }
    case 'change.propose': {
      const { organisation, reason, expiresAt, change } = payload.body
      const { kind } = change
      const closesAt = new Date(expiresAt).toISOString()
      return { organisation, reason, expiresAt: closesAt, kind, details: detailsOfChange(change) }
    }
    case 'change.approve':
    case 'change.withdraw':
    case 'change.ready': {
      const { organisation, change } = payload.body
      return { organisation, change: toHex(change) }
    }
  }
}
