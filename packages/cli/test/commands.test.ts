import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { formatGenesisJson } from '@mooring/ledger'
import { test } from 'uvu'
import { documentOf, prove } from '../../api/test/proof-world.ts'
import { inWorld, withNode } from './world.ts'

const RECORD = '{"resourceType":"Patient","birthDate":"1970-01-01"}'

const json = (text: string): Record<string, unknown> => JSON.parse(text)

test('a submission waits for its anchor and prints the records as a table', () =>
  withNode(async ({ run, node, folder }) => {
    writeFileSync(join(folder, 'a.json'), RECORD)
    const submitted = run('record submit a.json')
    while (node.stored.size === 0) await new Promise(setImmediate)
    node.finalize()
    const { code, stdout, stderr } = await submitted
    assert.equal(code, 0, stderr)
    const [id = ''] = node.stored.keys()
    const [title = '', row = '', ...rest] = stdout.trimEnd().split('\n')
    assert.match(title, /^record {60}type {5}status {4}block {2}file$/)
    assert.equal(row.replaceAll(/ +/g, ' '), `${id} Patient anchored 1 a.json`)
    assert.deepEqual(rest, [])
    assert.match(stderr, /^accepted 1\/1 {2}a\.json {2}51 B, 1 record\nanchored after/)
  }))

test('several files are several submissions, one JSON document, and stdin is a file', () =>
  withNode(async ({ run, folder }) => {
    writeFileSync(join(folder, 'a.json'), RECORD)
    const lines = '{"resourceType":"Device"}\n{"resourceType":"Location"}\n'
    const options = { stdin: lines }
    const { code, stdout, stderr } = await run(
      'record submit a.json - --no-wait --json -q',
      options,
    )
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    const items = json(stdout)['items']
    assert.ok(Array.isArray(items))
    assert.deepEqual(
      items.map((item) => [item.file, item.records.length]),
      [
        ['a.json', 1],
        ['-', 2],
      ],
    )
  }))

test('when one file of a call is bad nothing is sent, and every place is named', () =>
  withNode(async ({ run, node, folder }) => {
    writeFileSync(join(folder, 'good.json'), RECORD)
    writeFileSync(join(folder, 'bad.json'), '{"resourceType":"Patient",\n "a":1,\n "a":2}')
    writeFileSync(join(folder, 'other.json'), '{"name":"no type"}')
    const { code, stdout, stderr } = await run('record submit good.json bad.json other.json')
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^error: a file is no FHIR resource or bundle \(MOR-5111\)\n/)
    assert.match(stderr, /bad\.json:3:2 /)
    assert.match(stderr, /other\.json:1:1 /)
    assert.equal(node.stored.size, 0)
    assert.equal((await run('record submit good.json gone.json')).code, 6)
    assert.equal((await run(`record submit ${folder}`)).code, 1)
    assert.equal(node.arrivals, 0)
  }))

test('a file that is too large is refused before it is read', () =>
  withNode(async ({ run, node, folder }) => {
    writeFileSync(join(folder, 'large.json'), Buffer.alloc(16 * 1024 * 1024 + 1, 32))
    const { code, stderr } = await run('record submit large.json')
    assert.equal(code, 2)
    assert.match(stderr, /MOR-5110/)
    assert.match(stderr, /large\.json has 16\.0 MiB; at most 16\.0 MiB/)
    assert.equal(node.arrivals, 0)
  }))

test('good lines of NDJSON are taken beside bad ones only when asked for', () =>
  withNode(async ({ run, node, folder }) => {
    writeFileSync(join(folder, 'a.ndjson'), `${RECORD}\n{"name":"no type"}\n`)
    assert.equal((await run('record submit a.ndjson --no-wait')).code, 2)
    const { code, stdout, stderr } = await run('record submit a.ndjson --no-wait --partial')
    assert.equal(code, 0, stderr)
    assert.equal(stdout.trimEnd().split('\n').length, 2)
    assert.match(stderr, /left out a\.ndjson:2:1 .*\(not_fhir\)/)
    assert.equal(node.stored.size, 1)
  }))

test('waiting for an anchor ends with its own code when the time is over', () =>
  withNode(async ({ run, folder }) => {
    writeFileSync(join(folder, 'a.json'), RECORD)
    const { code, stdout, stderr } = await run('record submit a.json --wait-timeout 1ms')
    assert.equal(code, 9)
    assert.equal(stdout, '')
    assert.match(stderr, /MOR-4033/)
  }))

