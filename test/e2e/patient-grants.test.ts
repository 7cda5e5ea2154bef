// What a patient permits, with the commands that people type: exactly that is read, by exactly who is named,
// and nothing more once it is over.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const starting = startDevnet('-n 4')
const PATIENT = 'Patient/ada-1'

const codeOf = ({ stderr }: { stderr: string }) => /MOR-\d{4}/.exec(stderr)?.[0]

type Item = Record<string, unknown>
const itemsOf = ({ stdout }: { stdout: string }): Item[] => JSON.parse(stdout).items

const RESOURCES = {
  'allergy.json': {
    resourceType: 'AllergyIntolerance',
    patient: { reference: PATIENT },
    code: { text: 'aspirin' },
    criticality: 'high',
    recordedDate: '2020-05-03',
  },
  'pulse.json': {
    resourceType: 'Observation',
    status: 'final',
    subject: { reference: PATIENT },
    code: { text: 'pulse' },
    effectiveDateTime: '2026-03-01',
  },
  'mood.json': {
    resourceType: 'Observation',
    status: 'final',
    meta: {
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }],
    },
    subject: { reference: PATIENT },
    code: { text: 'mood' },
    effectiveDateTime: '2026-03-02',
  },
}

async function scene() {
  const devnet = await starting
  const [home, specialist, stranger] = [0, 1, 2].map((index) => nodeAt(devnet, index))
  assert.ok(home !== undefined && specialist !== undefined && stranger !== undefined)
  const as = (node: DevnetNode, line: string) => devnet.run(`${line} --endpoint ${node.api}`)
  const patient = (line: string) =>
    devnet.succeed(`patient ${line} --wallet wallet.json --passphrase-file passphrase`)
  const given = async (file: string, words: string) => {
    const { stdout } = await patient(`grant create --to ${specialist.name} ${words}`)
    const accepted = await as(specialist, `grant accept ${stdout.trim()} -o ${file}`)
    assert.equal(accepted.code, 0, accepted.stderr)
    return file
  }
  const opens = async (file: string) =>
    itemsOf(await as(specialist, `record list --grant ${file} --json`))
  return { devnet, home, specialist, stranger, as, patient, given, opens }
}

const typesOf = (items: Item[]) => items.map((each) => String(each['resourceType'])).toSorted()

test('a patient enrols at the hospital that has the records', async () => {
  const { devnet, home, as, patient } = await scene()
  for (const [name, resource] of Object.entries(RESOURCES)) {
    await writeFile(join(devnet.folder, name), JSON.stringify(resource))
    const sent = await as(home, `record submit ${name}`)
    assert.equal(sent.code, 0, sent.stderr)
  }
  await writeFile(join(devnet.folder, 'passphrase'), 'four words nobody expects\n', {
    mode: 0o600,
  })
  await patient('new')
  const { stdout } = await as(home, `enrolment create --patient ${PATIENT}`)
  await patient(`enrol ${stdout.trim()}`)
})

test('the allergies and nothing else, for the specialist and nobody else', async () => {
  const { as, given, opens, home, specialist, stranger } = await scene()
  const file = await given('allergies.json', '--type AllergyIntolerance --appointment')
  const items = await opens(file)
  assert.deepEqual(typesOf(items), ['AllergyIntolerance'])
  const read = await as(specialist, `record get ${String(items[0]?.['id'])} --grant ${file}`)
  assert.equal(JSON.parse(read.stdout).code.text, 'aspirin')
  for (const { id, resourceType } of itemsOf(await as(home, 'record list --json'))) {
    if (resourceType === 'AllergyIntolerance') continue
    const more = await as(specialist, `record get ${String(id)} --grant ${file}`)
    assert.notEqual(more.code, 0)
    assert.equal(more.stdout, '')
  }
  // The recipient hands it on: it is of no use there.
  const handed = await as(stranger, `record list --grant ${file}`)
  assert.equal(handed.code, 5)
  assert.match(handed.stderr, /not_the_recipient|for another organisation|names another/i)
})

test('a grant for treatment breaks no glass', async () => {
  const { as, specialist, opens } = await scene()
  const [item] = await opens('allergies.json')
  const line = `record get ${String(item?.['id'])} --grant allergies.json --purpose`
  for (const purpose of ['BTG', 'HRESCH', 'HMARKT']) {
    const refused = await as(specialist, `${line} ${purpose}`)
    assert.equal(refused.code, 5, purpose)
    assert.match(refused.stderr, /purpose/)
  }
})

test('classes, days, labels and exceptions open what they say', async () => {
  const { given, opens } = await scene()
  const wide = await given('wide.json', '--class general emergency')
  assert.deepEqual(typesOf(await opens(wide)), ['AllergyIntolerance', 'Observation'])
  const recent = await given('recent.json', '--events-from 2026-01-01')
  assert.deepEqual(typesOf(await opens(recent)), ['Observation'])
  const mind = await given('mind.json', '--label PSY')
  assert.deepEqual(
    (await opens(mind)).map((each) => each['class']),
    ['sensitive:psy'],
  )
  const except = await given('except.json', '--class general emergency --deny type:Observation')
  assert.deepEqual(typesOf(await opens(except)), ['AllergyIntolerance'])
})

test('a grant of fields shows those, and opens no record', async () => {
  const { as, given, opens, specialist } = await scene()
  const file = await given('fields.json', '--type AllergyIntolerance --field /criticality')
  assert.deepEqual(await opens(file), [])
  const shown = await as(specialist, `record fields --grant ${file} --json`)
  assert.equal(shown.code, 0, shown.stderr)
  assert.match(shown.stdout, /\/criticality/)
  assert.doesNotMatch(shown.stdout, /aspirin/)
})

test('what is taken back is refused, and so is all that is left when everything is', async () => {
  const { as, patient, opens, specialist } = await scene()
  const [item] = await opens('wide.json')
  const known = itemsOf(await patient('grant list --json'))
  assert.equal(known.length, 6)
  await patient('grant revoke-all')
  for (const file of ['allergies.json', 'wide.json', 'mind.json', 'fields.json']) {
    const refused = await as(specialist, `record list --grant ${file}`)
    assert.deepEqual([refused.code, codeOf(refused)], [5, 'MOR-5482'], refused.stderr)
  }
  const again = await as(specialist, `record get ${String(item?.['id'])} --grant wide.json`)
  assert.equal(codeOf(again), 'MOR-5482')
  assert.deepEqual(itemsOf(await patient('grant list --json')), [])
})

test('a grant ends by itself', async () => {
  const { as, given, opens, specialist } = await scene()
  const until = new Date(Date.now() + 20_000).toISOString()
  const file = await given('short.json', `--until ${until}`)
  assert.equal((await opens(file)).length, 1)
  await eventually('the grant has ended', 60_000, async () => {
    const ran = await as(specialist, `record list --grant ${file}`)
    if (ran.code === 0) return undefined
    assert.match(ran.stderr, /expired|ended/i)
    return ran
  })
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
