// The patient of the story, whose records lie at three hospitals: a synthetic one of the shared data, each
// encounter with what belongs to it at the hospital that provided it; without that data, a made-up one
// whose visits are dealt out.

import { memberOf, type JsonNode, textMemberOf } from '@mooring/codec'
import { generatePatient, readSubmission } from '@mooring/records'
import { HAS_SHARED_DATA, readShared } from './sources.ts'

export type StoryPatient = {
  name: string
  // The number under which hospitals keep the records.
  reference: string
  // One bundle for each hospital.
  bundles: string[]
}

type Resource = { fullUrl: string; raw: string; node: JsonNode }

const SHARED = 'synthea-2019-r4/Jill_Tillman.json'
const SEED = 4_711

export function storyPatient(hospitals: number): StoryPatient {
  const bytes = HAS_SHARED_DATA ? readShared(SHARED) : generatePatient(SEED)
  const resources = readSubmission(bytes).resources.map(({ raw, node, fullUrl }): Resource => {
    return { raw: new TextDecoder().decode(raw), node, fullUrl: fullUrl ?? '' }
  })
  const patient = resources.find(({ node }) => typeOf(node) === 'Patient')
  if (patient === undefined) throw new Error('a bundle without a patient')
  const hospitalOf = dealt(resources, hospitals)
  const bundles = Array.from({ length: hospitals }, (_, at) =>
    bundleOf(resources.filter((each) => each === patient || hospitalOf(each) === at)),
  )
  const name = HAS_SHARED_DATA ? `Jill Tillman (${SHARED})` : `a made-up patient (seed ${SEED})`
  return { name, reference: textMemberOf(patient.node, 'id') ?? '', bundles }
}

// By who provided the encounter; what belongs to none, like allergies, is with the first.
function dealt(resources: readonly Resource[], hospitals: number): (one: Resource) => number {
  const encounters = resources.filter(({ node }) => typeOf(node) === 'Encounter')
  const providers = [...new Set(encounters.map(({ node }) => referenceOf(node, 'serviceProvider')))]
  const placeOf = new Map(
    encounters.map(({ node, fullUrl }, index) => {
      const provider = providers.indexOf(referenceOf(node, 'serviceProvider'))
      return [fullUrl, (providers.length > 1 ? provider : index) % hospitals]
    }),
  )
  return ({ node, fullUrl }) => {
    const encounter = referenceOf(node, 'encounter') ?? referenceOf(node, 'context')
    return placeOf.get(fullUrl) ?? placeOf.get(encounter ?? '') ?? 0
  }
}

function bundleOf(resources: readonly Resource[]): string {
  const entries = resources.map(
    ({ fullUrl, raw }) => `{"fullUrl":${JSON.stringify(fullUrl)},"resource":${raw}}`,
  )
  return `{"resourceType":"Bundle","type":"collection","entry":[${entries.join(',\n')}]}`
}

function typeOf(node: JsonNode): string | undefined {
  return textMemberOf(node, 'resourceType')
}

function referenceOf(node: JsonNode, member: string): string | undefined {
  const reference = memberOf(node, member)
  return reference === undefined ? undefined : textMemberOf(reference, 'reference')
}
