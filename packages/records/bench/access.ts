/*
 * How fast a holder decides: npm run bench -- access
 *
 * Without signatures is what a release costs, whose request was permitted before; with them, a witness.
 */
import { encode } from '@mooring/codec'
import {
  accessEntryCommit,
  accessRequestSchema,
  decideAccess,
  openAccessEntry,
  sealAccessEntry,
  verifyAccessRequest,
} from '../src/index.ts'
import {
  accessOf,
  anchorKeyOf,
  askedSet,
  entry,
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

function permitted(sets: number, isVerified: boolean): () => unknown {
  const asked = Array.from({ length: sets }, (_, index) => askedSet(`bench ${index}`))
  const keys = new Map(
    ['st-mary', 'county', 'lakeview', 'riverside'].map((id) => [id, anchorKeyOf(id)]),
  )
  const input = inputOf(requestOf({ sets: asked }), {
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
  ['decisions without signatures, one set', perSecond(permitted(1, true))],
  ['decisions without signatures, 64 sets', perSecond(permitted(64, true))],
  ['decisions with both signatures, one set', perSecond(permitted(1, false))],
  ['decisions with both signatures, 64 sets', perSecond(permitted(64, false))],
  ['signature of a request alone', perSecond(() => verifyAccessRequest(signed, readerKey))],
  ['encoding of a request alone', perSecond(() => encode(accessRequestSchema, signed.request))],
  ['access entries sealed', perSecond(() => sealAccessEntry(accessOf(), logKey.publicKey, random))],
  ['access entries opened', perSecond(() => openAccessEntry(entry, logKey))],
  ['commitments of entries', perSecond(() => accessEntryCommit(entry))],
]
for (const [what, rate] of figures) {
  console.log(`${what.padEnd(42)} ${rate.toLocaleString('en').padStart(10)} /s`)
}
