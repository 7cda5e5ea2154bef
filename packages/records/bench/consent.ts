/*
 * How fast a consent is decided: npm run bench -- consent
 *
 * A decision is one question of one grant, as a holder asks it for every set of a request: the grant is
 * parsed and its signature verified before. Both are measured beside it, since a grant that is new to a
 * holder costs them once.
 */
import {
  checkGrant,
  type Grant,
  type GrantQuestion,
  readGrant,
  signGrant,
  verifyGrant,
} from '../src/grant.ts'
import { consentOf, type GrantTerms } from '../src/grant.ts'
import { decideConsent } from '../src/decide-consent.ts'
import {
  DAY_MS,
  deny,
  patient,
  permit,
  questionOf,
  RECORD,
  specialist,
  START,
  termsOf,
} from '../test/consent-world.ts'

const MEASURE_MS = 1_500
const GRANTS = 1_000

function perSecond(work: (turn: number) => unknown): number {
  for (let turn = 0; turn < 2_000; turn += 1) work(turn)
  const start = performance.now()
  let count = 0
  while (performance.now() - start < MEASURE_MS) {
    for (let each = 0; each < 100; each += 1) work(count + each)
    count += 100
  }
  return Math.round((count * 1_000) / (performance.now() - start))
}

function grantsOf(terms: Partial<GrantTerms>): Grant[] {
  return Array.from({ length: GRANTS }, (_, index) => {
    const id = new Uint8Array(16)
    new DataView(id.buffer).setUint32(0, index)
    return readGrant(signGrant(patient, consentOf(termsOf({ id, ...terms }))))
  })
}

const records = Array.from({ length: 32 }, (_, index) => new Uint8Array(32).fill(100 + index))
const shapes: Record<string, Grant[]> = {
  'whole classes': grantsOf({}),
  'one type': grantsOf({ content: { classes: ['general'], types: ['Observation'] } }),
  '33 records, one practitioner': grantsOf({
    practitioner: specialist.publicKey,
    content: { records: [...records, RECORD] },
  }),
  'labels, days and eight exceptions': grantsOf({
    content: { classes: ['general'], confidentialities: ['N'] },
    provisions: [
      deny({ sensitivities: ['PSY', 'HIV'] }),
      deny({ firstDay: '2020-01-01', lastDay: '2020-12-31' }),
      deny({ authors: ['Practitioner/9'] }),
      deny({ encounters: ['Encounter/9'] }),
      permit({ types: ['AllergyIntolerance'] }),
      permit({ records, purposes: ['BTG'] }),
      deny({ types: ['Claim'] }),
      permit({ sensitivities: ['PSY'], purposes: ['BTG'] }),
    ],
  }),
}

const standing: GrantQuestion = {
  now: START + DAY_MS,
  handleOf: () => ({ kind: 'share', expiresAt: START + 60 * DAY_MS, revokedAt: null }),
  isReplaced: () => false,
}
const question = questionOf({}, { practitioner: specialist.publicKey })

const rows: [string, number][] = Object.entries(shapes).flatMap(([name, grants]) => {
  const grantOf = (turn: number): Grant => {
    const grant = grants[turn % GRANTS]
    if (grant === undefined) throw new Error('no grants')
    return grant
  }
  const decide = (turn: number) => {
    const grant = grantOf(turn)
    const code = checkGrant(grant, standing)
    const decision = decideConsent(grant.consent, question)
    if (code !== undefined || !decision.permit) throw new Error(`${name}: not permitted`)
  }
  return [
    [`decide: ${name}`, perSecond(decide)],
    [`read: ${name}`, perSecond((turn) => readGrant(grantOf(turn).signed))],
  ]
})
const [wide] = shapes['whole classes'] ?? []
if (wide !== undefined) rows.push(['verify the signature', perSecond(() => verifyGrant(wide))])

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(Object.fromEntries(rows)))
} else {
  for (const [what, rate] of rows) {
    console.log(`${what.padEnd(44)} ${rate.toLocaleString('en').padStart(10)} / s`)
  }
}
