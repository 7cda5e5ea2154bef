// The access log of a patient as FHIR: a collection Bundle of AuditEvents of the IHE BALP profiles.
//
// What was read is the event as its reader sealed it. What was refused is an AuthZconsent event in the words of
// whoever refused. Beside each stands who has it in a log, and in which block: `source` is the reader's
// claim, these are the others' attestation.

import { toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import type { LoggedAccess } from './access-log-view.ts'
import { auditEventOf } from './audit-event.ts'
import { organisationDid } from './patient-keys.ts'

export interface AuditBundleOf {
  readonly custodian: string
  readonly patientKey: Uint8Array
  readonly accesses: readonly LoggedAccess[]
}

const HL7 = 'http://terminology.hl7.org/CodeSystem'
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const AUTHORIZED =
  'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent'
const REFUSED = '8'

export function formatAuditBundle(parts: readonly AuditBundleOf[], at: number): string {
  const entry = parts.flatMap((part) =>
    part.accesses.flatMap((access) =>
      eventsOf(part, access).map((resource) => ({
        resource: { ...resource, meta: tagged(resource, access) },
      })),
    ),
  )
  const timestamp = new Date(at).toISOString()
  return `${JSON.stringify({ resourceType: 'Bundle', type: 'collection', timestamp, entry }, null, 1)}\n`
}

type Resource = Record<string, unknown>

function eventsOf(part: AuditBundleOf, access: LoggedAccess): Resource[] {
  const { event, refusals } = access
  const read: Resource[] = event === null ? [] : [JSON.parse(auditEventOf(event))]
  return [...read, ...refusals.map((refusal) => refusedOf(part, access, refusal))]
}

function refusedOf(
  { custodian, patientKey }: AuditBundleOf,
  { id, asked, attested }: LoggedAccess,
  { holder, organisation, code }: LoggedAccess['refusals'][number],
): Resource {
  const time = attested.find((each) => each.holder === holder)?.time ?? 0
  return {
    resourceType: 'AuditEvent',
    meta: { profile: [AUTHORIZED] },
    type: { system: DICOM, code: '110113', display: 'Security Alert' },
    subtype: [{ system: 'urn:ietf:rfc:3881', code: 'AuthZ-Consent' }],
    action: 'E',
    recorded: new Date(time).toISOString(),
    outcome: REFUSED,
    outcomeDesc: code,
    ...(asked !== null && {
      purposeOfEvent: [{ coding: [{ system: `${HL7}/v3-ActReason`, code: asked.purpose }] }],
    }),
    agent: [
      {
        type: { coding: [{ system: `${HL7}/v3-ParticipationType`, code: 'IRCP' }] },
        who: organisationOf(organisation),
        requestor: true,
      },
      {
        type: { coding: [{ system: DICOM, code: '110152' }] },
        who: organisationOf(holder),
        requestor: false,
      },
    ],
    source: {
      observer: organisationOf(holder),
      type: [{ system: `${HL7}/security-source-type`, code: '4' }],
    },
    entity: [
      {
        what: identified('urn:ietf:rfc:3986', formatDidKey(patientKey)),
        type: { system: `${HL7}/audit-entity-type`, code: '1' },
        role: { system: `${HL7}/object-role`, code: '1' },
      },
      { what: identified('urn:mooring:access', toHex(id)) },
      { what: identified('urn:ietf:rfc:3986', organisationDid(custodian)) },
    ],
  }
}

function tagged({ meta }: Resource, { id, attested }: LoggedAccess): object {
  const known = typeof meta === 'object' && meta !== null ? meta : {}
  return {
    ...known,
    tag: [
      { system: 'urn:mooring:access', code: toHex(id) },
      ...attested.map(({ holder, height }) => {
        return { system: 'urn:mooring:attested-by', code: holder, display: blockOf(height) }
      }),
    ],
  }
}

function blockOf(height: number | null): string {
  return height === null ? 'waits for a block' : `block ${height}`
}

function organisationOf(id: string): object {
  return { ...identified('urn:ietf:rfc:3986', organisationDid(id)), display: id }
}

function identified(system: string, value: string): object {
  return { identifier: { system, value } }
}
