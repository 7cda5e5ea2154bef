// The words that consents have in common, in the order in which they stand there. Part of the format of
// offers, version 1: with a letter changed, no offer that somebody has reads any more.

const WORDS = [
  '"AllergyIntolerance","Condition","MedicationRequest","Observation","Immunization","DiagnosticReport"',
  '"valueCode":"emergency"},{"url":"field","valueString":"/securityLabel":[{"code":"PSY","code":"R",',
  '"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality"},"Basic"}],"Intermediate"}],',
  '{"category":[{"coding":[{"code":"59284-0","system":"http://loinc.org"}]},{"coding":[{"code":"IDSCL",',
  '"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"}]}],"dateTime":"2026-11-20T09:00:00.000Z",',
  '"identifier":[{"system":"urn:mooring:grant","value":""},{"system":"urn:mooring:handle","value":""},',
  '{"system":"urn:mooring:log-key","value":""}],"organization":[{"identifier":{"system":"urn:ietf:rfc:3986",',
  '"value":"did:mooring:org:"}}],"patient":{"identifier":{"system":"urn:ietf:rfc:3986","value":"did:key:z6Mk',
  '"}},"performer":[{"identifier":{"system":"urn:ietf:rfc:3986","value":"did:key:z6Mk"}}],"policy":[{"uri":',
  '"https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"}],"provision":{"actor":[{',
  '"reference":{"identifier":{"assigner":{"identifier":{"system":"urn:ietf:rfc:3986","value":',
  '"did:mooring:org:"}},"system":"urn:ietf:rfc:3986","value":"did:key:z6Mk"}},"role":{"coding":[{"code":',
  '"IRCP","system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType"}]}}],"data":[{"meaning":',
  '"instance","reference":{"reference":"urn:mooring:record:"}},{"meaning":"related","reference":{"reference":',
  '"Encounter/"}},{"meaning":"authoredby","reference":{"reference":"Practitioner/"}}],"dataPeriod":{"end":',
  '"2026-12-31","start":"2026-01-01"},"extension":[{"extension":[{"url":"class","valueCode":"general"},',
  '{"url":"type","valueCode":"AllergyIntolerance"}],"url":"urn:mooring:consent-scope"}],"period":{"end":',
  '"2026-12-20T08:59:59.999Z","start":"2026-11-20T09:00:00.000Z"},"provision":[{"type":"deny"}],"purpose":[{',
  '"code":"TREAT","system":"http://terminology.hl7.org/CodeSystem/v3-ActReason"}],"type":"permit"},',
  '"resourceType":"Consent","scope":{"coding":[{"code":"patient-privacy","system":',
  '"http://terminology.hl7.org/CodeSystem/consentscope"}]},"status":"active"}',
]

export const OFFER_DICTIONARY = new TextEncoder().encode(WORDS.join(''))