test('the bytes of a record come back exactly, to stdout and to a file', () =>
  withNode(async ({ run, node, folder }) => {
    const text = '{"resourceType":"Observation","value":1.50,"note":"Zoë"}'
    await run('record submit - --no-wait', { stdin: text })
    const [id = ''] = node.stored.keys()
    const { bytes, stderr } = await run(`record get ${id}`)
    assert.deepEqual(Buffer.from(bytes).toString('utf8'), text)
    assert.equal(stderr, 'anchored in block 12\n')
    await run(`record get ${id} -o out.json`)
    assert.equal(readFileSync(join(folder, 'out.json'), 'utf8'), text)
    assert.equal(json((await run(`record get ${id} --json`)).stdout)['id'], id)
    const missing = await run(`record get ${'0'.repeat(64)}`)
    assert.equal(missing.code, 6)
    assert.match(missing.stderr, /^error: no record has this id \(MOR-4009\)/)
    const list = await run('record list --type Observation')
    assert.match(list.stdout, new RegExp(`\n${id}  Observation  5\\d B  accepted`))
    assert.equal((await run('record list --type Device')).stdout.trimEnd().split('\n').length, 1)
  }))

test('blocks are listed, shown and followed', () =>
  withNode(async ({ run, node }) => {
    for (let count = 0; count < 3; count += 1) node.finalize()
    const list = await run('block list --limit 2')
    assert.deepEqual(
      list.stdout.split('\n').map((line) => line.trim().split(/ +/)[0]),
      ['height', '3', '2', ''],
    )
    const items = json((await run('block list --json')).stdout)['items']
    assert.ok(Array.isArray(items) && items.length === 3)
    assert.match((await run('block get 2')).stdout, /^block {9}2\ndigest/)
    assert.equal(json((await run('block get latest --json')).stdout)['height'], 3)
    assert.equal((await run('block get 9')).code, 6)
    const tail = await run('block tail --from 1 --count 3 --json')
    const heights = tail.stdout
      .trimEnd()
      .split('\n')
      .map((line) => json(line)['height'])
    assert.deepEqual(heights, [1, 2, 3])
  }))

test('a transaction is shown while it waits, and waited for', () =>
  withNode(async ({ run, node }) => {
    const id = 'ab'.repeat(32)
    node.pending.set(id, new Uint8Array([1]))
    assert.match((await run(`tx get ${id}`)).stdout, /status {7}pending/)
    assert.equal((await run(`transaction wait ${id} --timeout 1ms`)).code, 9)
    node.finalize()
    const { stdout, code } = await run(`transaction wait ${id} --json`)
    assert.equal(code, 0)
    assert.equal(json(stdout)['height'], 1)
    assert.equal((await run(`tx get ${'0'.repeat(64)}`)).code, 6)
  }))

test('the status of a stalled network says what is missing, and ends with 9', () =>
  withNode(async ({ run, url }) => {
    const { code, stdout } = await run('status')
    assert.equal(code, 9)
    assert.match(stdout, /^node {7}st-mary/)
    assert.match(stdout, /\nstalled: no block finalized for 47 s at height 0, view 1 \(MOR-3001\)/)
    assert.match(
      stdout,
      /\n {2}need 3 of 4 authorities, see 2\n {2}riverside and lakeview are missing\.\n/,
    )
    assert.ok(stdout.includes(`from ${url} (MOORING_ENDPOINT)`))
    assert.match((await run('status --all')).stdout, /\nriverside .*away .*connection refused/)
    const document = json((await run('status --json')).stdout)
    assert.equal(document['schema'], 'mooring/status/v1')
  }))

test('the probe asks the metrics port and ends with 0 or 1', () =>
  withNode(async ({ run, node, metricsUrl }) => {
    const probe = (line: string) => run(`${line} --endpoint ${metricsUrl}`)
    assert.deepEqual((await probe('healthcheck')).code, 0)
    assert.deepEqual((await probe('healthcheck --ready')).code, 0)
    node.conditions = [{ name: 'peers', ok: false, detail: '0 of 3 members are connected.' }]
    const { code, stderr, stdout } = await probe('healthcheck --ready')
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^0 of 3 members are connected\./)
    assert.equal((await run('healthcheck --endpoint http://127.0.0.1:1')).code, 1)
  }))

test('a proof is fetched, and refused while there is none', () =>
  withNode(async ({ run, node, folder }) => {
    await run('record submit - --no-wait', { stdin: RECORD })
    const [id = ''] = node.stored.keys()
    assert.equal((await run(`proof get ${id}`)).code, 9)
    node.finalize()
    const { stdout } = await run(`proof get ${id}`)
    assert.ok('record' in json(stdout))
    await run(`proof get ${id} --no-opening -o p.json`)
    assert.match(readFileSync(join(folder, 'p.json'), 'utf8'), /"opening": null/)
  }))

