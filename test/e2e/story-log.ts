// The log shows all of it: who looked, who was refused, and why somebody looked.

import assert from 'node:assert/strict'
import type { Story } from './story-devnet.ts'

type Line = { outcome: string; reader: string; codes: string[]; entries: string[] }
type Log = { hospitals: { organisation: string; items: Line[] }[] }

export async function looking({ devnet, teller, people }: Story): Promise<void> {
  const { jill, desks, specialist } = people
  const [desk] = desks
  assert.ok(desk !== undefined)
  teller.chapter(
    'Who looked, and who was refused',
    'Every hospital that keeps a part of a record wrote it down before it gave its part. Only she can',
    'read what they wrote.',
  )
  await teller.type(jill, 'patient access --hospital hospital-0', {
    says: [specialist.node?.name ?? '', 'grant_expired', 'grant_revoked'],
    lines: 20,
  })
  const { stdout } = await devnet.succeed('patient access --hospital hospital-0 --json', {
    env: { MOORING_WALLET: 'jill.json', MOORING_WALLET_PASSPHRASE_FILE: 'passphrase' },
  })
  const { hospitals }: Log = JSON.parse(stdout)
  const read = hospitals[0]?.items.find(
    ({ outcome, reader }) => outcome === 'read' && reader === specialist.node?.name,
  )
  const entry = read?.entries[0]?.slice(0, 12) ?? ''
  assert.ok(entry !== '', 'a line about the specialist')
  teller.say('She asks why, and is answered:')
  await teller.type(jill, ['patient', 'ask', entry, 'Why did hospital-3 read this?'])
  const asked = await teller.type(desk, 'access questions --open', { says: ['Why did'] })
  const question = /[0-9a-f]{32,64}/.exec(asked.stdout)?.[0] ?? ''
  await teller.type(desk, ['access', 'answer', question, 'For your appointment there.'])
  await teller.type(jill, 'patient questions', { says: ['For your appointment there.'] })
  await teller.chain()
}
