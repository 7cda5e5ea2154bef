// Erasing, holding and amending at the command line: what is asked of the node, and what people read of it.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { AMENDMENT, ERASED } from '../../api/test/memory-erasing.ts'
import { DeskNode } from './desk-node.ts'
import { inWorld, NOW, serve, withNode, type World } from './world.ts'

const RECORD = 'cd'.repeat(32)

test('a record is erased with a reason, and who has signed is shown', () =>
  withNode(async ({ run }) => {
    const { stdout } = await run(`record erase ${RECORD} --reason court_order`)
    assert.match(stdout, /record +(cd){32}/)
    assert.match(stdout, /status +erased, tombstone in block 3, lakeview not told so far/)
    assert.match(stdout, /by the custodian: court order/)
    assert.match(stdout, /county deleted 1 shard, signed at block 3/)
    const json = JSON.parse((await run(`record erasures ${RECORD} --json`)).stdout)
    assert.deepEqual(json.schema, 'mooring/erasure/v1')
    assert.deepEqual(json.deletions, ERASED.deletions)
    const { items } = JSON.parse((await run('record erasures --json')).stdout)
    assert.deepEqual(items, [ERASED])
    assert.match((await run('record erasures')).stdout, /entered in error +erased, tombstone/)
  }))

test('a reason is one of four, and must be given', () =>
  withNode(async ({ run }) => {
    for (const line of [`record erase ${RECORD}`, `record erase ${RECORD} --reason whim`])
      assert.equal((await run(line)).code, 2, line)
    const lifted = await run(`record erase ${RECORD} --withdraw`)
    assert.match(lifted.stdout, /status +readable again/)
    const both = await run(`record erase ${RECORD} --withdraw --reason court_order`)
    assert.equal(both.code, 2)
    const unknown = await run(`record erasures ${'ef'.repeat(32)}`)
    assert.equal(unknown.code, 6)
    assert.match(unknown.stderr, /MOR-4039/)
  }))

test('a record is held and released', () =>
  withNode(async ({ run }) => {
    const held = await run(['record', 'hold', RECORD, '--reason', 'inquiry 7'])
    assert.match(held.stdout, /^held since .+: inquiry 7\n$/)
    const released = await run(`record release ${RECORD}`)
    assert.match(released.stderr, /not held any more/)
    const json = JSON.parse((await run(`record release ${RECORD} --json`)).stdout)
    assert.deepEqual(json, { schema: 'mooring/released/v1', record: RECORD, erasure: null })
  }))

test('requests for corrections are listed and answered', () =>
  withNode(async ({ run }) => {
    assert.match((await run('record amendments list')).stdout, /The dose is wrong\./)
    const accept = ['record', 'amendments', 'accept', AMENDMENT.id, '--reason', 'Corrected.']
    const accepted = await run([...accept, '--with', RECORD])
    assert.match(accepted.stdout, /accepted\. Corrected\.\ncorrected by +(cd){32}/)
    assert.match((await run('record amendments list')).stdout, /no correction was asked for/)
    assert.match((await run('record amendments list --all')).stdout, /accepted\. Corrected\./)
    const refuse = ['record', 'amendments', 'refuse', AMENDMENT.id, '--reason', 'It is right.']
    assert.match((await run(refuse)).stdout, /refused\. It is right\./)
    assert.equal((await run([...refuse, '--with', RECORD])).code, 2)
  }))

type Scene = World & { node: DeskNode; url: string }

/** With a wallet that the hospital knows. */
async function enrolled(scenario: (scene: Scene) => Promise<void>): Promise<void> {
  await inWorld((world) =>
    serve(world, new DeskNode(NOW.getTime()), async ({ folder, run, node, url }) => {
      const file = join(folder, 'passphrase')
      writeFileSync(file, 'correct horse battery staple\n', { mode: 0o600 })
      const known: World['run'] = (line, rest = {}) =>
        run(line, { ...rest, env: { MOORING_WALLET_PASSPHRASE_FILE: file, ...rest.env } })
      assert.equal((await known('patient new')).code, 0)
      assert.equal((await known(`patient enrol ${node.ticket(url)}`)).code, 0)
      await scenario({ folder, run: known, node, url })
    }),
  )
}

test('a patient is told by a code what keeps a record, and may withdraw', () =>
  enrolled(async ({ run }) => {
    const refused = await run(`patient erase ${RECORD}`)
    assert.equal(refused.code, 7)
    assert.match(refused.stderr, /MOR-5802/)
    assert.match(refused.stderr, /keeps this record until 2036/)
    const lifted = await run(`patient erase ${RECORD} --withdraw`)
    assert.match(lifted.stdout, /status +readable again/)
    assert.match((await run('patient erase --list')).stdout, /erased, tombstone in block 3/)
    const usage = await run('patient erase')
    assert.equal(usage.code, 2)
  }))

test('a patient asks for a correction, and sees the answer', () =>
  enrolled(async ({ run, node }) => {
    const asked = await run(['patient', 'amend', RECORD, 'The dose is 5 mg.'])
    assert.match(asked.stdout, /The dose is 5 mg\.\nanswer +none so far/)
    assert.equal(node.erasing.amendment.record, RECORD)
    const json = JSON.parse((await run('patient amend --list --json')).stdout)
    assert.deepEqual(json.items, [node.erasing.amendment])
    assert.equal((await run(`patient amend ${RECORD}`)).code, 2)
    const elsewhere = await run(`patient amend --list --at nowhere`)
    assert.notEqual(elsewhere.code, 0)
  }))

test.run()
