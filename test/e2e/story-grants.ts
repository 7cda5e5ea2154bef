// The allergies for one appointment: read, and nothing else; then the permission ends by itself. A second
// one is taken back.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Story } from './story-devnet.ts'
import { nodeAt } from './devnet.ts'

// The appointment of the story is short.
const APPOINTMENT_MS = 25_000
const OFFER = /mooring-offer:\S+/

export async function grants(story: Story): Promise<void> {
  const { teller, people } = story
  const { jill, specialist } = people
  const ends = Date.now() + APPOINTMENT_MS
  teller.chapter(
    'The allergies, for one appointment, to a specialist elsewhere',
    'A FHIR Consent, signed by her key at hospital-0. On the chain stands a random handle and no more.',
  )
  const until = new Date(ends).toISOString()
  const offered = await teller.type(
    jill,
    ['patient', 'grant', 'create', '--at', 'hospital-0', '--to', 'hospital-3'].concat(
      '--type',
      'AllergyIntolerance',
      '--until',
      until,
      '--no-qr',
    ),
    { says: [OFFER] },
  )
  const offer = OFFER.exec(offered.stdout)?.[0] ?? ''
  await teller.type(specialist, 'grant accept - -o allergies.json', { stdin: offer })
  await teller.type(specialist, 'record list --grant allergies.json', {
    says: ['AllergyIntolerance'],
  })
  const { allergy, other } = await namesOf(story)
  await teller.type(specialist, `record get ${allergy} --grant allergies.json`, {
    says: ['"AllergyIntolerance"'],
    lines: 6,
  })
  teller.say('Another record of hers, under the same grant:')
  await teller.type(specialist, `record get ${other} --grant allergies.json`, { code: 6 })
  const opened = (await teller.chain()).filter(({ kind }) => kind === 'grant.open')
  assert.equal(opened.length, 1)

  teller.chapter('The appointment is over', 'Nobody does anything: the grant has ended.')
  await pause(Math.max(0, ends + 1_000 - Date.now()))
  await teller.type(specialist, `record get ${allergy} --grant allergies.json`, {
    code: 5,
    says: ['expired'],
  })
  await teller.chain()

  teller.chapter(
    'A second permission, and taken back',
    'All general records, for a month; then no more.',
  )
  const second = await teller.type(
    jill,
    'patient grant create --at hospital-0 --to hospital-3 --class general --days 30 --no-qr',
    { says: [OFFER] },
  )
  await teller.type(specialist, 'grant accept - -o month.json', {
    stdin: OFFER.exec(second.stdout)?.[0] ?? '',
  })
  await teller.type(specialist, `record get ${other} --grant month.json`, { lines: 4 })
  const id = /grant +([0-9a-f]{32})/.exec(`${second.stdout}${second.stderr}`)?.[1] ?? ''
  await teller.type(jill, `patient grant revoke ${id}`)
  await teller.type(specialist, `record get ${other} --grant month.json`, {
    code: 5,
    says: ['revoked'],
  })
  await teller.type(jill, 'patient grant list')
  const kinds = (await teller.chain()).map(({ kind }) => kind)
  assert.ok(kinds.includes('grant.open') && kinds.includes('grant.revoke'))
}

// An allergy of the patient at hospital-0, and something that is none.
async function namesOf({ devnet }: Story): Promise<{ allergy: string; other: string }> {
  const { client } = nodeAt(devnet, 0)
  const find = async (type: string) => {
    const { items } = await client.records({ type, limit: 1 })
    const [found] = items
    assert.ok(found !== undefined, `hospital-0 has no ${type}`)
    return found.id
  }
  return { allergy: await find('AllergyIntolerance'), other: await find('Observation') }
}
