import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  type Access,
  type AccessActor,
  accessEntryCommit,
  collectAccesses,
  type HeldAt,
  sealAccessEntry,
  UNATTENDED,
  viewAccessLog,
} from '../src/index.ts'
import { accessOf, bytesOf, logKey, NOW, seededRandom } from './access-world.ts'

const HOUR = 3_600_000
const GRANT = bytesOf('grant', 16)
const DOCTOR: AccessActor = { kind: 'person', name: 'Dr. Ada Meyer', key: null, role: null }

interface Made {
  readonly name: string
  readonly access?: Partial<Access>
  readonly asked?: Partial<NonNullable<HeldAt['asked']>>
  readonly holders?: readonly string[]
  readonly line?: Partial<HeldAt>
}

/** The lines that one access leaves at its holders. */
function linesOf({ name, access, asked, holders = ['x', 'y'], line }: Made): HeldAt[] {
  const full = accessOf({ id: bytesOf(name, 16), ...access })
  const entry = sealAccessEntry(full, logKey.publicKey, seededRandom(name))
  const { id, reader, purpose, grant, records, patientKey, time } = full
  return holders.map((holder, at) => ({
    holder,
    time: time + at,
    leaf: accessEntryCommit(entry),
    asked: {
      id,
      reader,
      purpose,
      grant,
      patientKey,
      sets: records.map(({ setId }) => setId),
      ...asked,
    },
    entry,
    note: null,
    served: 2,
    height: 10 + at,
    opened: null,
    ...line,
  }))
}

function refusalOf(made: Made, code: string, count = 1): HeldAt[] {
  return linesOf(made).map((line) => ({
    ...line,
    entry: null,
    served: 0,
    leaf: bytesOf(`note ${made.name} ${line.holder}`),
    note: {
      nonce: new Uint8Array(16),
      time: line.time,
      kind: 'refusal',
      organisation: line.asked?.reader ?? '',
      custodian: 'st-mary',
      code,
      count,
      entry: line.leaf,
    },
  }))
}

const view = (lines: readonly HeldAt[], now = NOW + HOUR) =>
  viewAccessLog(collectAccesses(lines, [logKey]), now)

test('the lines of one access are one, with who knows of it', () => {
  const { lines, gaps } = view(linesOf({ name: 'one', access: { by: DOCTOR, sequence: 1 } }))
  assert.equal(lines.length, 1)
  const [line] = lines
  assert.deepEqual(
    [line?.kind, line?.by, line?.name, line?.reader, line?.purpose, line?.outcome, line?.count],
    ['care', 'person', 'Dr. Ada Meyer', 'county', 'TREAT', 'read', 1],
  )
  assert.deepEqual([line?.holders, line?.height, line?.warnings], [['x', 'y'], 10, []])
  assert.equal(line?.sets.length, 2)
  assert.deepEqual(gaps, [])
})

test('what machines read on one day for one purpose is one line, persons and emergencies are not', () => {
  const at = (hours: number, more: Partial<Access> = {}): Partial<Access> => ({
    time: Date.parse('2026-11-26T06:00:00Z') + hours * HOUR,
    ...more,
  })
  const made: Made[] = [
    { name: 'a', access: at(0) },
    { name: 'b', access: at(1) },
    { name: 'c', access: at(24) },
    { name: 'd', access: at(2, { purpose: 'HPAYMT' }) },
    { name: 'e', access: at(3, { by: DOCTOR }) },
    { name: 'f', access: at(4, { by: DOCTOR }) },
    { name: 'g', access: at(5, { purpose: 'BTG', grant: null, emergency: bytesOf('call') }) },
    { name: 'h', access: at(6, { purpose: 'BTG', grant: null, emergency: bytesOf('call') }) },
  ]
  const { lines } = view(made.flatMap(linesOf), NOW + 48 * HOUR)
  assert.deepEqual(
    lines.map(({ kind, by, count }) => [kind, by, count]),
    [
      ['care', 'machine', 1],
      ['emergency', 'machine', 1],
      ['emergency', 'machine', 1],
      ['care', 'person', 1],
      ['care', 'person', 1],
      ['payer', 'machine', 1],
      ['care', 'machine', 2],
    ],
  )
  assert.equal(lines.at(-1)?.ids.length, 2)
})

test('what was refused is shown, with its codes, and never folded', () => {
  const lines = [
    ...refusalOf({ name: 'a' }, 'grant_revoked'),
    ...refusalOf({ name: 'b', asked: { purpose: 'BTG' } }, 'purpose_not_covered', 40),
  ]
  const found = view(lines).lines
  assert.deepEqual(
    found
      .map(({ kind, outcome, codes, count }) => `${kind} ${outcome} ${codes.join()} ${count}`)
      .toSorted(),
    ['emergency refused purpose_not_covered 40', 'refused refused grant_revoked 1'],
  )
})

