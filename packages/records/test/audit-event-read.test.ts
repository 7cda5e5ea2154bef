import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type Access, auditEventOf, readAuditEvent } from '../src/index.ts'
import { accessOf } from './access-world.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const option = <T>(item: fc.Arbitrary<T>) => fc.option(item, { nil: null })
const name = fc.string({ maxLength: 40, unit: 'grapheme' })
const organisation = fc.constantFrom('st-mary', 'a', 'county-2')

const anyAccess: fc.Arbitrary<Access> = fc
  .record({
    kind: fc.constantFrom('read' as const, 'query' as const),
    id: bytes(16),
    time: fc.nat(4_000_000_000_000),
    reader: organisation,
    custodian: organisation,
    purpose: fc.constantFrom('TREAT', 'BTG', 'PATRQT'),
    patientKey: bytes(32),
    grant: option(bytes(16)),
    records: fc.array(
      fc.record(
        {
          setId: bytes(32),
          recordCommit: bytes(32),
          class: fc.constantFrom('general', 'sensitive:psy'),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 4 },
    ),
    query: option(name),
    by: fc.record(
      {
        kind: fc.constantFrom('person' as const, 'machine' as const),
        name: option(name),
        key: option(bytes(32)),
        role: option(fc.constantFrom('FAMRQT', 'PWATRNY')),
      },
      { noNullPrototype: true },
    ),
    sequence: option(fc.integer({ min: 1, max: 1_000_000 })),
    emergency: option(bytes(32)),
  })
  .map((access) => ({ ...access, sequence: access.grant === null ? null : access.sequence }))

test('what is written is read back, member by member', () => {
  fc.assert(
    fc.property(anyAccess, (access) => {
      const { kind, by } = access
      assert.deepEqual(readAuditEvent(auditEventOf(access)), { ...access, kind, by })
    }),
    { numRuns: 200 },
  )
})

test('an event that is of another form is no access', () => {
  const event = auditEventOf(accessOf({ sequence: 3 }))
  const cases: [from: string | RegExp, to: string][] = [
    ['"AuditEvent"', '"Provenance"'],
    ['"action":"R"', '"action":"D"'],
    [/"recorded":"[^"]*"/, '"recorded":"2026-99-99T00:00:00.000Z"'],
    [/"recorded":"[^"]*"/, '"recorded":"yesterday"'],
    ['"valueString":"3"', '"valueString":"0"'],
    ['"valueString":"3"', '"valueString":"99999999999999999999"'],
    ['did:key:z', `did:key:z${'6'.repeat(9_000)}`],
    ['did:key:z6', 'did:key:z7'],
    ['did:mooring:org:county', 'did:web:county'],
    ['did:mooring:org:county', 'did:mooring:org:Ward 7'],
    ['"code":"machine"', '"code":"god"'],
    ['urn:mooring:access-request', 'urn:elsewhere'],
    ['"code":"TREAT"', '"code":""'],
    [/"valueString":"[0-9a-f]{64}"/, '"valueString":"zz"'],
    ['"agent":[', '"agent":[[],'],
  ]
  for (const [from, to] of cases) {
    const changed = event.replace(from, to)
    assert.notEqual(changed, event, String(from))
    assert.equal(readAuditEvent(changed), undefined, `${from} -> ${to}`)
  }
  for (const text of ['', '{', 'null', '[]', '{}', '"AuditEvent"', `${event}${event}`])
    assert.equal(readAuditEvent(text), undefined)
})

test('nothing that a reader could seal makes reading it throw', () => {
  const event = auditEventOf(accessOf())
  fc.assert(
    fc.property(fc.nat(event.length), fc.nat(40), fc.string({ maxLength: 12 }), (at, cut, put) => {
      readAuditEvent(`${event.slice(0, at)}${put}${event.slice(at + cut)}`)
    }),
    { numRuns: 500 },
  )
})

test.run()
