import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { test } from 'uvu'
import { type BundlePart, createBundle } from '../src/bundle.ts'
import { linesSince, profileFor } from '../src/bundle-sources.ts'
import { createRedaction } from '../src/redact-text.ts'

const redact = createRedaction({ home: '/srv/mooring', hostname: 'st-mary-7', options: {} })

async function unpack(archive: AsyncIterable<Uint8Array>): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const entries = Readable.from(archive).pipe(createGunzip()).pipe(extract())
  for await (const entry of entries) {
    const pieces: Buffer[] = []
    for await (const piece of Readable.from(entry)) pieces.push(piece)
    files.set(entry.header.name, Buffer.concat(pieces).toString('utf8'))
  }
  return files
}

const TERMS = {
  node: 'st-mary',
  version: '0.1.0',
  madeAt: '2026-11-20T09:30:00.000Z',
  leftOut: [{ what: 'keys/', why: 'they open something' }],
}

test('a bundle says what is in it by digest, what is missing, and what was left out', async () => {
  const parts: BundlePart[] = [
    { name: 'status.json', read: () => ({ height: 7, peer: '10.2.0.7' }) },
    { name: 'log.ndjson', read: () => Promise.resolve('{"a":1}\n') },
    { name: 'metrics.txt', read: () => Promise.reject(new Error('no room in /srv/mooring')) },
  ]
  const files = await unpack(createBundle(parts, { ...TERMS, redact }))
  assert.deepEqual(
    [...files.keys()],
    ['mooring/manifest.json', 'mooring/status.json', 'mooring/log.ndjson'],
  )
  const manifest = JSON.parse(files.get('mooring/manifest.json') ?? '')
  assert.equal(manifest.schema, 'mooring/bundle/v1')
  for (const { name, bytes, sha256 } of manifest.files) {
    const text = files.get(`mooring/${name}`) ?? ''
    assert.equal(bytes, Buffer.byteLength(text))
    assert.equal(sha256, createHash('sha256').update(text).digest('hex'))
  }
  assert.deepEqual(manifest.missing, [{ name: 'metrics.txt', reason: 'no room in <home>' }])
  assert.deepEqual(manifest.leftOut[0], TERMS.leftOut[0])
  assert.equal(manifest.leftOut.length, 2)
  assert.ok(!files.get('mooring/status.json')?.includes('10.2.0.7'))

  const whole = await unpack(createBundle(parts, { ...TERMS, redact: null }))
  assert.match(whole.get('mooring/status.json') ?? '', /10\.2\.0\.7/)
  assert.equal(JSON.parse(whole.get('mooring/manifest.json') ?? '').redacted, false)
})

test('folders and hosts of the configuration are replaced, wherever they stand', () => {
  const options = {
    home: '/srv/mooring',
    storage: {
      dir: '/mnt/stmary/ledger',
      guardDir: '/mnt/stmary/ledger/guard',
      runDir: '/srv/mooring/run',
    },
    backup: { dir: '/mnt/tape-of-st-mary' },
    http: { listen: 'api.st-mary.example:7421', hosts: ['ledger.st-mary.example'], tls: null },
    p2p: { listen: ['/ip4/0.0.0.0/tcp/7420'], announce: ['/dns4/st-mary.example/tcp/7420'] },
    patients: { listen: '127.0.0.1:7423', hosts: [] },
  }
  const strict = createRedaction({ home: '/srv/mooring', hostname: 'x', options })
  const shown = strict(JSON.stringify(options))
  assert.doesNotMatch(shown, /st-?mary|tape|srv/)
  const { storage, p2p, patients } = JSON.parse(shown)
  assert.equal(storage.guardDir.startsWith(storage.dir), false)
  assert.equal(storage.runDir, '<home>/run')
  assert.equal(p2p.listen[0], '/ip4/0.0.0.0/tcp/7420')
  assert.equal(patients.listen, '127.0.0.1:7423')
  const line = strict('cannot open /mnt/stmary/ledger/chain: asked of ledger.st-mary.example')
  assert.equal(
    line,
    `cannot open ${storage.dir}/chain: asked of ${JSON.parse(shown).http.hosts[0]}`,
  )
})

test('what names a place, a person or a key is replaced, the same by the same', () => {
  const secrets = [
    ['10.2.0.7', 'dialled /ip4/10.2.0.7/tcp/7420, then 10.2.0.7:7421'],
    ['2001:db8::7', 'at /ip6/2001:db8::7/tcp/7420'],
    ['riverside.example', 'see /dns4/riverside.example/tcp/7420'],
    ['patients.st-mary.example', 'https://patients.st-mary.example/ui'],
    ['st-mary-7', 'on st-mary-7 as root'],
    ['/srv/mooring', 'cannot open /srv/mooring/data'],
    ['mor_ab12_c0ffee', 'token mor_ab12_c0ffee'],
    ['c2VjcmV0LXRva2Vu', 'authorization: Bearer c2VjcmV0LXRva2Vu'],
    ['jane@st-mary.example', 'ask jane@st-mary.example'],
    ['did:key:z6MkCanary', 'patient did:key:z6MkCanary'],
    ['Patient/8817', 'for Patient/8817'],
    ['ab'.repeat(32), `digest ${'ab'.repeat(32)}`],
    ['Q2FuYXJ5'.repeat(6), `sealed ${'Q2FuYXJ5'.repeat(6)}=`],
  ] as const
  for (const [secret, text] of secrets) assert.ok(!redact(text).includes(secret), redact(text))
  assert.equal(
    redact('10.2.0.7 and 10.2.0.8 and 10.2.0.7').match(/ip-\d+/g)?.[0],
    redact('10.2.0.7'),
  )
  assert.notEqual(redact('10.2.0.7'), redact('10.2.0.8'))
})

test('what helps to read is left as it is', () => {
  for (const text of [
    'http://127.0.0.1:7421 and 0.0.0.0:7420 and [::1]:7421',
    '12D3KooWKrVCanaryOfAPeerIdThatIsPublicAnyway12345',
    'version 0.3.0 at 2026-11-20T09:31:07.000Z, view 1211',
    'MOR-3001 authorities_missing',
  ])
    assert.equal(redact(text), text)
})

const line = (time: string) => `{"time":"${time}","message":"x"}`

test('log lines are taken by their time', () => {
  const lines = [line('2026-11-20T08:00:00.000Z'), line('2026-11-20T09:00:00.000Z'), 'no time']
  const since = Date.parse('2026-11-20T08:30:00Z')
  assert.equal(linesSince(lines, since), `${lines[1]}\n${lines[2]}\n`)
})

test('a profile of the processor is one that tools open', async () => {
  const profile = await profileFor(20)
  assert.ok('nodes' in profile && 'startTime' in profile)
})

test.run()
