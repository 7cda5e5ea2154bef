// An AuditEvent as audit-event.ts writes it, read back by a wallet or a custodian.
//
// Whoever made an entry can have sealed anything in it, so this believes nothing: what is not exactly of that
// form is no access, and whoever shows the log says so. That the event is true is another matter, which
// the lines of the holders beside it tell (access-log-view.ts).

import {
  fromHex,
  JsonError,
  type JsonNode,
  memberOf,
  parseJson,
  textMemberOf,
} from '@mooring/codec'
import { CryptoError, parseDidKey } from '@mooring/crypto'
import {
  type Access,
  type AccessActor,
  type AccessedRecord,
  ACTOR_NAME_BYTES_MAX,
  ACTOR_SYSTEM,
  EMERGENCY_SYSTEM,
  ROLE_SYSTEM,
  SEQUENCE_DETAIL,
} from './audit-event.ts'
import { ACCESS_ENTRY_BYTES_MAX } from './access-entry.ts'

const LIMITS = { bytesMax: ACCESS_ENTRY_BYTES_MAX, depthMax: 16 }
const RECORDS_MAX = 256
const QUERY_BYTES_MAX = 4_096
const ORGANISATION = 'did:mooring:org:'
const PURPOSE = /^[A-Z0-9]{2,32}$/
const NAME = /^[a-z][a-z0-9-]{0,63}$/
const ROLE = /^[A-Z]{2,16}$/
const CLASS = /^[a-z]+(?::[a-z0-9-]+)?$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

class NoAccess extends Error {}

/** Undefined for what is no access in our words. */
export function readAuditEvent(text: string): Access | undefined {
  try {
    return read(parseJson(new TextEncoder().encode(text), LIMITS))
  } catch (error) {
    const isForeign =
      error instanceof JsonError || error instanceof CryptoError || error instanceof NoAccess
    if (isForeign) return undefined
    throw error
  }
}

function read(event: JsonNode): Access {
  if (textMemberOf(event, 'resourceType') !== 'AuditEvent') throw new NoAccess()
  const action = textMemberOf(event, 'action')
  const kind = action === 'R' ? 'read' : action === 'E' ? 'query' : undefined
  const recorded = matching(textMemberOf(event, 'recorded'), TIME)
  const [first, second, user] = itemsOf(event, 'agent')
  if (kind === undefined || first === undefined || second === undefined || user === undefined)
    throw new NoAccess()
  const reader = organisationIn(first)
  if (organisationIn(user) !== reader) throw new NoAccess()
  const time = Date.parse(recorded)
  if (!Number.isSafeInteger(time)) throw new NoAccess()
  return {
    kind,
    time,
    reader,
    custodian: organisationIn(second),
    purpose: matching(codeIn(itemsOf(event, 'purposeOfEvent')[0]), PURPOSE),
    by: actorIn(user),
    ...entitiesIn(itemsOf(event, 'entity')),
  }
}

type Told = Omit<Access, 'kind' | 'time' | 'reader' | 'custodian' | 'purpose' | 'by'>

function entitiesIn(entities: readonly JsonNode[]): Told {
  const named = (system: string) =>
    entities.flatMap((entity) => {
      const value = identifierIn(memberOf(entity, 'what'), system)
      return value === undefined ? [] : [{ entity, value }]
    })
  const [patient] = named('urn:ietf:rfc:3986')
  const [request] = named('urn:mooring:access-request')
  const [grant] = named('urn:mooring:grant')
  const [emergency] = named(EMERGENCY_SYSTEM)
  if (patient === undefined || request === undefined) throw new NoAccess()
  const records = named('urn:mooring:record').map(({ entity, value }): AccessedRecord => {
    return {
      recordCommit: hex(value, 32),
      setId: hex(detailIn(entity, 'shard-set'), 32),
      class: matching(detailIn(entity, 'class'), CLASS),
    }
  })
  if (records.length > RECORDS_MAX) throw new NoAccess()
  const sequence = grant && detailIn(grant.entity, SEQUENCE_DETAIL)
  return {
    id: hex(request.value, 16),
    patientKey: keyOf(patient.value),
    grant: grant === undefined ? null : hex(grant.value, 16),
    sequence: sequence === undefined ? null : numberOf(sequence),
    emergency: emergency === undefined ? null : hex(emergency.value, 32),
    records,
    query: queryIn(entities),
  }
}

function actorIn(user: JsonNode): AccessActor {
  const roles = itemsOf(user, 'role')
  const code = (system: string) =>
    roles.map((role) => codeIn(role, system)).find((found) => found !== undefined) ?? null
  const kind = code(ACTOR_SYSTEM)
  if (kind !== 'person' && kind !== 'machine') throw new NoAccess()
  const role = code(ROLE_SYSTEM)
  const key = textMemberOf(user, 'altId')
  const name = textMemberOf(user, 'name') ?? null
  if (name !== null && new TextEncoder().encode(name).length > ACTOR_NAME_BYTES_MAX)
    throw new NoAccess()
  return {
    kind,
    name,
    key: key === undefined ? null : keyOf(key),
    role: role === null ? null : matching(role, ROLE),
  }
}

function queryIn(entities: readonly JsonNode[]): string | null {
  for (const entity of entities) {
    const query = textMemberOf(entity, 'query')
    if (query === undefined) continue
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(query) || query.length > QUERY_BYTES_MAX)
      throw new NoAccess()
    const bytes = Uint8Array.from(atob(query), (character) => character.charCodeAt(0))
    return new TextDecoder().decode(bytes)
  }
  return null
}

function organisationIn(agent: JsonNode): string {
  const did = identifierIn(memberOf(agent, 'who'), 'urn:ietf:rfc:3986') ?? ''
  if (!did.startsWith(ORGANISATION)) throw new NoAccess()
  return matching(did.slice(ORGANISATION.length), NAME)
}

function identifierIn(what: JsonNode | undefined, system: string): string | undefined {
  const identifier = what && memberOf(what, 'identifier')
  if (identifier === undefined || textMemberOf(identifier, 'system') !== system) return undefined
  return textMemberOf(identifier, 'value')
}

function detailIn(entity: JsonNode, type: string): string | undefined {
  const found = itemsOf(entity, 'detail').find((each) => textMemberOf(each, 'type') === type)
  return found && textMemberOf(found, 'valueString')
}

function codeIn(concept: JsonNode | undefined, system?: string): string | undefined {
  const [coding] = concept === undefined ? [] : itemsOf(concept, 'coding')
  if (coding === undefined) return undefined
  if (system !== undefined && textMemberOf(coding, 'system') !== system) return undefined
  return textMemberOf(coding, 'code')
}

function itemsOf(node: JsonNode, name: string): readonly JsonNode[] {
  const found = memberOf(node, name)
  return found?.kind === 'array' ? found.items : []
}

function matching(text: string | undefined, pattern: RegExp): string {
  if (text === undefined || !pattern.test(text)) throw new NoAccess()
  return text
}

function numberOf(text: string): number {
  const value = Number(matching(text, /^[1-9]\d{0,15}$/))
  if (!Number.isSafeInteger(value)) throw new NoAccess()
  return value
}

/** Its length is looked at first: what is long is dear to read. */
function keyOf(text: string): Uint8Array {
  return parseDidKey(matching(text, /^did:key:z[1-9A-Za-z]{30,60}$/))
}

function hex(text: string | undefined, length: number): Uint8Array {
  return fromHex(matching(text, new RegExp(`^[0-9a-f]{${length * 2}}$`)))
}
