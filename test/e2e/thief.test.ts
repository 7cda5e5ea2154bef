// The disk of a hospital and all its keys are stolen: its node never comes back. Its own records are read at
// another hospital under the patients' grants, found through their holders; and the thief, who can open what
// the hospital itself could open alone, opens no record of any other hospital.

import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { nodeAt, startDevnet } from './devnet.ts'
import { grantAll, readAll } from './granted-reads.ts'
import { type SpreadRecord, spread } from './provider-spread.ts'
import { generatedPatients } from './sources.ts'
import { ransack } from './thief.ts'

const STOLEN = 0
const READER = 4
const PATIENTS = 4

const starting = startDevnet('-n 5')
let records: SpreadRecord[] = []

test('the records of a hospital that is gone for good are read at another one', async () => {
  const devnet = await starting
  let turn = 0
  records = await spread(devnet, generatedPatients(PATIENTS), () => {
    turn += 1
    return turn % 4
  })
  const reader = nodeAt(devnet, READER)
  const grants = await grantAll(devnet, records, reader)
  await devnet.succeed(`devnet kill ${STOLEN}`)
  const { home } = nodeAt(devnet, STOLEN)
  await rename(home, join(devnet.folder, 'stolen'))
  const its = records.filter(({ custodian }) => custodian === STOLEN)
  const bytes = await readAll(reader, its, grants)
  process.stdout.write(
    `figure: ${its.length} records (${bytes} bytes) of a custodian that is gone read under ` +
      `${grants.count} grants\n`,
  )
})

test('a stranger with its disk and keys opens no record of another hospital', async () => {
  const devnet = await starting
  const { name } = nodeAt(devnet, STOLEN)
  const loot = await ransack(join(devnet.folder, 'stolen'), name)
  assert.equal(loot.keyFiles, 6)
  assert.ok(loot.openedValues >= records.filter(({ custodian }) => custodian === STOLEN).length)
  for (const { index, name: custodian } of devnet.nodes.slice(0, READER)) {
    const found = loot.custodians.get(custodian)
    assert.ok(found !== undefined, `nothing of ${custodian} is on the disk`)
    const its = records.filter((record) => record.custodian === index).length
    assert.equal(found.sets, its, custodian)
    // The control: the same tries on its own records open what they are, never what they say.
    assert.equal(found.opened, index === STOLEN ? its : 0, custodian)
    assert.equal(found.segments, 0, custodian)
  }
  const others = [...loot.custodians].filter(([custodian]) => custodian !== name)
  const sum = (pick: (found: (typeof others)[number][1]) => number) =>
    others.reduce((total, [, found]) => total + pick(found), 0)
  process.stdout.write(
    `figure: ${loot.keyFiles} key files, ${loot.openedValues} of ${loot.sealedValues} values opened, ` +
      `${loot.candidates} keys, ${loot.tries} tries on ${sum(({ sets }) => sets)} shards and ` +
      `${sum(({ deposits }) => deposits)} class keys of others: none opens\n`,
  )
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await rename(join(devnet.folder, 'stolen'), nodeAt(devnet, STOLEN).home)
  await devnet.close()
})

test.run()
