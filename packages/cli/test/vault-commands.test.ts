import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex } from '@mooring/codec'
import { keyPairFromSeed, parseDidKey, verify } from '@mooring/crypto'
import {
  type AccessRequest,
  consentOf,
  formatGrant,
  parseGrant,
  practitionerMessage,
  signGrant,
} from '@mooring/records'
import { test } from 'uvu'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { digestOf, STEP, VAULT } from '../../api/test/memory-vault.ts'
import { inWorld, type NodeWorld, serve, withNode } from './world.ts'

const RECORD = '{"resourceType":"Observation","n":1}'
const PATIENT_KEY = keyPairFromSeed(new Uint8Array(32).fill(5))

const line = (n: number) => `{"resourceType":"Basic","n":${n},"text":"${'x'.repeat(100_000)}"}\n`
const json = (text: string): Record<string, unknown> => JSON.parse(text)

function grantFor(recipient: string): string {
  const consent = consentOf({
    id: new Uint8Array(16).fill(1),
    patientKey: PATIENT_KEY.publicKey,
    logKey: new Uint8Array(32).fill(2),
    custodian: 'lakeview',
    recipient,
    content: { classes: ['general'] },
    purposes: ['TREAT'],
    notBefore: Date.UTC(2026, 10, 1),
    expiresAt: Date.UTC(2026, 11, 1),
    handle: new Uint8Array(32).fill(3),
  })
  return formatGrant(signGrant(PATIENT_KEY, consent))
}

/** The same signature over a grant that ends later. */
function otherEnd(text: string): string {
  const file: { jws: string } = JSON.parse(text)
  const [header, payload = '', signature] = file.jws.split('.')
  const consent = Buffer.from(payload, 'base64url')
    .toString('utf8')
    .replace('2026-11-30', '2026-12-24')
  const changed = Buffer.from(consent).toString('base64url')
  return JSON.stringify({ ...file, jws: [header, changed, signature].join('.') })
}

class GrantingNode extends MemoryNode {
  override createGrant(request: Parameters<MemoryNode['createGrant']>[0]): Promise<string> {
    this.grants.push(request)
    return Promise.resolve(grantFor(request.recipient))
  }
}

// Its holders take their time.
class SlowNode extends MemoryNode {
  override async submitUpload(upload: Parameters<MemoryNode['submitUpload']>[0]) {
    const outcome = await super.submitUpload(upload)
    const records = outcome.records.map((each) => ({ ...each, status: 'received' as const }))
    return { ...outcome, records }
  }
}

const withGranting = (scenario: (world: NodeWorld) => Promise<void>) =>
  inWorld((world) => serve(world, new GrantingNode(), scenario))

async function submitted({ run, node }: Pick<NodeWorld, 'run' | 'node'>, text = RECORD) {
  await run('record submit - --no-wait', { stdin: text })
  return [...node.stored.keys()].at(-1) ?? assert.fail('nothing was stored')
}

test('a file that is no FHIR streams through under its media type, for its patient', () =>
  withNode(async ({ run, node, folder }) => {
    const size = 3 * 1024 * 1024
    writeFileSync(join(folder, 'scan.DCM'), Buffer.alloc(size, 7))
    writeFileSync(join(folder, 'empty.bin'), '')
    const dicom = await run('record submit scan.DCM --patient Patient/7 --no-wait')
    assert.equal(dicom.code, 0, dicom.stderr)
    assert.match(dicom.stderr, /^accepted 1\/1 {2}scan\.DCM {2}3\.0 MiB, 1 record\n$/)
    const other = await run('record submit empty.bin --media-type application/x-empty --no-wait')
    assert.equal(other.code, 0, other.stderr)
    assert.deepEqual(node.uploads, [
      { contentType: 'application/dicom', size, patient: 'Patient/7' },
      { contentType: 'application/x-empty', size: 0, patient: null },
    ])
    const wrong = await run('record submit empty.bin --media-type picture')
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /"picture" is no media type/)
  }))

test('what is only received is not called accepted', () =>
  inWorld((world) =>
    serve(world, new SlowNode(), async ({ run, folder }) => {
      writeFileSync(join(folder, 'scan.dcm'), 'bytes')
      const { code, stdout, stderr } = await run('record submit scan.dcm --no-wait')
      assert.equal(code, 0, stderr)
      assert.equal(stderr, 'received 1/1  scan.dcm  5 B, 1 record\n')
      assert.match(stdout, / received +– {2}scan\.dcm\n/)
    }),
  ))

