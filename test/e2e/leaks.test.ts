// Nothing of a record is anywhere but in the answer to who may read it. Patients with canaries in every kind
// of field go through a network whose every byte is kept: between the nodes, on all their disks while they
// run, after the custodian was killed with records still in its queue, and in the end; in logs at their most
// talkative, and in metrics. All of it is searched for every value of the input, plain, encoded and hashed.
//
// The words of the nodes themselves (`active`, `finished`) are those that a network without these patients
// shows already; they are left out, and counted.

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { connectClient } from '@mooring/api/node-client'
import { readSubmission } from '@mooring/records'
import { ClassicLevel } from 'classic-level'
import { test } from 'uvu'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { grantAll, readAll } from './granted-reads.ts'
import { LeakSearch, StreamSearch } from './leak-search.ts'
import { leakStrings, valuesOf } from './leak-strings.ts'
import { type SpreadRecord, spread } from './provider-spread.ts'
import { recordWires, type RecordedWires } from './recorded-wires.ts'
import { sharedSources, type Source, sourceOf } from './sources.ts'

const CUSTODIAN = 0
const READER = 4
const PATIENT = 'canary-patient-7141-ptarmigan'
const BYTES = 'canary bytes 5520 wolverine, which are no FHIR at all'
const PLANTED = 'planted-canary-0001-capybara'
const FILES_STEP = 6
const BLOCKS = 500
const BUNDLE_MS = 60 * 60 * 1_000
const WAIT_MS = 120_000
const SUBMIT_MS = 8_000

const starting = startDevnet('-n 5')
const values = new Set<string>()
const resources: Uint8Array[] = []
let wires: RecordedWires | undefined
let own: ReadonlySet<string> = new Set()

test('the words of nodes without these patients are known', async () => {
  const devnet = await starting
  await devnet.succeed('devnet down')
  wires = await recordWires(devnet)
  for (const { home } of devnet.nodes) talkMuch(home)
  await devnet.succeed('devnet restart --timeout 100s')
  const plain = sourceOf('plain', new TextEncoder().encode('{"resourceType":"Basic","id":"zzzz"}'))
  const records = await spread(devnet, [plain], () => CUSTODIAN)
  const grants = await grantAll(devnet, records, nodeAt(devnet, READER))
  await readAll(nodeAt(devnet, READER), records, grants)

  const sources = [canaries(), ...sharedSources(['synthea-2021-r4'], 4).filter(isChosen)]
  for (const { records: raws } of sources) {
    for (const raw of raws) {
      resources.push(raw)
      for (const value of valuesOf(raw)) values.add(value)
    }
  }
  for (const value of [PATIENT, BYTES]) values.add(value)
  const search = searchFor(values)
  await searchAll(devnet, search)
  await searchAnswers(devnet, search)
  own = new Set(search.findings.map(({ what }) => what))
  process.stdout.write(`${own.size} strings are words of the nodes: ${[...own].join(', ')}\n`)

  const taken = await spread(devnet, sources, () => CUSTODIAN)
  await readThem(devnet, taken)
})

test('the custodian is killed with records in its queue', async () => {
  const devnet = await starting
  const { client, home } = nodeAt(devnet, CUSTODIAN)
  await devnet.succeed('devnet kill 1 2 3')
  const more = canaries('-queued')
  for (const raw of more.records) {
    resources.push(raw)
    for (const value of valuesOf(raw)) values.add(value)
  }
  const submitting = client.submitRecords(more.bytes, {
    contentType: more.contentType,
    waitMs: SUBMIT_MS,
  })
  await submitting.catch(() => undefined)
  const queued = await eventually('records wait in the queue', WAIT_MS, async () => {
    const { records } = await client.vault()
    return records.waiting > 0 ? records.waiting : undefined
  })
  const running = searchFor(values)
  running.inFiles(home)
  report('files of the custodian while records wait', running)
  await devnet.succeed(`devnet kill ${CUSTODIAN}`)
  const killed = searchFor(values)
  killed.inFiles(home)
  await killed.inDatabases(home, devnet.folder)
  report(`home of the custodian, killed with ${queued} records in the queue`, killed)
  await devnet.succeed('devnet restart --timeout 100s')
})