test('a proof is verified offline, step by step, from the digest or the file of the genesis', () =>
  inWorld(async ({ run, folder }) => {
    const { record, raw, genesis, digest } = prove()
    writeFileSync(join(folder, 'p.json'), documentOf(record))
    writeFileSync(join(folder, 'r.json'), raw)
    writeFileSync(join(folder, 'genesis.json'), formatGenesisJson(genesis))
    const hex = toHex(digest)
    const full = await run(`proof verify p.json --file r.json --genesis-digest ${hex} --steps`)
    assert.equal(full.code, 0, full.stderr)
    const lines = full.stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => line.slice(0, 1)),
      ['1', '2', '3', '4', '5', '6', 'V'],
    )
    assert.equal(lines[6], 'VERIFIED  record was final in block 1 on 2026-11-20T09:31:07.000Z')
    const short = await run('proof verify p.json --file r.json --genesis genesis.json')
    assert.equal(short.stdout, `${lines[6]}\n`)
    const both = `--genesis genesis.json --genesis-digest ${hex.toUpperCase()}`
    assert.equal((await run(`proof verify p.json ${both}`)).code, 0)
    const document = json((await run(`proof verify p.json --genesis-digest ${hex} --json`)).stdout)
    assert.equal(document['ok'], true)
    assert.match((await run(`proof verify p.json --genesis-digest ${hex}`)).stderr, /No --file/)
  }))

test('a disclosure shows its fields and nothing else, once it holds', () =>
  inWorld(async ({ run, folder }) => {
    const { digest, disclose } = prove()
    const shown = documentOf(disclose('/valueQuantity'))
    writeFileSync(join(folder, 'shown.json'), shown)
    writeFileSync(join(folder, 'altered.json'), shown.replace('"1.50"', '"9.50"'))
    const trust = `--genesis-digest ${toHex(digest)}`
    const { code, stdout, stderr } = await run(`proof verify shown.json ${trust}`)
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    const [field, verdict] = stdout.trimEnd().split('\n')
    assert.equal(field, '/valueQuantity/value  1.50')
    assert.match(verdict ?? '', /^VERIFIED {2}record with these fields was final in block 1 on /)
    const altered = await run(`proof verify altered.json ${trust}`)
    assert.equal(altered.code, 8)
    assert.equal(altered.stdout, '')
  }))

test('whatever does not fit ends with 8 and the step that failed', () =>
  inWorld(async ({ run, folder }) => {
    const { record, raw, genesis, digest } = prove()
    const hex = toHex(digest)
    writeFileSync(join(folder, 'p.json'), documentOf(record))
    writeFileSync(join(folder, 'other.json'), Buffer.concat([raw, Buffer.from(' {}')]))
    writeFileSync(join(folder, 'genesis.json'), formatGenesisJson(genesis))
    writeFileSync(join(folder, 'broken.json'), documentOf(record).slice(0, 100))
    writeFileSync(join(folder, 'few.json'), documentOf(prove({ signers: [0, 1] }).record))
    const failing: [line: string, expected: RegExp][] = [
      [`p.json --file other.json --genesis-digest ${hex}`, /Step 1, raw commitment: /],
      [`p.json --genesis-digest ${'0'.repeat(64)}`, /Step 0, document: .*wrong_network/s],
      [`few.json --genesis-digest ${hex}`, /Step 5, finalization: /],
      [`broken.json --genesis-digest ${hex}`, /Step 0, document: .*malformed_proof/s],
      [`p.json --genesis genesis.json --genesis-digest ${'0'.repeat(64)}`, /Step 0, genesis: /],
    ]
    for (const [line, expected] of failing) {
      for (const steps of ['', ' --steps', ' --json']) {
        const { code, stdout, stderr } = await run(`proof verify ${line}${steps}`)
        assert.equal(code, 8, line)
        assert.equal(stdout, '', line)
        assert.match(stderr, expected, line)
        assert.match(stderr, /MOR-5001/)
      }
    }
    assert.equal((await run('proof verify p.json')).code, 2)
  }))

test('a genesis is shown and verified', () =>
  inWorld(async ({ run, folder }) => {
    const { genesis, digest } = prove()
    const text = formatGenesisJson(genesis)
    writeFileSync(join(folder, 'genesis.json'), text)
    const hex = toHex(digest)
    const shown = await run('genesis show --file genesis.json')
    assert.match(shown.stdout, new RegExp(`^network .* moor-${hex.slice(0, 8)}\ndigest +${hex}\n`))
    assert.equal((await run('genesis show --file genesis.json --raw')).stdout, text)
    assert.equal((await run(`genesis verify genesis.json --digest ${hex}`)).code, 0)
    assert.equal((await run(`genesis verify genesis.json --digest ${'0'.repeat(64)}`)).code, 8)
    writeFileSync(join(folder, 'bad.json'), text.replace('riverside', 'lakeview'))
    const bad = await run('genesis verify bad.json')
    assert.equal(bad.code, 3)
    assert.match(bad.stderr, /organisations\[1\]/)
    assert.equal((await run('genesis verify none.json')).code, 3)
  }))

test.run()
