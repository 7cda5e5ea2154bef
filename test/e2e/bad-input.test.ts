// What cannot be taken: refused with a code and the place, by the command before it sends and by the node
// whoever sends; and then nothing of it is kept. What was taken before is taken once.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiProblem } from '@mooring/api/client'
import { fromHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { createTransaction } from '@mooring/ledger'
import { readKeyFile } from '@mooring/node'
import { test } from 'uvu'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { generatedPatients } from './sources.ts'

const starting = startDevnet()

const FHIR = { contentType: 'application/fhir+json' }
const NDJSON = { contentType: 'application/fhir+ndjson' }
const FINAL_MS = 60_000

type Bad = {
  file: string
  content: string | Uint8Array
  // "line:column  entry n" as the command prints them, and the code.
  place: RegExp
  code: string
}

const bundle = (type: string, ...entries: string[]) =>
  `{"resourceType":"Bundle","type":"${type}","entry":[\n${entries.join(',\n')}\n]}\n`
const entry = (resource: string) => `  {"resource":${resource}}`
const request = (fullUrl: string, type: string, rest: string) =>
  `  {"fullUrl":"urn:uuid:${fullUrl}","request":{"method":"POST","url":"${type}"},` +
  `"resource":{"resourceType":"${type}"${rest}}}`
const KNOWN = '11111111-1111-4111-8111-111111111111'
const UNKNOWN = '22222222-2222-4222-8222-222222222222'
const PATIENT = '{"resourceType":"Patient","id":"p1","active":true}'

const BAD: Bad[] = [
  {
    file: 'not-json.json',
    content: '{"resourceType":"Patient",\n "active": tru}\n',
    place: /2:12/,
    code: 'not_json',
  },
  { file: 'not-fhir.json', content: '{"hello":"world"}\n', place: /1:1/, code: 'not_fhir' },
  {
    file: 'duplicate-id.json',
    content: bundle(
      'collection',
      entry(PATIENT),
      entry('{"resourceType":"Basic"}'),
      entry(PATIENT),
    ),
    place: /4:\d+ +entry 2/,
    code: 'duplicate_id',
  },
  {
    file: 'unresolved.json',
    content: bundle(
      'transaction',
      request(KNOWN, 'Patient', ''),
      request(UNKNOWN, 'Basic', `,"subject":{"reference":"urn:uuid:${UNKNOWN.replace('2', '3')}"}`),
    ),
    place: /3:\d+ +entry 1/,
    code: 'unresolved_reference',
  },
  {
    file: 'invalid-utf8.json',
    content: Buffer.concat([
      Buffer.from('{"resourceType":"Patient",\n"x":"'),
      Uint8Array.of(0xc3, 0x28),
      Buffer.from('"}'),
    ]),
    place: /2:6/,
    code: 'invalid_utf8',
  },
  {
    file: 'duplicate-key.json',
    content: bundle(
      'collection',
      entry('{"resourceType":"Patient",\n"active":true,\n"active":false}'),
    ),
    place: /4:1/,
    code: 'duplicate_key',
  },
  {
    file: 'lone-surrogate.json',
    content: '{"resourceType":"Patient","language":"\\ud800"}',
    place: /1:\d+/,
    code: 'lone_surrogate',
  },
  {
    file: 'one-bad-line.ndjson',
    content: `{"resourceType":"Basic","id":"a"}\n{"resourceType":"Basic",\n{"resourceType":"Basic","id":"c"}\n`,
    place: /2:\d+ +entry 1/,
    code: 'not_json',
  },
]

test('the command refuses what it cannot send, names every place, and sends nothing', async () => {
  const devnet = await starting
  await writeFile(join(devnet.folder, 'good.json'), PATIENT)
  for (const { file, content } of BAD) await writeFile(join(devnet.folder, file), content)
  const before = await accepted(devnet)
  const files = BAD.map(({ file }) => file)
  const { code, stdout, stderr } = await devnet.run(['record', 'submit', 'good.json', ...files])
  assert.equal(code, 2, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /MOR-5111/)
  assert.doesNotMatch(stderr, /good\.json:/)
  const text = stderr.replaceAll(/\n +/g, ' ')
  for (const { file, place, code: reason } of BAD) {
    const name = file.replaceAll('.', '\\.')
    assert.match(text, new RegExp(`${name}:${place.source}[^→]*?\\(${reason}\\)`), file)
  }
  assert.equal(await accepted(devnet), before)
})

test('the node refuses the same, whoever sends it', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, 0)
  const before = await accepted(devnet)
  for (const { file, content, place, code } of BAD) {
    const bytes = new Uint8Array(Buffer.from(content))
    const type = file.endsWith('ndjson') ? NDJSON : FHIR
    const problem = await problemOf(client.submitRecords(bytes, type))
    assert.deepEqual([problem.code, problem.status], ['invalid_submission', 422], file)
    const places = problem.errors.map(
      ({ line, column, entry: at, code: reason }) =>
        `${line}:${column}${at === null || at === undefined ? '' : ` entry ${at}`} ${reason}`,
    )
    const wanted = new RegExp(`^${place.source.replace(' +', ' ')}.* ${code}$`)
    const isNamed = places.some((each) => wanted.test(each))
    assert.ok(isNamed, `${file}: ${places.join('; ')}`)
  }
  assert.equal(await accepted(devnet), before)
})

