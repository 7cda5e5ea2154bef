// The patient gets a wallet, is enrolled at three desks, and sees one timeline.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Story } from './story-devnet.ts'

export async function beginnings({ devnet, teller, patient, people }: Story): Promise<void> {
  const { jill, desks } = people
  teller.chapter(
    'Three hospitals have records',
    'Each seals what it wrote, splits it over five hospitals, and anchors a commitment. No hospital has',
    'enough of it to read it alone.',
  )
  for (const [index, desk] of desks.entries()) {
    const file = `from-${index}.json`
    await writeFile(join(devnet.folder, file), patient.bundles[index] ?? '')
    await teller.type(desk, `record submit ${file}`, { lines: 4 })
  }
  await teller.chain()

  teller.chapter(
    'A wallet',
    'One seed, 24 words. Every hospital will know another key of it. Nothing leaves this file.',
  )
  await teller.type(jill, ['patient', 'new', '--label', 'Jill'], { lines: 1 })
  const nothing = await teller.chain()
  assert.ok(nothing.every(({ kind }) => kind === 'record.anchor' || kind === 'access.log'))

  teller.chapter(
    'Three desks',
    'Each checks who she is, and binds the key that her wallet made for it to its own patient number.',
    'The key that the hospital had kept for her so far is dead from here on.',
  )
  for (const desk of desks) {
    const patientName = `Patient/${patient.reference}`
    const { stdout } = await teller.type(desk, `enrolment create --patient ${patientName} --no-qr`)
    const ticket = /mooring-ticket:\S+/.exec(stdout)?.[0] ?? ''
    await teller.type(jill, 'patient enrol -', { stdin: ticket, says: ['enrolled at'] })
  }
  await teller.type(jill, 'patient hospitals')
  const replaced = (await teller.chain()).filter(({ kind }) => kind === 'key.replace')
  assert.equal(replaced.length, desks.length)

  teller.chapter('One timeline', 'Every entry with its proof, over all three.')
  await teller.type(jill, 'patient timeline', { says: ['hospital-0', 'hospital-1', 'hospital-2'] })
  await teller.chain()
}
