// What a wallet notices of a hospital that changes its story, and what it shows of an access log.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TimelineItem, Trace } from '@mooring/api'
import { encode, toHex } from '@mooring/codec'
import { encodeBase64url, sha256 } from '@mooring/crypto'
import {
  type AccessActor,
  accessEntryCommit,
  sealAccessEntry,
  signedTimelineHeadSchema,
  signTimelineHead,
  timelineRoot,
  UNATTENDED,
} from '@mooring/records'
import { test } from 'uvu'
import { MemoryTimelines } from '../../api/test/memory-timelines.ts'
import { keyOf } from '../../node/test/chain-members.ts'
import { DeskNode, HOSPITAL } from './desk-node.ts'
import { inWorld, NOW, serve, type World } from './world.ts'

const commit = (name: number) => sha256(new TextEncoder().encode(`record ${name}`))
const codeOf = ({ stderr }: { stderr: string }) => /MOR-\d{4}/.exec(stderr)?.[0]

function itemOf(name: number, sequence: number, changes: Partial<TimelineItem> = {}): TimelineItem {
  return {
    id: toHex(commit(name)),
    custodian: HOSPITAL,
    sequence,
    state: 'kept',
    class: 'general',
    resourceType: 'Observation',
    resourceId: null,
    versionId: null,
    fullUrl: null,
    contentType: 'application/fhir+json',
    size: 10,
    eventAt: `2020-01-0${sequence}`,
    receivedAt: NOW.toISOString(),
    supersedes: null,
    mistake: false,
    place: null,
    opening: null,
    ...changes,
  }
}

class Hospital extends MemoryTimelines {
  items: TimelineItem[] = []
  told: Trace[] = []
  silent: string[] = []
  /** Commitments that the head is about; those of the items when absent. */
  signed: Uint8Array[] | null = null
  signer = keyOf(HOSPITAL, 'anchor')

  override own({ patientKey }: Parameters<MemoryTimelines['own']>[0]) {
    const commitments = this.signed ?? this.items.map(({ id }) => Buffer.from(id, 'hex'))
    const head = signTimelineHead(this.signer, {
      custodian: HOSPITAL,
      patientKey,
      count: commitments.length,
      root: timelineRoot(commitments),
      time: NOW.getTime(),
    })
    return Promise.resolve({
      head: encodeBase64url(encode(signedTimelineHeadSchema, head)),
      items: this.items,
      anchors: [],
      entry: null,
      next: null,
    })
  }

  override traces() {
    return Promise.resolve({ items: this.told, silent: this.silent, next: null })
  }
}

type Scene = { run: World['run']; hospital: Hospital; node: DeskNode; folder: string }

async function enrolled(
  scenario: (scene: Scene) => Promise<void>,
  receipts: readonly Uint8Array[] = [],
): Promise<void> {
  const node = new DeskNode(NOW.getTime())
  node.patients.records = receipts.map((record) => ({ record, type: '', date: '' }))
  const hospital = new Hospital()
  node.timelines = hospital
  await inWorld((world) =>
    serve(world, node, async ({ folder, run, url }) => {
      const file = join(folder, 'passphrase')
      writeFileSync(file, 'correct horse battery staple\n', { mode: 0o600 })
      const known: World['run'] = (line, rest = {}) =>
        run(line, { ...rest, env: { MOORING_WALLET_PASSPHRASE_FILE: file, ...rest.env } })
      assert.equal((await known('patient new')).code, 0)
      const { code, stderr } = await known(`patient enrol ${node.ticket(url)}`)
      assert.equal(code, 0, stderr)
      await scenario({ run: known, hospital, node, folder })
    }),
  )
}

test('a hospital that takes a record away, or puts another in its place, is noticed', () =>
  enrolled(async ({ run, hospital }) => {
    hospital.items = [itemOf(1, 1), itemOf(2, 2)]
    const first = await run('patient timeline')
    assert.equal(first.code, 0, first.stderr)
    hospital.items = [itemOf(1, 1)]
    const fewer = await run('patient timeline')
    assert.deepEqual([fewer.code, codeOf(fewer)], [8, 'MOR-5910'])
    assert.match(fewer.stdout, /2020-01-01/)
    hospital.items = [itemOf(1, 1), itemOf(3, 2), itemOf(4, 3)]
    assert.equal(codeOf(await run('patient timeline')), 'MOR-5910')
    // What it told in between has not been taken for good.
    hospital.items = [itemOf(1, 1), itemOf(2, 2), itemOf(3, 3)]
    assert.equal((await run('patient timeline')).code, 0)
    hospital.items = [itemOf(9, 1)]
    assert.equal((await run(`patient timeline --accept ${HOSPITAL}`)).code, 0)
    assert.equal((await run('patient timeline')).code, 0)
  }))

test('records that are not those of the signed head, or a head of somebody else, are refused', () =>
  enrolled(async ({ run, hospital }) => {
    hospital.items = [itemOf(1, 1), itemOf(2, 2)]
    hospital.signed = [commit(1), commit(7)]
    assert.equal(codeOf(await run('patient timeline')), 'MOR-5911')
    hospital.signed = [commit(1), commit(2), commit(3)]
    assert.equal(codeOf(await run('patient timeline')), 'MOR-5911')
    hospital.signed = null
    hospital.signer = keyOf(HOSPITAL, 'seal')
    assert.equal(codeOf(await run('patient timeline')), 'MOR-5911')
  }))

