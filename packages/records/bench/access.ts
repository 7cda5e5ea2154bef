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
import { runBench } from '../../../scripts/bench/program.ts'
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

function perSecond(milliseconds: number, work: () => unknown): number {
  for (let warm = 0; warm < 200; warm += 1) work()
  const start = performance.now()
  let count = 0
  while (performance.now() - start < milliseconds) {
    for (let each = 0; each < 20; each += 1) work()
    count += 20
  }
  return (count * 1_000) / (performance.now() - start)
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

const STEPS: [string, () => unknown][] = [
  ['decisions without signatures, one set', permitted({ sets: 1, isVerified: true })],
  ['decisions without signatures, 64 sets', permitted({ sets: 64, isVerified: true })],
  [
    'the same under a grant for one type',
    permitted({ sets: 64, isVerified: true, isNarrow: true }),
  ],
  ['decisions with both signatures, one set', permitted({ sets: 1, isVerified: false })],
  ['decisions with both signatures, 64 sets', permitted({ sets: 64, isVerified: false })],
  ['text of a grant, read', () => readGrant(signed.request.grant ?? grantOf())],
  ['signature of a request alone', () => verifyAccessRequest(signed, readerKey)],
  ['encoding of a request alone', () => encode(accessRequestSchema, signed.request)],
  ['access entries sealed', () => sealAccessEntry(accessOf(), logKey.publicKey, random)],
  ['access entries opened', () => openAccessEntry(entry, logKey)],
  ['commitments of entries', () => accessEntryCommit(entry)],
]

await runBench({
  name: 'access',
  what: 'a holder decides; entries sealed',
  options: { milliseconds: 1_500 },
  quick: { milliseconds: 20 },
  run: ({ options, give }) => {
    for (const [what, work] of STEPS) give(what, '/s', perSecond(options.milliseconds, work))
  },
})