test('FHIR says itself whose it is, and a file nobody knows is no FHIR', () =>
  withNode(async ({ run, node, folder }) => {
    writeFileSync(join(folder, 'a.json'), RECORD)
    writeFileSync(join(folder, 'b.bin'), 'bytes')
    const named = await run('record submit a.json --patient Patient/7')
    assert.equal(named.code, 2)
    assert.match(named.stderr, /a\.json says itself whose it is/)
    assert.equal((await run('record submit b.bin')).code, 2)
    assert.equal(node.arrivals, 0)
  }))

test('NDJSON that is larger than a submission goes in parts, and only when all of it is good', () =>
  withNode(async ({ run, node, folder }) => {
    const lines = Array.from({ length: 180 }, (_, n) => line(n))
    writeFileSync(join(folder, 'bad.ndjson'), `${lines.join('')}{"no":"type"}\n`)
    const bad = await run('record submit bad.ndjson --no-wait')
    assert.equal(bad.code, 2)
    assert.match(bad.stderr, /\nbad\.ndjson:181:1 |bad\.ndjson:181:1 /)
    assert.equal(node.arrivals, 0)
    writeFileSync(join(folder, 'good.ndjson'), lines.join(''))
    const good = await run('record submit good.ndjson --no-wait --json')
    assert.equal(good.code, 0, good.stderr)
    assert.match(good.stderr, /part 5 of 5/)
    assert.equal(node.stored.size, 180)
    const items = json(good.stdout)['items']
    assert.ok(Array.isArray(items))
    assert.equal(items.length, 5)
  }))

test('a read names its trace, and the holders whose shards were bad', () =>
  withNode(async ({ run, node, folder }) => {
    const id = await submitted({ run, node })
    node.badHolders = [{ holder: 'riverside', code: 'shard_wrong' }]
    const { code, stderr } = await run(`record get ${id} -o out.json --purpose HOPERAT`)
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^riverside gave a bad shard \(shard_wrong\); others were asked instead\n/)
    assert.match(
      stderr,
      /36 B written to out\.json; anchored in block 12; the read is access entry [0-9a-f]{4}…/,
    )
    assert.equal(readFileSync(join(folder, 'out.json'), 'utf8'), RECORD)
    assert.equal(statSync(join(folder, 'out.json')).mode & 0o777, 0o600)
    assert.deepEqual(node.reads, [{ id, purpose: 'HOPERAT', grant: null }])
    const document = json((await run(`record get ${id} -o out.json --json -q`)).stdout)
    assert.equal(document['accessEntry'], digestOf('entry 2'))
    assert.deepEqual(document['badHolders'], node.badHolders)
  }))

test('a read that breaks off leaves the file as it was, and nothing beside it', () =>
  withNode(async ({ run, node, folder }) => {
    writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(2 * 1024 * 1024, 7))
    await run('record submit scan.dcm --no-wait')
    const [id = ''] = node.stored.keys()
    writeFileSync(join(folder, 'out.dcm'), 'before')
    node.breakAfter = { bytes: 1024 * 1024, run: () => Promise.reject(new Error('gone')) }
    const { code, stderr } = await run(`record get ${id} -o out.dcm`)
    assert.equal(code, 4)
    assert.match(stderr, /the answer broke off \(MOR-4038\)/)
    assert.equal(readFileSync(join(folder, 'out.dcm'), 'utf8'), 'before')
    assert.deepEqual(readdirSync(folder).toSorted(), ['out.dcm', 'scan.dcm'])
  }))

test('under a grant a record is listed and read', () =>
  withNode(async ({ run, node, folder }) => {
    const id = await submitted({ run, node })
    writeFileSync(join(folder, 'grant.json'), grantFor('st-mary'))
    const list = await run('record list --grant grant.json')
    assert.equal(list.code, 0, list.stderr)
    assert.match(list.stdout, new RegExp(`\n${id}  Observation  general  36 B  lakeview`))
    const items = json((await run('record list --grant grant.json --json')).stdout)['items']
    assert.ok(Array.isArray(items) && items.length === 1)
    const { stdout, stderr } = await run(`record get ${id} --grant grant.json --purpose ETREAT`)
    assert.equal(stdout, RECORD, stderr)
    const [read] = node.reads
    assert.equal(read?.purpose, 'ETREAT')
    assert.deepEqual(json(read?.grant ?? ''), json(grantFor('st-mary')))
    writeFileSync(join(folder, 'other.json'), grantFor('county'))
    assert.notEqual((await run(`record get ${id} --grant other.json`)).code, 0)
    const nowhere = await run(`record get ${id} --grant grant.json --json`)
    assert.equal(nowhere.code, 2)
    assert.match(nowhere.stderr, /name it with -o/)
    writeFileSync(join(folder, 'broken.json'), '{}')
    const broken = await run(`record get ${id} --grant broken.json`)
    assert.equal(broken.code, 2)
    assert.match(broken.stderr, /MOR-5310/)
  }))

