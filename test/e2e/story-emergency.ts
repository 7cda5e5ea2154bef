// An ambulance, a card, and a hospital that has never seen her; one of the trustees is dead.

import assert from 'node:assert/strict'
import type { Story } from './story-devnet.ts'

const CARD = /mooring-emergency:\S+/

export async function emergency({ devnet, teller, people }: Story): Promise<void> {
  const { jill, ambulance, desks } = people
  const [desk] = desks
  assert.ok(desk !== undefined)
  teller.chapter(
    'A card for emergencies',
    'A summary of all hospitals, sealed under a key of its own, which is split over trustees: two of five',
    'open it. The card finds it.',
  )
  await teller.type(jill, 'patient emergency set --at hospital-0')
  const shown = await teller.type(jill, 'patient emergency card --no-qr', { says: [CARD] })
  const card = CARD.exec(shown.stdout)?.[0] ?? ''
  await teller.chain()

  teller.chapter(
    'Found unconscious',
    'At hospital-4 nobody knows her. A physician there has a credential with the right to break the glass.',
    'hospital-2, one of the trustees, is dead.',
  )
  const made = await teller.type(ambulance, 'practitioner new weber.key')
  const did = /did:key:\S+/.exec(made.stdout)?.[0] ?? ''
  await teller.type(
    ambulance,
    `practitioner issue ${did} --role physician --name Weber --licence MD-4711 --btg --output weber.credential`,
  )
  await devnet.succeed('devnet kill hospital-2')
  const mine = '--credential weber.credential --key weber.key'
  await teller.type(ambulance, `emergency open ${card} ${mine}`, { code: 2 })
  const opened = await teller.type(
    ambulance,
    `emergency open ${card} --reason unconscious ${mine} --output summary.json`,
    { says: [/allerg/i] },
  )
  teller.say(
    `From the card to the summary: ${Math.round(opened.milliseconds)} ms, start of the command included.`,
  )
  const id = /[0-9a-f]{64}/.exec(`${opened.stdout}${opened.stderr}`)?.[0] ?? ''
  await teller.type(ambulance, ['emergency', 'close', id, '--why', 'found unconscious at home'])
  const kinds = (await teller.chain()).map(({ kind }) => kind)
  assert.ok(kinds.includes('emergency.open') && kinds.includes('emergency.close'))

  teller.chapter(
    'She sees it at once',
    'The version that was opened is gone; the next one is in its place.',
  )
  await devnet.succeed('devnet restart hospital-2')
  await teller.type(jill, 'patient emergency status', { says: ['hospital-4'] })
  await teller.type(jill, 'patient access --hospital hospital-0', { says: [/BTG/], lines: 4 })
  await teller.chain()
}
