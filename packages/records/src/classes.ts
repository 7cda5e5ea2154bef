// The class of a record: which class key seals its manifest, and so who may be given it.
//
// A class is found from what the author's system says: labels of sensitivity first, since they are a
// decision about this very record; then the kind of resource. Allergies are what an ambulance needs.

import { type JsonNode, memberOf, refine, text, textMemberOf } from '@mooring/codec'

export const CLASS_BYTES_MAX = 64

export type RecordClass =
  | 'emergency'
  | 'general'
  | 'imaging'
  | 'stream'
  | 'research'
  | `sensitive:${string}`

const CLASS = /^(?:emergency|general|imaging|stream|research|sensitive:[a-z0-9]{1,32})$/

/** ActCode sensitivity labels that set a record apart, whatever it is. */
const SENSITIVE = new Set(
  'ETH ETHUD OPIOIDUD PSY MH BH SUD SDV SEX STD HIV GDIS SCA SICKLE PSYTHPN'.split(' '),
)
const ACT_CODE = /(?:^|[/:])(?:v3-)?ActCode$/
const IMAGING_MEDIA_TYPE = /^(?:application\/dicom|image\/)/

export const recordClassSchema = refine(
  text(CLASS_BYTES_MAX),
  (name) => CLASS.test(name),
  'emergency, general, imaging, stream, research or sensitive:<kind>',
)

export function isRecordClass(name: string): name is RecordClass {
  return CLASS.test(name)
}

/** Pass null for bytes that are no FHIR resource. */
export function classOf(node: JsonNode | null, mediaType: string): RecordClass {
  if (node === null) return IMAGING_MEDIA_TYPE.test(mediaType) ? 'imaging' : 'general'
  const label = sensitivityOf(node)
  if (label !== undefined) return `sensitive:${label.toLowerCase()}`
  const type = textMemberOf(node, 'resourceType')
  if (type === 'AllergyIntolerance') return 'emergency'
  return type === 'ImagingStudy' || type === 'ImagingSelection' ? 'imaging' : 'general'
}

/** The first by name, so that the order of labels in the resource does not matter. */
function sensitivityOf(node: JsonNode): string | undefined {
  const meta = memberOf(node, 'meta')
  const labels = meta === undefined ? undefined : memberOf(meta, 'security')
  if (labels?.kind !== 'array') return undefined
  const found = labels.items.flatMap((label) => {
    const code = textMemberOf(label, 'code')
    const system = textMemberOf(label, 'system')
    const isActCode = system === undefined || ACT_CODE.test(system)
    return code !== undefined && isActCode && SENSITIVE.has(code) ? [code] : []
  })
  return found.toSorted()[0]
}