test('who looks is told to the node, for its own records and under a grant', () =>
  withNode(async ({ run, node, folder }) => {
    const id = await submitted({ run, node })
    writeFileSync(join(folder, 'grant.json'), grantFor('st-mary'))
    for (const more of ['', '--as Ada', '--grant grant.json', '--grant grant.json --as Bo']) {
      const { code, stderr } = await run(`record get ${id} ${more}`)
      assert.equal(code, 0, stderr)
    }
    assert.deepEqual(node.persons, [null, 'Ada', null, 'Bo'])
    const shown = await run('record fields --grant grant.json')
    assert.match(shown.stdout, /\n {2}\/code\/text {2}"Penicillin"\n/)
    const items = json((await run('record fields --grant grant.json --json')).stdout)['items']
    assert.ok(Array.isArray(items) && items.length === 1)
  }))

test('a practitioner signs the reading that was asked for, and nothing else', () =>
  withNode(async ({ run, node, folder }) => {
    const id = await submitted({ run, node })
    const text = grantFor('st-mary')
    writeFileSync(join(folder, 'grant.json'), text)
    assert.equal((await run('practitioner new ada.key')).code, 0)
    const read = `record get ${id} --grant grant.json --practitioner ada.key`
    const grant = parseGrant(text)
    const asked: AccessRequest = {
      id: new Uint8Array(16),
      reader: 'st-mary',
      custodian: 'lakeview',
      purpose: 'TREAT',
      grant,
      practitioner: null,
      sets: [],
      entry: new Uint8Array(32),
      block: { height: 1, digest: new Uint8Array(32) },
      issuedAt: 1,
      expiresAt: 2,
      audience: [],
    }
    const wrong = [
      Uint8Array.of(7),
      practitionerMessage({ ...asked, purpose: 'HRESCH' }),
      practitionerMessage({ ...asked, reader: 'county' }),
      practitionerMessage({ ...asked, grant: parseGrant(grantFor('county')) }),
    ]
    for (const message of wrong) {
      node.toSign = () => message
      const { code, stderr } = await run(read)
      assert.notEqual(code, 0)
      assert.match(stderr, /it was not signed/)
    }
    assert.deepEqual(node.signatures, [])
    node.toSign = () => practitionerMessage(asked)
    const { stdout, stderr } = await run(read)
    assert.equal(stdout, RECORD, stderr)
    const key = parseDidKey((await run('practitioner show ada.key')).stdout.trim())
    assert.equal(node.signatures.length, 2)
    for (const signature of node.signatures)
      assert.ok(verify(key, practitionerMessage(asked), fromHex(signature)))
  }))

test('the history of a record has its versions, anchors, holders and accesses', () =>
  withNode(async ({ run, node }) => {
    const id = await submitted({ run, node })
    const { stdout } = await run(`record history ${id}`)
    const rows = stdout.trimEnd().split('\n')
    assert.match(
      rows[0] ?? '',
      /^version {2}record +status +block +size +holders +accesses +accepted$/,
    )
    assert.match(rows[1] ?? '', new RegExp(`^3 {8}${id}  accepted      –  36 B        4         3`))
    assert.equal(rows.length, 4)
    const items = json((await run(`record history ${id} --limit 2 --json`)).stdout)['items']
    assert.ok(Array.isArray(items) && items.length === 2)
    assert.equal((await run('record history 00')).code, 6)
  }))