test('receipts of the desk that nothing answers to, gaps and false proofs are shown', () =>
  enrolled(
    async ({ run, hospital }) => {
      const place = {
        anchor: toHex(commit(5)),
        height: 3,
        blockTime: NOW.toISOString(),
        index: 0,
        path: [],
      }
      hospital.items = [itemOf(1, 1), itemOf(2, 3, { place })]
      const { stdout } = await run('patient timeline')
      assert.match(stdout, new RegExp(`${HOSPITAL}: no\\. 2 is not shown`))
      assert.match(stdout, /FAILED no proof of its block/)
      assert.equal(
        stdout.match(/was on the list of the desk, and is not in the timeline/g)?.length,
        1,
      )
    },
    [commit(1), commit(8)],
  ))

function traceOf(name: number, by: AccessActor, sequence: number): Trace {
  const id = new Uint8Array(16).fill(name)
  const grant = new Uint8Array(16).fill(7)
  const setId = commit(name)
  const said = { id, reader: 'lakeview', custodian: HOSPITAL, purpose: 'TREAT', grant }
  const entry = sealAccessEntry(
    {
      ...said,
      kind: 'read',
      time: NOW.getTime(),
      patientKey: commit(0),
      records: [{ setId, recordCommit: setId, class: 'general' }],
      query: null,
      by,
      sequence,
      emergency: null,
    },
    logKeyOf.key,
    (length) => crypto.getRandomValues(new Uint8Array(length)),
  )
  const { nonce, custodian, sealed } = entry
  const { reader, purpose } = said
  return {
    leaf: toHex(accessEntryCommit(entry)),
    request: { id: toHex(id), reader, purpose, grant: toHex(grant), sets: [toHex(setId)] },
    refusal: null,
    entry: { nonce: toHex(nonce), custodian, sealed: encodeBase64url(sealed) },
    opened: null,
    at: ['lakeview', 'riverside'].map((holder) => {
      return { holder, time: NOW.toISOString(), served: 1, height: 4 }
    }),
  }
}

/** The key that entries are sealed to: what the wallet gave when it enrolled. */
const logKeyOf: { key: Uint8Array } = { key: new Uint8Array(32) }

test('the log is opened with the keys of the wallet, and says what is missing in it', () =>
  enrolled(async ({ run, hospital, node, folder }) => {
    const [enrolment] = node.patients.enrolled
    logKeyOf.key = enrolment?.enrolment.sealKey ?? assert.fail('not enrolled')
    const doctor = { kind: 'person', name: 'Ada\u001b[31m', key: null, role: null } as const
    hospital.told = [traceOf(1, doctor, 1), traceOf(2, UNATTENDED, 4), traceOf(3, UNATTENDED, 5)]
    hospital.silent = ['hillside']
    const { code, stdout, stderr } = await run('patient access')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /lakeview, "Ada\\u001b\[31m"/)
    assert.match(stdout, /lakeview, a program .* × 2/)
    assert.match(stdout, /requests 2 to 3 of lakeview under grant .* are not in the log/)
    assert.match(stderr, /hillside did not answer st-mary/)
    assert.doesNotMatch(stdout, /entry does not open/)
    const stranger = traceOf(4, UNATTENDED, 6)
    hospital.told = [
      { ...stranger, entry: stranger.entry && { ...stranger.entry, sealed: 'AAAA' } },
    ]
    assert.match((await run('patient access')).stdout, /its entry does not open/)
    hospital.told = [traceOf(1, doctor, 1)]
    assert.equal((await run('patient access --export log.json')).code, 0)
    const text = readFileSync(join(folder, 'log.json'), 'utf8')
    const bundle: { entry: { resource: { resourceType: string } }[] } = JSON.parse(text)
    assert.deepEqual(
      bundle.entry.map(({ resource }) => resource.resourceType),
      ['AuditEvent'],
    )
  }))

test('an access is named by its beginning, when that is the beginning of one', () =>
  enrolled(async ({ run, hospital, node }) => {
    logKeyOf.key = node.patients.enrolled[0]?.enrolment.sealKey ?? assert.fail('not enrolled')
    const traces = Array.from({ length: 20 }, (_, at) => traceOf(at + 1, UNATTENDED, at + 1))
    hospital.told = traces
    const leaf = traces[0]?.leaf ?? assert.fail('no access')
    const asked = await run(['patient', 'ask', leaf.slice(0, 20), 'Why?'])
    assert.equal(asked.code, 0, asked.stderr)
    assert.deepEqual(
      hospital.asked.map(({ access, question }) => [access, question]),
      [[leaf, 'Why?']],
    )
    assert.match((await run('patient questions')).stdout, /no answer yet/)
    for (const word of ['zz', 'ff'.repeat(32)])
      assert.equal(codeOf(await run(['patient', 'ask', word, 'Why?'])), 'MOR-5913')
    const firsts = traces.map((trace) => trace.leaf.slice(0, 1))
    const common =
      firsts.find((first, at) => firsts.indexOf(first) !== at) ?? assert.fail('unlucky')
    assert.equal(codeOf(await run(['patient', 'ask', common, 'Why?'])), 'MOR-5914')
  }))

test.run()
