// An emergency over real nodes: a patient carries a card, a hospital that has never seen the patient opens
// the set with one trustee dead, and everybody who should know does. And whoever tries with less than that.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { createClient } from '@mooring/api/client'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { patientIn } from '../../packages/cli/src/devnet/demo-reading.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const starting = startDevnet('-n 4')
const HOME = 0
const DEAD = 1
const OTHER = 2
const OPENER = 3
const FINAL_MS = 60_000
const WALLET = ['--wallet', 'nora.json', '--passphrase-file', 'passphrase']
const STATUS = ['patient', 'emergency', 'status', ...WALLET]
const SHOWN = ['--credential', 'ada.credential', '--key', 'ada.key']

interface Opened {
  requestId: string
  trustees: string[]
  refused: { organisation: string; code: string }[]
  summary: { section: string; lines: string[] }[]
  ms: number
}

const allergy = {
  resourceType: 'AllergyIntolerance',
  clinicalStatus: { coding: [{ code: 'active' }] },
  code: { text: 'Penicillin' },
  criticality: 'high',
}

async function json<T>(devnet: Devnet, at: number, line: readonly string[]): Promise<T> {
  const { api } = nodeAt(devnet, at)
  const { stdout } = await devnet.succeed([...line, '--json', '--endpoint', api])
  const answer: T = JSON.parse(stdout)
  return answer
}

/** The number by which an error is known. */
async function refusal(devnet: Devnet, at: number, line: readonly string[]): Promise<string> {
  const { api } = nodeAt(devnet, at)
  const { code, stderr } = await devnet.run([...line, '--json', '--endpoint', api])
  assert.notEqual(code, 0, `it was not refused: ${line.join(' ')}`)
  const problem: { code: string } = JSON.parse(stderr.slice(stderr.indexOf('{')))
  return problem.code
}

async function practitioner(devnet: Devnet, at: number, name: string, more: readonly string[]) {
  await devnet.succeed(['practitioner', 'new', `${name}.key`])
  const { stdout } = await devnet.succeed(['practitioner', 'show', `${name}.key`])
  const terms = ['--role', 'physician', '--name', name, '--licence', 'MD-1', ...more]
  const where = ['--output', `${name}.credential`, '--endpoint', nodeAt(devnet, at).api]
  await devnet.succeed(['practitioner', 'issue', stdout.trim(), ...terms, ...where])
}

const open = (card: string, shown = SHOWN, reason = 'unconscious') =>
  ['emergency', 'open', card, '--reason', reason, ...shown] as const

let card = ''
let opened: Opened | null = null
let second: Opened | null = null

test('a wallet deposits a set of what its hospital knows, and has a card for it', async () => {
  const devnet = await starting
  const home = nodeAt(devnet, HOME)
  const bundle = generatePatient(21)
  const patient = patientIn(bundle)
  const contentType = 'application/fhir+json'
  await home.client.submitRecords(bundle, { contentType, waitMs: FINAL_MS })
  const resource = { ...allergy, patient: { reference: `Patient/${patient}` } }
  const raw = new TextEncoder().encode(JSON.stringify(resource))
  await home.client.submitRecords(raw, { contentType, waitMs: FINAL_MS })
  await writeFile(join(devnet.folder, 'passphrase'), 'a long and boring passphrase\n', {
    mode: 0o600,
  })
  await devnet.succeed(['patient', 'new', ...WALLET])
  const { ticket } = await home.client.createEnrolment({ patient, endpoint: home.api })
  await devnet.succeed(['patient', 'enrol', ticket, ...WALLET])
  const made = await json<{ card: string; taken: string[] }>(devnet, HOME, [
    'patient',
    'emergency',
    'set',
    ...WALLET,
  ])
  assert.equal(made.taken.length, 4)
  ;({ card } = made)
  const shown = await json<{ card: string }>(devnet, HOME, [
    'patient',
    'emergency',
    'card',
    ...WALLET,
  ])
  assert.equal(shown.card, card)
  await practitioner(devnet, OPENER, 'ada', ['--btg'])
  await practitioner(devnet, OPENER, 'bo', [])
  await practitioner(devnet, OTHER, 'eve', ['--btg'])
})

test('with one trustee dead, a fourth hospital opens the set in one go', async () => {
  const devnet = await starting
  await devnet.succeed(['devnet', 'kill', nodeAt(devnet, DEAD).name])
  opened = await json<Opened>(devnet, OPENER, open(card))
  const allergies = opened.summary.find(({ section }) => section === 'Allergies')
  assert.ok(allergies?.lines.includes('Penicillin (criticality high)'), JSON.stringify(opened))
  assert.ok(opened.trustees.length >= 2)
  assert.ok(!opened.trustees.includes(nodeAt(devnet, DEAD).name))
  process.stdout.write(`from scan to summary: ${opened.ms} ms\n`)
})

test('the patient is told at once, and the chain has the reason and nobody’s name', async () => {
  const devnet = await starting
  assert.ok(opened !== null)
  // The hospital may see the block that has it after the one that opened.
  const notice = await eventually('the patient is told', FINAL_MS, async () => {
    const status = await json<{ notices: { organisation: string; reason: string }[] }>(
      devnet,
      HOME,
      STATUS,
    )
    return status.notices[0]
  })
  assert.deepEqual(
    [notice.organisation, notice.reason],
    [nodeAt(devnet, OPENER).name, 'unconscious'],
  )
  const { items } = await json<{ items: { requestId: string; status: string }[] }>(devnet, OPENER, [
    'emergency',
    'list',
  ])
  assert.deepEqual(
    items.map(({ requestId, status: word }) => [requestId, word]),
    [[opened.requestId, 'open']],
  )
})

