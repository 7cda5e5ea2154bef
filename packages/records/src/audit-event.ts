// An access as a FHIR AuditEvent (R4) of the IHE BALP profiles PatientRead and PatientQuery.
//
// This is what a patient's wallet, or a hospital's own audit repository, is given to read. It says who,
// when, which records, why and by whose leave, in words that such systems know.

import { toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import { organisationDid } from './patient-keys.ts'

export interface Access {
  readonly kind: 'read' | 'query'
  /** Of the request. */
  readonly id: Uint8Array
  readonly time: number
  readonly reader: string
  readonly custodian: string
  /** A code of v3-ActReason. */
  readonly purpose: string
  /** The patient's pairwise signing key at the custodian. */
  readonly patientKey: Uint8Array
  /** Id of the grant; null when the custodian reads by its own policy. */
  readonly grant: Uint8Array | null
  readonly records: readonly AccessedRecord[]
  /** Of a query. */
  readonly query: string | null
  readonly by: AccessActor
  /**
   * Counts what this reader has asked for under this grant, from 1, so that who reads the log sees what is
   * not in it; null where there is no grant.
   */
  readonly sequence: number | null
  /** Id of the emergency that it belongs to. */
  readonly emergency: Uint8Array | null
}

/** Who at the reader, as the reader says; a key is proved by its signature in the request. */
export interface AccessActor {
  readonly kind: 'person' | 'machine'
  readonly name: string | null
  /** Of a practitioner, or of the patient's own wallet, Ed25519. */
  readonly key: Uint8Array | null
  /** How a representative stands to the patient, as a code of v3-RoleCode or v3-ActReason. */
  readonly role: string | null
}

/** Nobody in particular: a program of the organisation. */
export const UNATTENDED: AccessActor = { kind: 'machine', name: null, key: null, role: null }

export const ACTOR_NAME_BYTES_MAX = 128

export interface AccessedRecord {
  readonly setId: Uint8Array
  readonly recordCommit: Uint8Array
  readonly class: string
}

const PROFILE = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit'
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const HL7 = 'http://terminology.hl7.org/CodeSystem'

export const ACTOR_SYSTEM = 'urn:mooring:actor'
export const ROLE_SYSTEM = 'urn:mooring:representative'
export const EMERGENCY_SYSTEM = 'urn:mooring:emergency'
export const SEQUENCE_DETAIL = 'sequence'

const KINDS = {
  read: { profile: 'PatientRead', action: 'R', subtype: 'read' },
  query: { profile: 'PatientQuery', action: 'E', subtype: 'search' },
}

export function auditEventOf(access: Access): string {
  const { profile, action, subtype } = KINDS[access.kind]
  const purpose = [{ coding: [{ system: `${HL7}/v3-ActReason`, code: access.purpose }] }]
  return JSON.stringify({
    resourceType: 'AuditEvent',
    meta: { profile: [`${PROFILE}.${profile}`] },
    type: coding(`${HL7}/audit-event-type`, 'rest', 'Restful Operation'),
    subtype: [coding('http://hl7.org/fhir/restful-interaction', subtype, subtype)],
    action,
    recorded: new Date(access.time).toISOString(),
    outcome: '0',
    purposeOfEvent: purpose,
    agent: agentsOf(access, purpose),
    source: {
      observer: organisation(access.reader),
      type: [coding(`${HL7}/security-source-type`, '4', 'Application Server')],
    },
    entity: [...entitiesOf(access)],
  })
}

function agentsOf({ kind, reader, custodian, by }: Access, purposeOfUse: unknown): object[] {
  const client = coding(DICOM, '110152', 'Destination Role ID')
  const server = coding(DICOM, '110153', 'Source Role ID')
  // Of a query the question flows to the server, of a read the record to the client.
  const [asking, answering] = kind === 'query' ? [server, client] : [client, server]
  return [
    { type: { coding: [asking] }, who: organisation(reader), requestor: false },
    { type: { coding: [answering] }, who: organisation(custodian), requestor: false },
    {
      type: {
        coding: [coding(`${HL7}/v3-ParticipationType`, 'IRCP', 'information recipient')],
      },
      ...actorOf(by),
      who: organisation(reader),
      requestor: true,
      purposeOfUse,
    },
  ]
}

function actorOf({ kind, name, key, role }: AccessActor): object {
  const roles = [coding(ACTOR_SYSTEM, kind), ...(role === null ? [] : [coding(ROLE_SYSTEM, role)])]
  return {
    role: roles.map((each) => ({ coding: [each] })),
    ...(key !== null && { altId: formatDidKey(key) }),
    ...(name !== null && { name }),
  }
}

function* entitiesOf(access: Access): Generator<object> {
  const { id, patientKey, grant, sequence, records, query, emergency } = access
  yield {
    what: identified('urn:ietf:rfc:3986', formatDidKey(patientKey)),
    type: coding(`${HL7}/audit-entity-type`, '1', 'Person'),
    role: coding(`${HL7}/object-role`, '1', 'Patient'),
  }
  yield {
    what: identified('urn:mooring:access-request', toHex(id)),
    type: coding('https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', 'XrequestId'),
  }
  if (grant !== null) {
    yield {
      what: identified('urn:mooring:grant', toHex(grant)),
      type: coding('http://hl7.org/fhir/resource-types', 'Consent', 'Consent'),
      ...(sequence !== null && {
        detail: [{ type: SEQUENCE_DETAIL, valueString: String(sequence) }],
      }),
    }
  }
  if (emergency !== null) {
    yield {
      what: identified(EMERGENCY_SYSTEM, toHex(emergency)),
      type: coding(`${HL7}/audit-entity-type`, '2', 'System Object'),
    }
  }
  if (query !== null) {
    yield {
      type: coding(`${HL7}/audit-entity-type`, '2', 'System Object'),
      role: coding(`${HL7}/object-role`, '24', 'Query'),
      query: base64(query),
    }
  }
  for (const { setId, recordCommit, class: recordClass } of records) {
    yield {
      what: identified('urn:mooring:record', toHex(recordCommit)),
      type: coding(`${HL7}/audit-entity-type`, '2', 'System Object'),
      role: coding(`${HL7}/object-role`, '4', 'Domain Resource'),
      detail: [
        { type: 'shard-set', valueString: toHex(setId) },
        { type: 'class', valueString: recordClass },
      ],
    }
  }
}

function organisation(id: string): object {
  return { ...identified('urn:ietf:rfc:3986', organisationDid(id)), display: id }
}

function identified(system: string, value: string): object {
  return { identifier: { system, value } }
}

function coding(system: string, code: string, display?: string): object {
  return display === undefined ? { system, code } : { system, code, display }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