test('who shows the entry of another access is refused beside it, not hidden in it', () => {
  const good = linesOf({ name: 'good' })
  const [first] = good
  const copied = refusalOf({ name: 'copied', asked: { reader: 'thief' } }, 'entry_reused').map(
    (line) => ({ ...line, note: line.note && { ...line.note, entry: first?.leaf ?? line.leaf } }),
  )
  const found = view([...good, ...copied]).lines
  assert.deepEqual(found.map(({ reader, outcome }) => `${reader} ${outcome}`).toSorted(), [
    'county read',
    'thief refused',
  ])
})

test('who tells of another request under an entry stands beside who tells the truth', () => {
  const made = { name: 'framed', access: { reader: 'scapegoat' } }
  const honest = linesOf({ ...made, asked: { reader: 'thief' } })
  const lie = linesOf({ ...made, holders: ['thief'] })
  for (const lines of [
    [...lie, ...honest],
    [...honest, ...lie],
  ]) {
    const found = view(lines).lines.map(({ reader, holders, warnings }) =>
      [reader, ...holders, ...warnings].join(' '),
    )
    assert.deepEqual(found.toSorted(), ['scapegoat thief one_witness', 'thief x y entry_differs'])
  }
})

test('an entry that says something else than its request is shown as such', () => {
  const cases: Partial<NonNullable<HeldAt['asked']>>[] = [
    { reader: 'another' },
    { purpose: 'HRESCH' },
    { id: bytesOf('other request', 16) },
    { grant: null },
    { grant: bytesOf('other grant', 16) },
    { sets: [bytesOf('set a')] },
    { sets: [bytesOf('set a'), bytesOf('set c')] },
  ]
  for (const asked of cases) {
    const [line] = view(linesOf({ name: 'lie', asked })).lines
    assert.deepEqual(line?.warnings, ['entry_differs'], JSON.stringify(Object.keys(asked)))
    assert.equal(line?.reader, asked.reader ?? 'county')
  }
})

test('an entry that does not open, or that one organisation alone knows, is shown as such', () => {
  const stranger = sealAccessEntry(accessOf(), bytesOf('nobody'), seededRandom('x'))
  const broken = { ...stranger, sealed: new Uint8Array(3) }
  for (const entry of [stranger, broken]) {
    const lines = linesOf({ name: 'odd', line: { entry } })
    assert.deepEqual(view(lines).lines[0]?.warnings, ['entry_unreadable'])
  }
  const nonsense = linesOf({ name: 'nonsense', line: { opened: '{"resourceType":"Patient"}' } })
  assert.deepEqual(view(nonsense).lines[0]?.warnings, ['entry_unreadable'])
  assert.deepEqual(view(linesOf({ name: 'one', holders: ['x'] })).lines[0]?.warnings, [
    'one_witness',
  ])
  const waiting = linesOf({ name: 'two', line: { height: null } })
  assert.deepEqual(view(waiting, NOW + 1_000).lines[0]?.warnings, [])
  assert.deepEqual(view(waiting).lines[0]?.warnings, ['not_anchored'])
})

test('without a key nothing is called unreadable', () => {
  const found = viewAccessLog(collectAccesses(linesOf({ name: 'a' }), []), NOW)
  assert.deepEqual(found.lines[0]?.warnings, [])
  assert.equal(found.lines[0]?.reader, 'county')
})

test('numbers that are missing under a grant are gaps, and one that is given twice is shown', () => {
  const of = (name: string, sequence: number, more: Partial<Access> = {}) =>
    linesOf({ name, access: { sequence, by: DOCTOR, grant: GRANT, ...more } })
  const { gaps } = view([
    ...of('a', 2),
    ...of('b', 5),
    ...of('c', 1, { reader: 'other' }),
    ...of('d', 3, { reader: 'other', grant: bytesOf('second', 16) }),
  ])
  assert.deepEqual(
    gaps.map(({ reader, grant, from, to }) => [reader, toHex(grant), from, to]),
    [
      ['county', toHex(GRANT), 1, 1],
      ['county', toHex(GRANT), 3, 4],
      ['other', toHex(bytesOf('second', 16)), 1, 2],
    ],
  )
  const twice = view([...of('a', 1), ...of('b', 1), ...of('c', 2)]).lines
  assert.deepEqual(twice.map(({ warnings }) => warnings.join()).toSorted(), [
    '',
    'number_twice',
    'number_twice',
  ])
})

test('a machine is what says nothing of itself', () => {
  const [line] = view(linesOf({ name: 'a', access: { by: UNATTENDED } })).lines
  assert.deepEqual([line?.by, line?.name], ['machine', null])
})

test.run()
