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
import { runBench } from '../../../scripts/bench/program.ts'
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

const GRANTS = 1_000

function perSecond(milliseconds: number, work: (turn: number) => unknown): number {
  for (let turn = 0; turn < 2_000; turn += 1) work(turn)
  const start = performance.now()
  let count = 0
  while (performance.now() - start < milliseconds) {
    for (let each = 0; each < 100; each += 1) work(count + each)
    count += 100
  }
  return (count * 1_000) / (performance.now() - start)
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

const steps: [string, (turn: number) => unknown][] = Object.entries(shapes).flatMap(
  ([name, grants]) => {
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
      [`decide: ${name}`, decide],
      [`read: ${name}`, (turn) => readGrant(grantOf(turn).signed)],
    ]
  },
)
const [wide] = shapes['whole classes'] ?? []
if (wide !== undefined) steps.push(['verify the signature', () => verifyGrant(wide)])

await runBench({
  name: 'consent',
  what: 'consents read, verified and decided',
  options: { milliseconds: 1_500 },
  quick: { milliseconds: 20 },
  run: ({ options, give }) => {
    for (const [what, work] of steps) give(what, '/s', perSecond(options.milliseconds, work))
  },
})