test('50 MB are too much for the command and for the node', async () => {
  const devnet = await starting
  const before = await accepted(devnet)
  const huge = new Uint8Array(50 * 1024 * 1024).fill(0x20)
  huge.set(new TextEncoder().encode(PATIENT))
  await writeFile(join(devnet.folder, 'huge.json'), huge)
  const { code, stderr } = await devnet.run('record submit huge.json')
  assert.equal(code, 2)
  assert.match(stderr, /MOR-5110[^]*huge\.json has 50(?:\.0)? MiB; at most 16(?:\.0)? MiB/)
  const answer = await fetch(`${nodeAt(devnet, 0).api}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: huge,
  }).catch((error: unknown) => error)
  // A node may hang up on so much before the client has read why.
  if (answer instanceof Response) {
    assert.equal(answer.status, 413)
    assert.match(await answer.text(), /"code":"body_too_large"/)
  } else assert.ok(answer instanceof TypeError, String(answer))
  assert.equal(await accepted(devnet), before)
})

test('with --partial the good lines are taken and the bad ones named', async () => {
  const devnet = await starting
  const before = await accepted(devnet)
  const { stdout, stderr } = await devnet.succeed('record submit one-bad-line.ndjson --partial')
  assert.equal(stdout.match(/^[0-9a-f]{64} +Basic +anchored/gm)?.length, 2, stdout)
  assert.match(stderr, /left out one-bad-line\.ndjson:2:\d+ /)
  assert.match(stderr, /\(not_json\)/)
  assert.equal(await accepted(devnet), before + 2)
})

test('the same bundle again gives the same records, before and after finality', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, 0)
  const [patient] = generatedPatients(1, 77)
  assert.ok(patient !== undefined)
  const first = await client.submitRecords(patient.bytes, FHIR)
  const count = await accepted(devnet)
  const second = await client.submitRecords(patient.bytes, { ...FHIR, waitMs: FINAL_MS })
  const third = await client.submitRecords(patient.bytes, FHIR)
  const ids = ({ records }: typeof first) => records.map(({ id }) => id)
  assert.ok(first.records.every(({ status }) => status === 'accepted'))
  assert.ok(third.records.every(({ status, height }) => status === 'known' && height !== null))
  assert.deepEqual(ids(second), ids(first))
  assert.deepEqual(ids(third), ids(first))
  assert.equal(await accepted(devnet), count)
})

test('transactions that may not be are refused by their codes', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, 0)
  const make = await anchorMaker(devnet, 3)
  const altered = Uint8Array.from(make({}))
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
  const refused: [string, number, Uint8Array][] = [
    ['bad_signature', 422, altered],
    ['bad_signature', 422, make({ genesisDigest: new Uint8Array(32).fill(9) })],
    ['expired', 422, make({ expiresAt: Date.now() - 60_000 })],
    ['expires_too_late', 422, make({ expiresAt: Date.now() + 3_600_000 })],
    ['wrong_sequence', 409, make({ sequence: 7 })],
    ['wrong_signer', 422, make({ organisation: 'hospital-2' })],
    ['unknown_organisation', 422, make({ organisation: 'hospital-9' })],
    ['malformed', 422, make({}).subarray(1)],
    ['body_too_large', 413, new Uint8Array(2_000_000)],
  ]
  for (const [code, status, bytes] of refused) {
    const problem = await problemOf(client.submitTransaction(bytes))
    assert.deepEqual([problem.code, problem.status], [code, status], problem.detail)
    assert.match(problem.mor ?? '', /^MOR-4\d\d\d$/, code)
  }
})

test('a transaction sent twice is one, and its root is anchored once', async () => {
  const devnet = await starting
  const make = await anchorMaker(devnet, 3)
  const batchRoot = new Uint8Array(randomBytes(32))
  const bytes = make({ batchRoot })
  const { client } = nodeAt(devnet, 0)
  const first = await client.submitTransaction(bytes)
  assert.equal(first.status, 'accepted')
  const again = await client.submitTransaction(bytes, { waitMs: FINAL_MS })
  assert.equal(again.id, first.id)
  assert.equal(again.status, 'final')
  for (const { client: each, name } of devnet.nodes) {
    const { height } = await each.submitTransaction(bytes, { waitMs: FINAL_MS })
    assert.equal(height, again.height, name)
  }
  const response = await fetch(`${nodeAt(devnet, 1).api}/v1/transactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/cbor' },
    body: bytes.slice(),
  })
  assert.equal(response.status, 200)
  const problem = await problemOf(client.submitTransaction(make({ batchRoot, sequence: 2 })))
  assert.deepEqual([problem.code, problem.status], ['root_seen', 409])
})

