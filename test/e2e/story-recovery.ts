// The phone is lost, with the wallet in it. Two of three guardians and a desk bring it back, the hospitals
// know the new wallet, and the old keys are dead.

import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Story } from './story-devnet.ts'
import { eventually } from './eventually.ts'
import type { Person } from './story-teller.ts'

const LOCK_MS = 60_000

export async function recovery(story: Story): Promise<void> {
  await nameGuardians(story)
  await lose(story)
  await bringBack(story)
}

const GUARDIANS = ['ann', 'ben', 'cem'].map((name): Person => ({ name, wallet: `${name}.json` }))

async function nameGuardians({ teller, people }: Story): Promise<void> {
  const { jill } = people
  teller.chapter(
    'Three guardians',
    'Any two of them can give her identity a new key, after a time lock in which she can say no. The chain',
    'has a commitment to them and not who they are. In the story the lock is short; usually it is 72 hours.',
  )
  for (const guardian of GUARDIANS) {
    await teller.type(guardian, `patient new --label ${guardian.name}`, { lines: 0 })
    await teller.type(guardian, `guardian key --label ${guardian.name} -o ${guardian.name}.txt`)
  }
  await teller.type(
    jill,
    'patient guardians set --lock 8s --desk-lock 4s --guardian ann.txt ben.txt cem.txt -o kits',
  )
  for (const [index, guardian] of GUARDIANS.entries()) {
    await teller.type(guardian, `guardian accept kits/guardian-${index + 1}-${guardian.name}.txt`)
  }
  await teller.type(jill, 'patient guardians backup --output jill.backup')
  const created = (await teller.chain()).filter(({ kind }) => kind === 'identity.create')
  assert.equal(created.length, 1)
}

async function lose({ devnet, teller }: Story): Promise<void> {
  teller.chapter('The phone falls into the lake', 'The wallet file is gone, and so is the paper.')
  await rm(join(devnet.folder, 'jill.json'))
}

async function bringBack(story: Story): Promise<void> {
  const { teller, people } = story
  const [desk] = people.desks
  const [ann, , cem] = GUARDIANS
  assert.ok(desk !== undefined && ann !== undefined && cem !== undefined)
  const jill: Person = { name: 'Jill, new phone', wallet: 'jill-2.json' }
  const at = ['--endpoint', desk.node?.api ?? '']
  const type = (who: Person, line: string) => teller.type(who, [...line.split(' '), ...at])
  await teller.type(jill, 'patient new --label Jill', { lines: 0 })
  const listed = await teller.type(ann, 'guardian list', { says: [/[0-9a-f]{64}/] })
  const identity = /[0-9a-f]{64}/.exec(listed.stdout)?.[0] ?? ''
  const started = await type(jill, `patient recover start --identity ${identity} -o recovery.txt`)
  const fingerprint = /digits: ([0-9 ]+)/.exec(`${started.stdout}${started.stderr}`)?.[1] ?? ''
  const digits = fingerprint.trim()
  const signed = ['recovery.txt', '--fingerprint', digits, '-o']
  for (const guardian of [ann, cem]) {
    const line = ['guardian', 'approve', ...signed, `${guardian.name}-approves.txt`, ...at]
    await teller.type(guardian, line)
  }
  await teller.type(desk, ['recovery', 'attest', ...signed, 'desk.txt'])
  await type(
    jill,
    'patient recover submit ann-approves.txt cem-approves.txt --attestation desk.txt',
  )
  await eventually('the time lock is over', LOCK_MS, async () => {
    const { code } = await story.devnet.run(['patient', 'recover', 'finish', ...at], {
      env: { MOORING_WALLET: 'jill-2.json', MOORING_WALLET_PASSPHRASE_FILE: 'passphrase' },
    })
    return code === 0 ? true : undefined
  })
  for (const guardian of [ann, cem]) {
    await type(guardian, `guardian release recovery.txt -o ${guardian.name}-share.txt`)
  }
  await type(jill, 'patient recover open ann-share.txt cem-share.txt --backup jill.backup')
  await teller.type(jill, 'patient recover return hospital-0 hospital-1 hospital-2')
  await teller.type(jill, 'patient hospitals')
  people.jill = jill
  const kinds = (await teller.chain()).map(({ kind }) => kind)
  for (const kind of ['identity.recover', 'identity.finalize', 'key.replace']) {
    assert.ok(kinds.includes(kind), `no ${kind} on the chain`)
  }
}
