// A patient with two hospitals, over real nodes and with the commands that people type: one timeline that is
// proved and exported, a log that says who looked and who was refused, and a question with its answer.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Devnet, type DevnetNode, nodeAt, startDevnet } from './devnet.ts'

const starting = startDevnet('-n 4')
const FINAL_MS = 60_000
const WALLET = '--wallet wallet.json --passphrase-file passphrase'

interface TimelineJson {
  hospitals: { organisation: string; count: number; fault: string | null }[]
  items: {
    id: string
    custodian: string
    sequence: number
    resourceType: string | null
    eventAt: string
    proved: boolean
    fault: string | null
    mistake: boolean
    corrects: string | null
    correctedBy: string | null
  }[]
  gaps: { custodian: string; from: number; to: number }[]
  problems: { code: string }[]
}

interface LogJson {
  hospitals: {
    organisation: string
    silent: string[]
    items: {
      kind: string
      by: string
      name: string | null
      reader: string
      purpose: string
      outcome: string
      codes: string[]
      entries: string[]
      holders: string[]
      records: { id: string }[]
      warnings: string[]
    }[]
    questions: { question: string; answer: string | null }[]
  }[]
}

function observation(patient: string, id: string, day: string, more: object = {}): object {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: day,
    valueQuantity: { value: 1 },
    ...more,
  }
}

