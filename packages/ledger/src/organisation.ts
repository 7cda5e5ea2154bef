// A member of the network: who it is, what it may do, and one key per duty.
//
// A stolen hot key must neither vote on membership nor read a record, so every duty has a key of
// its own and no key appears twice. Names are shown in terminals and pages: control characters and
// changes of writing direction are refused. The set is spelled out, for \p{C} depends on the
// Unicode version of the engine, and nodes that disagree on a name would disagree on the chain.

import {
  bytes,
  fromHex,
  type Infer,
  list,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  toHex,
  versioned,
} from '@mooring/codec'
import { checkPublicKey } from '@mooring/crypto'

const IDENTIFIER = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/
const UNPRINTABLE: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2069],
  [0xfeff, 0xfeff],
]

export const identifierSchema = refine(
  text(64),
  (id) => IDENTIFIER.test(id),
  'a-z, 0-9 and inner hyphens, 1 to 64 of them',
)

const nameSchema = (maxBytes: number) =>
  refine(
    text(maxBytes),
    (name) => name !== '' && !name.startsWith(' ') && !name.endsWith(' ') && isPrintable(name),
    'not empty, no outer spaces, no control characters',
  )

const rolesSchema = refine(
  list(oneOf('authority', 'observer'), 8),
  (roles) => roles.length > 0 && new Set(roles).size === roles.length,
  'at least one role, none twice',
)

export const organisationSchema = versioned(1, {
  id: identifierSchema,
  name: nameSchema(128),
  legalGroup: nameSchema(64),
  roles: rolesSchema,
  keys: struct({
    governance: bytes(32),
    consensus: bytes(32),
    transport: bytes(32),
    anchor: bytes(32),
    seal: bytes(32),
    issuer: nullable(bytes(32)),
  }),
})

export type Organisation = Infer<typeof organisationSchema>
export type Duty = keyof Organisation['keys']
export type Role = Organisation['roles'][number]

export function isPrintable(name: string): boolean {
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0
    if (UNPRINTABLE.some(([from, to]) => code >= from && code <= to)) return false
  }
  return true
}

export const DUTIES = ['governance', 'consensus', 'transport', 'anchor', 'seal', 'issuer'] as const

type KeyFault = 'not_canonical' | 'small_order' | 'mixed_order'

export type KeyProblem = {
  code: KeyFault | 'duplicate_key'
  duty: Duty
  path: string
  detail: string
}

const KEY_FAULTS = {
  not_canonical: 'no canonical encoding of a point',
  small_order: 'a point of small order',
  mixed_order: 'a point with a torsion component',
}

/** Bad keys of one organisation; paths start at the organisation. */
export function checkOrganisationKeys({ keys }: Organisation): KeyProblem[] {
  const problems: KeyProblem[] = []
  const firstDuty = new Map<string, Duty>()
  for (const duty of DUTIES) {
    const key = keys[duty]
    if (key === null) continue
    const path = `keys.${duty}`
    const fault = checkKey(duty, key)
    if (fault !== undefined) problems.push({ ...fault, duty, path })
    const name = toHex(key)
    const other = firstDuty.get(name)
    if (other === undefined) firstDuty.set(name, duty)
    else {
      const detail = `the same key as keys.${other}`
      problems.push({ code: 'duplicate_key', duty, path, detail })
    }
  }
  return problems
}

/** Whether a key is one that an honest owner may have for the duty. */
export function checkKey(
  duty: Duty,
  key: Uint8Array,
): { code: KeyFault; detail: string } | undefined {
  const code = duty === 'seal' ? checkSealKey(key) : checkPublicKey(key)
  return code === undefined ? undefined : { code, detail: KEY_FAULTS[code] }
}

// The u-coordinates with which X25519 gives the same secret for every sender: 0, 1, p - 1 and two
// of order eight (RFC 7748 section 6.1).
const X25519_SMALL_ORDER = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
])
const X25519_PRIME = fromHex(`ed${'ff'.repeat(30)}7f`)

function checkSealKey(key: Uint8Array): 'not_canonical' | 'small_order' | undefined {
  if (!isBelow(key, X25519_PRIME)) return 'not_canonical'
  return X25519_SMALL_ORDER.has(toHex(key)) ? 'small_order' : undefined
}

/** Little-endian order. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = a.length - 1; index >= 0; index -= 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
