// Patients who are known at two hospitals, each under a number of its own. The two put their databases and
// the chain together: pairing the patients by them is no better than by lot.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { randomOf } from '../simulation/random.ts'
import { type Devnet, type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { chainEvents, chanceOf, type Dossier, dossiersOf, METHODS, rightPairs } from './linkage.ts'
import { PatientKeys } from './patient-keys.ts'
import { type Source, sharedSources } from './sources.ts'

const SETS = ['synthea-2019-r4', 'synthea-2021-r4', 'synthea-collection-r4']
const PATIENTS = 17
const RECORDS_EACH = 24
const SEED = Number(process.env['SEED'] ?? 2026)
// A pairing by lot is as good as this once in a million times.
const CHANCE_MIN = 1e-6
const ABOUT = /"(subject|patient|beneficiary)":\{"reference":"[^"]+"/

type Known = { seed: Uint8Array; source: Source; references: [string, string] }

const random = randomOf(SEED)
const patients = patientsOf()
const starting = startDevnet('--nodes 5')
let ours: Dossier[] = []
let theirs: Dossier[] = []

test(`${patients.length} patients enrol at two hospitals, each in an order of its own`, async () => {
  const devnet = await starting
  const orders = [shuffled(patients), shuffled(patients)] as const
  for (const [at, order] of orders.entries()) {
    const hospital = nodeAt(devnet, at)
    for (const patient of order) await bringIn(devnet, hospital, patient, at)
  }
})

test('the two put together what they have and what the chain says', async () => {
  const devnet = await starting
  const [first, second] = [nodeAt(devnet, 0), nodeAt(devnet, 1)]
  const custodians = [first.name, second.name]
  const chain = await chainEvents(first)
  await devnet.succeed('devnet kill hospital-0 hospital-1')
  const [north, south] = [numbersAt(0), numbersAt(1)]
  ours = await dossiersOf(first.home, north, chain, custodians)
  theirs = await dossiersOf(second.home, south, chain, custodians)
  for (const { reference, tokens, times } of [...ours, ...theirs]) {
    assert.ok(tokens.size >= 8, `hardly anything was found about ${reference}: ${tokens.size}`)
    assert.ok(times.length > 0, `nothing on the chain was found about ${reference}`)
  }
})

test('pairing patients is no better than by lot, whatever the method', () => {
  for (const method of METHODS) {
    const right = rightPairs(method, ours, theirs, random)
    process.stdout.write(`${method}: ${outcome(right)}\n`)
    assert.ok(chanceOf(right) > CHANCE_MIN, `${method}: ${outcome(right)}`)
  }
  const shared = ours.flatMap((own, at) =>
    [...own.tokens].filter((token) => theirs[at]?.tokens.has(token) === true),
  )
  assert.deepEqual(shared, [], 'bytes that only the dossiers of one patient have')
})

test('the same attack finds everybody where a hospital knows patients by one key', () => {
  const keys = patients.map(() => toHex(new Uint8Array(randomBytes(32))))
  const right = rightPairs('what both have', withOne(ours, keys), withOne(theirs, keys), random)
  assert.equal(right, patients.length)
  assert.ok(chanceOf(right) < CHANCE_MIN)
})

test('and everything ends', async () => {
  await (await starting).close()
})

test.run()

function numbersAt(hospital: 0 | 1): string[] {
  return patients.map(({ references }) => references[hospital])
}

// As it were if both knew a patient by the same key.
function withOne(dossiers: readonly Dossier[], keys: readonly string[]): Dossier[] {
  return dossiers.map((dossier, at) => {
    return { ...dossier, tokens: new Set([...dossier.tokens, keys[at] ?? '']) }
  })
}

function isLong({ records }: Source): boolean {
  return records.filter((raw) => rewritten(raw, '') !== undefined).length > 20
}

function patientsOf(): Known[] {
  const sources = sharedSources(SETS, PATIENTS).filter(isLong)
  return sources.slice(0, PATIENTS).map((source, index) => ({
    source,
    seed: Uint8Array.from({ length: 32 }, () => random.between(0, 255)),
    references: [`north-${1_000 + index}`, `south-${9_000 - index}`],
  }))
}

// The records that the hospital has of the patient so far, then the wallet, then one grant.
async function bringIn(
  devnet: Devnet,
  hospital: DevnetNode,
  patient: Known,
  at: number,
): Promise<void> {
  const { source, seed, references } = patient
  const reference = references[at] ?? ''
  const own = source.records.flatMap((raw) => rewritten(raw, reference) ?? [])
  const half = own.filter((_, index) => index % 2 === at).slice(0, RECORDS_EACH)
  const lines = half.join('\n')
  await hospital.client.submitRecords(new TextEncoder().encode(lines), {
    contentType: 'application/fhir+ndjson',
  })
  const wallet = new PatientKeys(devnet, hospital, seed)
  await wallet.enrol(reference)
  // One wallet never takes a one-time key twice, wherever it uses it.
  for (let taken = 0; taken < at; taken += 1) wallet.grant('hospital-2')
  await wallet.deposit(wallet.grant('hospital-2'))
}

// One line, with the hospital's own number for the patient; undefined for what is about no patient.
function rewritten(raw: Uint8Array, reference: string): string | undefined {
  const text = JSON.stringify(JSON.parse(new TextDecoder().decode(raw)))
  if (!ABOUT.test(text)) return undefined
  return text.replaceAll(
    new RegExp(ABOUT, 'g'),
    (_, role: string) => `"${role}":{"reference":"Patient/${reference}"`,
  )
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, lot: random.next() }))
    .toSorted((a, b) => a.lot - b.lot)
    .map(({ item }) => item)
}

function outcome(right: number): string {
  const chance = chanceOf(right)
  return `${right} of ${patients.length} right; by lot so many or more with a chance of ${chance.toPrecision(2)}`
}
