/*
 * How fast a holder decides: npm run bench -- access
 *
 * Without signatures is what a release costs, whose request was permitted before; with them, a witness.
 * A holder reads the text of a grant once and remembers it; what that costs is a line of its own.
 */
import { encode } from '@mooring/codec'
import {
  accessEntryCommit,
  accessRequestSchema,
  decideAccess,
  openAccessEntry,
  readGrant,
  sealAccessEntry,
  verifyAccessRequest,
} from '../src/index.ts'
import type { FacetName } from '../src/facts.ts'
import {
  accessOf,
  anchorKeyOf,
  askedSet,
  entry,
  grantOf,
  heldSets,
  inputOf,
  logKey,
  READER,
  requestOf,
} from '../test/access-world.ts'

const MEASURE_MS = 1_500

function perSecond(work: () => unknown): number {
  for (let warm = 0; warm < 200; warm += 1) work()
  const start = performance.now()
  let count = 0
  while (performance.now() - start < MEASURE_MS) {
    for (let each = 0; each < 20; each += 1) work()
    count += 20
  }
  return Math.round((count * 1_000) / (performance.now() - start))
}

interface Bench {
  readonly sets: number
  readonly isVerified: boolean
  /** For a type, which every set shows. */
  readonly isNarrow?: boolean
}

function permitted({ sets, isVerified, isNarrow = false }: Bench): () => unknown {
  const facets: FacetName[] = isNarrow ? ['type'] : []
  const asked = Array.from({ length: sets }, (_, at) => askedSet(`bench ${at}`, {}, facets))
  const content = { classes: ['general'], ...(isNarrow && { types: ['Observation'] }) }
  const grant = grantOf({ content })
  const known = readGrant(grant)
  const keys = new Map(
    ['st-mary', 'county', 'lakeview', 'riverside'].map((id) => [id, anchorKeyOf(id)]),
  )
  const input = inputOf(requestOf({ sets: asked, grant }), {
    grantOf: () => known,
    heldSet: heldSets(asked),
    anchorKeyOf: (id) => keys.get(id)?.publicKey,
    isVerified,
  })
  const digest = input.signed.request.block.digest
  return () => {
    const decision = decideAccess({ ...input, blockDigestAt: () => digest })
    if (!decision.permit) throw new Error(decision.code)
  }
}

let made = 0
const random = (length: number): Uint8Array => {
  made += 1
  return new Uint8Array(length).fill(made & 0xff)
}
const signed = inputOf().signed
const readerKey = anchorKeyOf(READER).publicKey

const figures: [string, number][] = [
  ['decisions without signatures, one set', perSecond(permitted({ sets: 1, isVerified: true }))],
  ['decisions without signatures, 64 sets', perSecond(permitted({ sets: 64, isVerified: true }))],
  [
    'the same under a grant for one type',
    perSecond(permitted({ sets: 64, isVerified: true, isNarrow: true })),
  ],
  ['decisions with both signatures, one set', perSecond(permitted({ sets: 1, isVerified: false }))],
  [
    'decisions with both signatures, 64 sets',
    perSecond(permitted({ sets: 64, isVerified: false })),
  ],
  ['text of a grant, read', perSecond(() => readGrant(signed.request.grant ?? grantOf()))],
  ['signature of a request alone', perSecond(() => verifyAccessRequest(signed, readerKey))],
  ['encoding of a request alone', perSecond(() => encode(accessRequestSchema, signed.request))],
  ['access entries sealed', perSecond(() => sealAccessEntry(accessOf(), logKey.publicKey, random))],
  ['access entries opened', perSecond(() => openAccessEntry(entry, logKey))],
  ['commitments of entries', perSecond(() => accessEntryCommit(entry))],
]
for (const [what, rate] of figures) {
  console.log(`${what.padEnd(42)} ${rate.toLocaleString('en').padStart(10)} /s`)
}