test('a disclosure is asked for by fields, and never written over another file', () =>
  withNode(async ({ run, node, folder }) => {
    const id = await submitted({ run, node })
    assert.equal((await run(`record disclose ${id} --field /n`)).code, 9)
    node.finalize()
    const { stdout } = await run(`record disclose ${id} --field /n /code/text`)
    assert.deepEqual(json(stdout), { record: { fields: ['/n', '/code/text'] } })
    assert.equal((await run(`record disclose ${id} --field /n -o shown.json`)).code, 0)
    assert.equal((await run(`record disclose ${id} --field /n -o shown.json`)).code, 0)
    const other = await run(`record disclose ${id} --field /m -o shown.json`)
    assert.equal(other.code, 7)
    assert.match(readFileSync(join(folder, 'shown.json'), 'utf8'), /"\/n"/)
    assert.equal((await run(`record disclose ${id}`)).code, 2)
  }))

test('a grant is made for a time, with words that can be some, and shown with its verdict', () =>
  withGranting(async ({ run, node, folder }) => {
    const create = 'grant create --patient Patient/7 --to county'
    const made = await run(`${create} --class general imaging --days 10 -o grant.json`)
    assert.equal(made.code, 0, made.stderr)
    assert.deepEqual(node.grants, [
      {
        patient: 'Patient/7',
        recipient: 'county',
        classes: ['general', 'imaging'],
        purposes: ['TREAT'],
        notBefore: null,
        expiresAt: Date.parse('2026-11-30T09:30:00Z'),
      },
    ])
    const shown = await run('grant show grant.json')
    assert.equal(shown.code, 0)
    assert.match(shown.stdout, /\nrecipient +county\n/)
    assert.match(shown.stdout, /\nsignature +holds\n/)
    const text = readFileSync(join(folder, 'grant.json'), 'utf8')
    writeFileSync(join(folder, 'altered.json'), otherEnd(text))
    const altered = await run('grant show altered.json')
    assert.equal(altered.code, 8)
    assert.match(altered.stderr, /MOR-5311/)
    for (const wrong of ['--class everything', '--purpose CURIOSITY', '--days 0', '--days 366']) {
      const refused = await run(`${create} ${wrong}`)
      assert.equal(refused.code, 2, wrong)
    }
    assert.equal(node.grants.length, 1)
  }))

test('the state of the vault is told holder by holder, and ends with 9 when a record hangs by a thread', () =>
  withNode(async ({ run, node }) => {
    const { code, stdout } = await run('vault status')
    assert.equal(code, 0)
    assert.match(stdout, /^scheme {6}any 2 of 4 shards open a record; 4 legal groups hold them\n/)
    assert.match(stdout, /\nrecords {5}3, 2 at full strength, 1 reduced\n/)
    assert.match(stdout, /\nriverside {2}riverside-group {2}no .*not_connected\n/)
    assert.equal(json((await run('vault status --json')).stdout)['schema'], 'mooring/vault/v1')
    node.vault = () => Promise.resolve({ ...VAULT, records: { ...VAULT.records, critical: 1 } })
    assert.equal((await run('vault status')).code, 9)
    node.vault = () => Promise.resolve({ ...VAULT, scheme: null })
    const few = await run('vault status')
    assert.equal(few.code, 9)
    assert.match(few.stdout, /too few legal groups: nothing can be placed/)
  }))

test('a check is green or says what is not, and a repair where it went', () =>
  withNode(async ({ run, node }) => {
    const green = await run('vault verify')
    assert.equal(green.code, 0, green.stderr)
    assert.match(green.stdout, /^GREEN {2}3 of 3 sets\. /)
    const finding = { ...STEP, kind: 'finding' as const, record: 'ab'.repeat(32), bad: 1 }
    const moved = { ...finding, holder: 'riverside', code: 'shard_missing', movedTo: 'county' }
    const done = { ...STEP, kind: 'done' as const, checked: 3, good: 3, repaired: 1 }
    node.steps = [STEP, moved, done]
    const repaired = await run('vault repair --immediate')
    assert.equal(repaired.code, 0)
    assert.match(repaired.stdout, /\n(ab){32} {2}riverside {2}shard_missing {2}county\n/)
    assert.match(repaired.stdout, /\nGREEN {2}3 of 3 sets, 1 shard made anew\. /)
    assert.deepEqual(node.repairs, [true])
    node.steps = [
      { ...moved, movedTo: null },
      { ...done, good: 2, bad: 1 },
    ]
    const red = await run('vault verify --json')
    assert.equal(red.code, 8)
    assert.equal(json(red.stdout)['ok'], false)
    node.steps = [STEP]
    const cut = await run('vault verify')
    assert.equal(cut.code, 4)
    assert.match(cut.stderr, /MOR-4038/)
  }))

test.run()
