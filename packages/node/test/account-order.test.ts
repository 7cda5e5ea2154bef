// Records get numbers in their account and supersede the version before, however they come in.

import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { NamedLocks } from '../src/named-locks.ts'
import { jsonOf, type Run, submission, withCustody } from './custody-world.ts'

interface Version {
  readonly id: string
  readonly patient?: string
  readonly value: number
  readonly more?: object
}

function resource({ id, patient = '7', value, more = {} }: Version): Record<string, unknown> {
  return {
    resourceType: 'Observation',
    id,
    subject: { reference: `Patient/${patient}` },
    valueQuantity: { value },
    ...more,
  }
}

function bundle(type: string, versions: readonly Version[]) {
  const entry = versions.map((version) => ({
    fullUrl: `http://example.org/Observation/${version.id}`,
    resource: { ...resource(version), meta: { versionId: String(version.value) } },
    ...(type === 'history' && {
      request: { method: 'PUT', url: `Observation/${version.id}` },
      response: { status: '200' },
    }),
  }))
  return submission(jsonOf({ resourceType: 'Bundle', type, entry }))
}

/** Of the records with these ids: number, and the number of the version before. */
function orderOf({ custodian }: Run, ids: readonly string[]): [number, number | null][] {
  const manifests = ids.map((id) => custodian.index.get(fromHex(id))?.metadata ?? assert.fail(id))
  const numbers = new Map(
    manifests.map(({ recordCommit, sequence }) => [toHex(recordCommit), sequence]),
  )
  return manifests.map(({ sequence, supersedes }) => [
    sequence,
    supersedes === null ? null : (numbers.get(toHex(supersedes)) ?? -1),
  ])
}

test('records of one patient are counted without a gap, and versions follow each other', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const { records } = await run.custodian.submitRecords(
      bundle('collection', [
        { id: 'bp', value: 1 },
        { id: 'pulse', value: 2 },
        { id: 'bp', value: 3, patient: '8' },
      ]),
    )
    const ids = records.map(({ id }) => id)
    for (const version of [
      { id: 'bp', value: 4, more: { status: 'entered-in-error', issued: '2021-04-01' } },
      { id: 'bp', value: 5 },
    ]) {
      const taken = await run.custodian.submitRecords(submission(jsonOf(resource(version))))
      ids.push(taken.records[0]?.id ?? assert.fail('not taken'))
    }
    assert.deepEqual(orderOf(run, ids), [
      [1, null],
      [2, null],
      [1, null],
      [3, 1],
      [4, 3],
    ])
    const mistake = run.custodian.index.get(fromHex(ids[3] ?? ''))?.metadata
    assert.deepEqual([mistake?.isMistake, mistake?.eventAt], [1, '2021-04-01'])
  }))

test('a history tells the newest version first, and is put in order', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const versions = [3, 2, 1].map((value) => ({ id: 'bp', value }))
    const { records, problems } = await run.custodian.submitRecords(bundle('history', versions))
    assert.deepEqual(problems, [])
    assert.deepEqual(
      orderOf(
        run,
        records.map(({ id }) => id),
      ),
      [
        [3, 2],
        [2, 1],
        [1, null],
      ],
    )
  }))

test('submissions of one patient at the same moment share no number', () =>
  withCustody(async (custody) => {
    const run = await custody.run()
    const values = Array.from({ length: 12 }, (_, at) => at)
    const taken = await Promise.all(
      values.map((value) =>
        run.custodian.submitRecords(
          bundle('collection', [
            { id: 'bp', value },
            { id: `other-${value}`, value },
            { id: 'same', value: 1 },
          ]),
        ),
      ),
    )
    const ids = [...new Set(taken.flatMap(({ records }) => records.map(({ id }) => id)))]
    const numbers = orderOf(run, ids)
      .map(([sequence]) => sequence)
      .toSorted((a, b) => a - b)
    assert.deepEqual(
      numbers,
      ids.map((_, at) => at + 1),
    )
    const versions = ids.flatMap((id) => run.custodian.index.get(fromHex(id))?.metadata ?? [])
    const pressures = versions.filter(({ resourceId }) => resourceId === 'bp')
    const superseded = pressures.flatMap(({ supersedes }) => supersedes ?? []).map(toHex)
    assert.equal(pressures.length, 12)
    assert.equal(new Set(superseded).size, 11)
  }))

test('who asks for accounts waits for those who asked before, and for nobody else', async () => {
  const locks = new NamedLocks()
  const steps: string[] = []
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>())
  const work = (name: string, at: number) => async () => {
    steps.push(`${name} begins`)
    await gates[at]?.promise
    steps.push(`${name} ends`)
  }
  const all = [
    locks.hold(['a', 'b'], work('first', 0)),
    locks.hold(['b', 'c', 'b'], work('second', 1)),
    locks.hold(['d'], work('third', 2)),
  ]
  gates[2]?.resolve()
  await all[2]
  gates[1]?.resolve()
  gates[0]?.resolve()
  await Promise.all(all)
  assert.deepEqual(steps, [
    'first begins',
    'third begins',
    'third ends',
    'first ends',
    'second begins',
    'second ends',
  ])
  await assert.rejects(locks.hold(['a'], () => Promise.reject(new Error('broken'))))
  await locks.hold(['a'], () => Promise.resolve())
})

test.run()