test('a node goes on after an anchor that its key has signed elsewhere', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, 3)
  const bytes = new TextEncoder().encode(PATIENT)
  const { records } = await client.submitRecords(bytes, { ...FHIR, waitMs: FINAL_MS })
  assert.ok(records.every(({ height }) => height !== null))
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.succeed('devnet check')
  await devnet.close()
})

type AnchorInput = {
  genesisDigest: Uint8Array
  organisation: string
  sequence: number
  batchRoot: Uint8Array
  expiresAt: number
}

// Anchors of one organisation that submits no records: good ones, but for what is asked otherwise.
async function anchorMaker(
  devnet: Devnet,
  index: number,
): Promise<(input: Partial<AnchorInput>) => Uint8Array> {
  const { home, name } = nodeAt(devnet, index)
  const keyPair: KeyPair = await readKeyFile(join(home, 'keys', 'anchor.json'), 'anchor')
  return (input) =>
    createTransaction({
      genesisDigest: input.genesisDigest ?? fromHex(devnet.genesisDigest),
      kind: 'record.anchor',
      expiresAt: input.expiresAt ?? Date.now() + 300_000,
      body: {
        organisation: input.organisation ?? name,
        sequence: input.sequence ?? 1,
        batchRoot: input.batchRoot ?? new Uint8Array(randomBytes(32)),
        sizeBucket: 16,
      },
      keyPair,
    })
}

async function accepted(devnet: Devnet): Promise<number> {
  return (await nodeAt(devnet, 0).client.status()).records.accepted
}

async function problemOf(answer: Promise<unknown>): Promise<ApiProblem> {
  try {
    await answer
  } catch (error) {
    if (error instanceof ApiProblem) return error
    throw error
  }
  return assert.fail('it was not refused')
}

test.run()