test('acceptance 20: chain, wires, disks, logs, metrics and bundles of five hospitals show nothing', async () => {
  const devnet = await starting
  const said = searchFor(values)
  await searchAnswers(devnet, said)
  report('metrics, status, blocks, checks and whole bundles of all', said)
  await devnet.succeed('devnet down')
  const disks = searchFor(values)
  await searchAll(devnet, disks)
  report('files and databases of all five homes', disks)
  const wire = searchFor(values)
  assert.ok(wires !== undefined)
  const stream = new StreamSearch(wire, 'between the nodes')
  for (const piece of wires.pieces) stream.take(piece)
  const submitted = resources.reduce((sum, { length }) => sum + length, 0)
  assert.ok(wires.bytes() > submitted / 4, 'the nodes do not talk through the relays')
  report('bytes between the nodes', wire)
})

test('the search finds what is there: in a file, in hex, as a hash, in a compressed database', async () => {
  const devnet = await starting
  const folder = mkdtempSync(join(devnet.folder, 'planted-'))
  const level = new ClassicLevel(join(folder, 'level'))
  await level.open()
  for (let at = 0; at < 2_000; at += 1) await level.put(`key ${at}`, 'much of the same '.repeat(20))
  await level.put('one', `much of the same ${PLANTED} and more`)
  await level.compactRange('a', 'z')
  await level.close()
  const { patterns } = leakStrings(new Set([PLANTED]), [])
  for (const [text, what] of patterns) {
    const search = new LeakSearch(patterns)
    writeFileSync(join(folder, 'file'), Buffer.from(`before ${text} after`, 'latin1'))
    search.inFiles(folder)
    assert.ok(
      search.findings.some((finding) => finding.what === what && finding.where === 'file'),
      `not found: ${what}`,
    )
    rmSync(join(folder, 'file'))
  }
  const search = new LeakSearch(patterns)
  await search.inDatabases(folder, devnet.folder)
  assert.ok(search.findings.length > 0, 'not found in the database')
  const split = new StreamSearch(search, 'a stream')
  split.take(Buffer.from(`.....${PLANTED.slice(0, 9)}`))
  split.take(Buffer.from(`${PLANTED.slice(9)}.....`))
  assert.ok(search.findings.some(({ where }) => where === 'a stream'))
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await wires?.close()
  await devnet.close()
})

function talkMuch(home: string): void {
  const path = join(home, 'config', 'mooring.toml')
  const config = readFileSync(path, 'utf8')
  writeFileSync(path, config.replace(/^\[log\]$/m, '[log]\nlevel = "debug"'))
}

const isChosen = (_: Source, index: number) => index % FILES_STEP === 2

async function readThem(devnet: Devnet, taken: readonly SpreadRecord[]): Promise<void> {
  const reader = nodeAt(devnet, READER)
  const { client, api } = nodeAt(devnet, CUSTODIAN)
  const grants = await grantAll(devnet, taken, reader)
  await readAll(
    reader,
    taken.filter((_, index) => index % 4 === 0),
    grants,
  )
  const file = join(devnet.folder, 'canary.bin')
  writeFileSync(file, BYTES)
  const patient = ['--patient', `Patient/${PATIENT}`]
  const how = ['--endpoint', api, '--media-type', 'text/plain']
  await devnet.succeed(['record', 'submit', file, ...how, ...patient])
  rmSync(file)
  const [first] = taken
  assert.ok(first !== undefined)
  await client.disclose(first.id, ['/id'])
}

function searchFor(strings: ReadonlySet<string>): LeakSearch {
  const { patterns } = leakStrings(strings, resources)
  return new LeakSearch(new Map([...patterns].filter(([, what]) => !own.has(what))))
}