async function submit({ client }: DevnetNode, resource: object): Promise<string> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(resource)}\n`)
  const contentType = 'application/fhir+json'
  const { records } = await client.submitRecords(bytes, { contentType, waitMs: FINAL_MS })
  return records[0]?.id ?? assert.fail('nothing was taken')
}

async function json<T>(devnet: Devnet, line: string | readonly string[]): Promise<T> {
  const words = typeof line === 'string' ? line.split(' ') : line
  const { stdout } = await devnet.succeed([...words, '--json'])
  const found: T = JSON.parse(stdout)
  return found
}

const nodes = (devnet: Devnet) => [0, 1, 2].map((at) => nodeAt(devnet, at))

test('the records of two hospitals are one timeline, each entry proved', async () => {
  const devnet = await starting
  const [first, second] = nodes(devnet)
  assert.ok(first && second)
  await writeFile(join(devnet.folder, 'passphrase'), 'four words and more\n', { mode: 0o600 })
  await devnet.succeed(`patient new ${WALLET}`)
  await submit(first, observation('7', 'bp', '2019-05-02'))
  await submit(second, observation('a-9', 'pulse', '2018-01-01'))
  await submit(first, observation('7', 'bp', '2019-05-02', { status: 'amended' }))
  await submit(first, observation('8', 'other', '2019-01-01'))
  for (const [node, patient] of [
    [first, '7'],
    [second, 'a-9'],
  ] as const) {
    const { ticket } = await node.client.createEnrolment({ patient, endpoint: node.api })
    await devnet.succeed(`patient enrol ${ticket} ${WALLET}`)
  }
  await submit(second, observation('a-9', 'pulse', '2018-01-01', { status: 'entered-in-error' }))
  const found = await json<TimelineJson>(devnet, `patient timeline ${WALLET}`)
  assert.deepEqual(
    found.items.map(({ custodian, sequence, proved, fault, mistake }) => [
      custodian === first.name ? 'first' : 'second',
      sequence,
      proved,
      fault,
      mistake,
    ]),
    [
      ['second', 1, true, null, false],
      ['second', 2, true, null, true],
      ['first', 1, true, null, false],
      ['first', 2, true, null, false],
    ],
  )
  assert.deepEqual([found.gaps, found.problems], [[], []])
  assert.equal(found.items[2]?.correctedBy, found.items[3]?.id)
  assert.equal(found.items[3]?.corrects, found.items[2]?.id)
  const text = await devnet.succeed(`patient timeline ${WALLET}`)
  assert.match(text.stdout, /corrected by no\. 2/)
})

test('the export proves itself offline, and nothing that was changed in it', async () => {
  const devnet = await starting
  await devnet.succeed(`patient timeline ${WALLET} --export bundle.json`)
  const verify = (file: string) => `proof verify ${file} --genesis ${devnet.genesisFile}`
  const { stdout } = await devnet.succeed(verify('bundle.json'))
  assert.match(stdout, /VERIFIED {2}4 records of 2 hospitals/)
  const text = await readFile(join(devnet.folder, 'bundle.json'), 'utf8')
  const changed = text.replace('"value":1', '"value":2')
  assert.notEqual(changed, text)
  await writeFile(join(devnet.folder, 'changed.json'), changed)
  const refused = await devnet.run(verify('changed.json'))
  assert.equal(refused.code, 8)
  assert.match(refused.stderr, /MOR-5912/)
})

test('a recipient sees what its grants open at both hospitals, and the patient sees that it did', async () => {
  const devnet = await starting
  const [first, second, reader] = nodes(devnet)
  assert.ok(first && second && reader)
  for (const [node, file] of [
    [first, 'one.json'],
    [second, 'two.json'],
  ] as const) {
    await devnet.succeed(
      `patient grant create --to ${reader.name} --at ${node.name} --days 3 -o ${file} ${WALLET}`,
    )
  }
  const line = `record timeline --grant one.json two.json --genesis ${devnet.genesisFile} --endpoint ${reader.api}`
  const named = [...line.split(' '), '--as', 'Dr. Meyer', '--export', 'shared.json']
  const { items } = await json<TimelineJson>(devnet, named)
  assert.equal(items.length, 4)
  assert.ok(items.every(({ proved }) => proved))
  await devnet.succeed(`proof verify shared.json --genesis ${devnet.genesisFile}`)
  await devnet.succeed(`patient grant revoke-all ${WALLET}`)
  const again = await devnet.run(line)
  assert.notEqual(again.code, 0)
  const { hospitals } = await json<LogJson>(devnet, `patient access ${WALLET}`)
  for (const { organisation, silent, items: lines } of hospitals) {
    assert.deepEqual(silent, [], organisation)
    const of = (outcome: string) => lines.filter((each) => each.outcome === outcome)
    const read = of('read').filter((each) => each.reader === reader.name)
    assert.ok(read.length > 0, `${organisation}: it was read`)
    assert.ok(read.every(({ warnings }) => !warnings.includes('entry_unreadable')))
    assert.ok(read.every(({ holders }) => holders.length >= 2))
    assert.ok(read.every(({ by, name }) => by === 'person' && name === 'Dr. Meyer'))
    assert.ok(of('query').length > 0, `${organisation}: it was asked`)
    assert.ok(
      of('read').some(({ reader: who, kind }) => who === organisation && kind === 'patient'),
      `${organisation}: the patient read for the export`,
    )
  }
  const refused = hospitals.flatMap(({ items: lines }) =>
    lines.filter(({ kind }) => kind === 'refused'),
  )
  assert.ok(refused.some(({ codes }) => codes.includes('grant_revoked')))
})

test('the patient asks why, the hospital answers, and accounts for what it gave', async () => {
  const devnet = await starting
  const [first, , reader] = nodes(devnet)
  assert.ok(first && reader)
  const { hospitals } = await json<LogJson>(devnet, `patient access ${WALLET}`)
  const own = hospitals.find(({ organisation }) => organisation === first.name)
  const line = own?.items.find((each) => each.outcome === 'read' && each.reader === reader.name)
  const entry = line?.entries[0]?.slice(0, 16) ?? assert.fail('no line')
  const question = 'Why was this read?'
  await devnet.succeed(['patient', 'ask', entry, question, ...WALLET.split(' ')])
  const unknown = await devnet.run(['patient', 'ask', '00ff', question, ...WALLET.split(' ')])
  assert.equal(unknown.code, 6)
  const at = `--endpoint ${first.api}`
  const { items } = await json<{ items: { id: string; question: string }[] }>(
    devnet,
    `access questions --open ${at}`,
  )
  assert.equal(items[0]?.question, question)
  await devnet.succeed([
    'access',
    'answer',
    items[0]?.id ?? '',
    'A second opinion.',
    ...at.split(' '),
  ])
  const twice = await devnet.run(['access', 'answer', items[0]?.id ?? '', 'No.', ...at.split(' ')])
  assert.equal(twice.code, 7)
  const { stdout } = await devnet.succeed(`patient questions ${WALLET}`)
  assert.match(stdout, /A second opinion\./)
  const accounting = await json<{ items: { recipient: string; records: object[] }[] }>(
    devnet,
    `access accounting --patient Patient/7 ${at}`,
  )
  const given = accounting.items.flatMap(({ recipient, records }) => records.map(() => recipient))
  assert.deepEqual([...new Set(given)], [reader.name])
  await devnet.succeed(`patient access ${WALLET} --export log.json`)
  const bundle: { entry: { resource: { resourceType: string } }[] } = JSON.parse(
    await readFile(join(devnet.folder, 'log.json'), 'utf8'),
  )
  assert.ok(bundle.entry.length > 4)
  assert.ok(bundle.entry.every(({ resource }) => resource.resourceType === 'AuditEvent'))
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