test('whoever has less than card, right and reason opens nothing', async () => {
  const devnet = await starting
  const bo = ['--credential', 'bo.credential', '--key', 'bo.key']
  const eve = ['--credential', 'eve.credential', '--key', 'eve.key']
  const stolen = ['--credential', 'ada.credential', '--key', 'bo.key']
  const lost = card.replace(/1:.{4}/, '1:AAAA')
  const cases: [string, readonly string[]][] = [
    ['credential_without_right', open(card, bo)],
    ['credential_of_another', open(card, eve)],
    ['binding_forged', open(card, stolen)],
    ['emergency_reason_missing', open(card, SHOWN, '')],
    ['emergency_reason_missing', open(card, SHOWN, 'curious')],
    ['emergency_set_unknown', open(lost)],
    ['card_unreadable', open('mooring-emergency:1:x:y')],
    ['card_other_network', open(card.replace(/:[0-9a-f]{16}$/, ':0123456789abcdef'))],
  ]
  for (const [code, line] of cases) assert.equal(await refusal(devnet, OPENER, line), code)
  // A lost screen, or a second clinician: again, with a trace of its own.
  second = await json<Opened>(devnet, OPENER, open(card))
  assert.notEqual(second.requestId, opened?.requestId)
  await devnet.succeed(['practitioner', 'revoke', '1', '--endpoint', nodeAt(devnet, OPENER).api])
  assert.equal(await refusal(devnet, OPENER, open(card)), 'credential_revoked')
})

test('the last reason ends the access: the version is gone at trustees, and the next one opens', async () => {
  const devnet = await starting
  assert.ok(opened !== null && second !== null)
  const { requestId } = opened
  assert.equal(
    await refusal(devnet, OPENER, ['emergency', 'close', requestId, '--why', ' ']),
    'written_reason_missing',
  )
  const close = ['emergency', 'close', requestId, '--why', 'found unconscious']
  const closed = await json<{ status: string; reviewer: string }>(devnet, OPENER, close)
  assert.equal(closed.status, 'closed')
  assert.equal(await refusal(devnet, OPENER, close), 'emergency_closed')
  const other = ['emergency', 'close', second.requestId, '--why', 'asked for advice']
  await devnet.succeed([...other, '--endpoint', nodeAt(devnet, OPENER).api])
  await practitioner(devnet, OPENER, 'dan', ['--btg'])
  const dan = ['--credential', 'dan.credential', '--key', 'dan.key']
  const again = await json<Opened>(devnet, OPENER, open(card, dan))
  assert.notEqual(again.requestId, requestId)
  const told = [null, 'asked for advice', 'found unconscious']
  await eventually('the patient reads why', FINAL_MS, async () => {
    const { set, notices } = await json<{
      set: { spare: number }
      notices: { written: string | null }[]
    }>(devnet, HOME, STATUS)
    const written = notices.map((notice) => notice.written)
    return set.spare === 4 && isDeepStrictEqual(written, told) ? true : undefined
  })
})

test('who opts out is not opened, and a hosted patient has a card too', async () => {
  const devnet = await starting
  const home = nodeAt(devnet, HOME)
  await devnet.succeed(['devnet', 'restart', nodeAt(devnet, DEAD).name])
  const bundle = generatePatient(22)
  const contentType = 'application/fhir+json'
  await home.client.submitRecords(bundle, { contentType, waitMs: FINAL_MS })
  const made = await json<{ card: string }>(devnet, HOME, ['emergency', 'set', patientIn(bundle)])
  const dan = ['--credential', 'dan.credential', '--key', 'dan.key']
  const shown = await json<Opened>(devnet, OPENER, open(made.card, dan))
  assert.ok(shown.summary.some(({ section }) => section === 'Problems'))
  await json(devnet, HOME, ['patient', 'emergency', 'opt-out', ...WALLET])
  assert.equal(await refusal(devnet, OPENER, open(card, dan)), 'emergency_opted_out')
})

test('another owner reviews, and the patient reads what it says', async () => {
  const devnet = await starting
  assert.ok(opened !== null)
  const { requestId } = opened
  const shown = await json<{ reviewer: string }>(devnet, OPENER, ['emergency', 'show', requestId])
  const at = devnet.nodes.findIndex(({ name }) => name === shown.reviewer)
  assert.ok(at >= 0 && at !== OPENER)
  const judge = ['--judge', requestId, '--verdict', 'justified', '--note', 'clear']
  const { api } = nodeAt(devnet, at)
  const reviewer = createClient(api)
  // It may be the one that was down, and catches up.
  await eventually('the reviewer has it', FINAL_MS, async () => {
    const { items } = await reviewer.emergencyReviews()
    return items.find((each) => each.requestId === requestId)
  })
  await json(devnet, at, ['emergency', 'reviews', ...judge])
  assert.equal(await refusal(devnet, at, ['emergency', 'reviews', ...judge]), 'review_done')
  const status = await json<{ notices: { verdict: { verdict: string } | null }[] }>(
    devnet,
    HOME,
    STATUS,
  )
  assert.deepEqual(status.notices.at(-1)?.verdict?.verdict, 'justified')
})

test('neither card nor summary nor practitioner stands in what the nodes wrote in clear', async () => {
  const devnet = await starting
  const secret = card.split(':')[2] ?? ''
  for (const { home } of devnet.nodes) {
    const log = await readFile(join(home, 'logs', 'node.log'), 'utf8')
    assert.ok(log.length > 0 && !log.includes(secret))
    assert.ok(!log.includes('Penicillin'))
  }
  await devnet.close()
})

test.run()