async function searchAll(devnet: Devnet, search: LeakSearch): Promise<void> {
  const copy = mkdtempSync(join(devnet.folder, 'homes-'))
  for (const { home, name } of devnet.nodes) cpSync(home, join(copy, name), { recursive: true })
  search.inFiles(copy)
  const isDown = own.size > 0
  if (isDown) await search.inDatabases(copy, devnet.folder)
  rmSync(copy, { recursive: true })
}

async function searchAnswers(devnet: Devnet, search: LeakSearch): Promise<void> {
  for (const { metrics, name, client, home } of devnet.nodes) {
    const text = await (await fetch(`${metrics}/metrics`)).text()
    search.in(Buffer.from(text), `metrics of ${name}`)
    search.in(Buffer.from(JSON.stringify(await client.status())), `status of ${name}`)
    const { seeing } = connectClient(`unix:${join(home, 'run', 'admin.sock')}`).admin
    search.in(Buffer.from(JSON.stringify(await seeing.checks())), `checks of ${name}`)
    // Not redacted: what is not there need not be replaced.
    const query = { sinceMs: BUNDLE_MS, profileMs: 0, isRedacted: false }
    const archive = gunzipSync(await (await seeing.bundle(query)).arrayBuffer())
    assert.ok(archive.includes('mooring/log.ndjson'), 'a bundle has the log')
    search.in(archive, `bundle of ${name}`)
    const { items } = await client.blocks({ limit: BLOCKS })
    for (const { height } of items) {
      const block = JSON.stringify(await client.block(height))
      search.in(Buffer.from(block), `block ${height} of ${name}`)
    }
  }
}

function report(where: string, search: LeakSearch): void {
  const { patterns } = leakStrings(values, resources)
  const found = search.findings.slice(0, 20).map((each) => `${each.where}: ${each.what}`)
  assert.deepEqual(found, [], where)
  process.stdout.write(
    `figure: ${patterns.size - own.size} strings of ${values.size} values, ` +
      `${(search.bytes / 1e6).toFixed(1)} MB: none in the ${where}\n`,
  )
}

// One patient with something to recognise in every kind of field.
function canaries(suffix = ''): Source {
  const patient = `urn:uuid:00000000-0000-4000-8000-00000000c0de`
  const entries = [
    {
      resourceType: 'Patient',
      id: `${PATIENT}${suffix}`,
      identifier: [{ system: 'urn:canary:mrn-quokka', value: `canary-mrn-883920147${suffix}` }],
      name: [
        {
          family: `Canaryfamily${suffix}`,
          given: [`Canarygiven${suffix}`],
          text: 'Dr. Canary Axolotl',
        },
      ],
      telecom: [{ system: 'phone', value: '+99-555-0173-canary' }],
      birthDate: '1931-07-19',
      address: [{ line: ['17 Canary Lane, Numbatville'], postalCode: 'QX77-ZULU' }],
    },
    {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'urn:canary:codes-echidna', code: 'canary-code-41975-8' }] },
      subject: { reference: patient },
      effectiveDateTime: '1987-03-04T05:06:07.891+02:00',
      valueQuantity: { value: 7734.918_273_645, unit: 'canaryunits' },
      note: [{ text: `Canary free text${suffix}: the patient confides a fear of wombats.` }],
    },
    {
      resourceType: 'AllergyIntolerance',
      patient: { reference: patient },
      code: { text: 'canary allergy to pangolin dander' },
    },
  ]
  const entry = entries.map((resource, at) =>
    at === 0 ? { fullUrl: patient, resource } : { resource },
  )
  const bundle = { resourceType: 'Bundle', type: 'collection', entry }
  const bytes = new TextEncoder().encode(JSON.stringify(bundle))
  const { resources: found } = readSubmission(bytes)
  return {
    name: 'canaries',
    bytes,
    contentType: 'application/fhir+json',
    records: found.map(({ raw }) => raw),
  }
}

test.run()
