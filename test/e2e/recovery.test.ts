// The phone in the lake, the stolen file, the stolen phone, the thief with friends: drills on a network of
// four real hospitals, with a process for everything that anybody types.

import assert from 'node:assert/strict'
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const starting = startDevnet()
const PATIENT = 'Patient/4711'
const LOCKS = '--lock 6s --desk-lock 3s'
const GUARDIANS = ['ann', 'ben', 'cem']

type Answer = Record<string, unknown>

// What one person types, with the wallet file of that name.
async function typed(devnet: Devnet, name: string, words: string[]) {
  const [group = '', ...rest] = words
  const wallet = ['--wallet', `${name}.json`, '--passphrase-file', 'passphrase']
  return devnet.run([group, ...wallet, ...rest, '--json'])
}

async function as(name: string, words: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await typed(await starting, name, words)
  assert.equal(code, 0, `${name}: ${words.join(' ')}\n${stderr}`)
  return JSON.parse(stdout)
}

async function refusedTo(name: string, words: string[]): Promise<string> {
  const { code, stderr } = await typed(await starting, name, words)
  assert.notEqual(code, 0, `${name}: ${words.join(' ')}`)
  const problem: Answer = JSON.parse(stderr)
  return String(problem['code'])
}

const at = async (index: number) => ['--endpoint', nodeAt(await starting, index).api]
const textIn = (answer: Answer) => String(answer['text'])

async function enrol(name: string, index: number): Promise<Answer> {
  const devnet = await starting
  const line = ['enrolment', 'create', '--patient', PATIENT, ...(await at(index)), '--json']
  const { stdout } = await devnet.succeed(line)
  const { ticket }: Answer = JSON.parse(stdout)
  return as(name, ['patient', 'enrol', String(ticket)])
}

async function startRecovery(name: string, identity: string, by: string[]) {
  const start = ['patient', 'recover', 'start', '--identity', identity, ...(await at(3))]
  const asked = await as(name, start)
  const request = textIn(asked)
  const approvals: string[] = []
  for (const guardian of by) {
    const digits = ['--fingerprint', String(asked['fingerprint'])]
    const line = ['guardian', 'approve', request, ...digits, ...(await at(2))]
    approvals.push(textIn(await as(guardian, line)))
  }
  return { request, fingerprint: String(asked['fingerprint']), approvals }
}

async function submit(approvals: string[]): Promise<string[]> {
  return ['patient', 'recover', 'submit', ...approvals, ...(await at(3))]
}

async function finish(name: string): Promise<void> {
  const line = ['patient', 'recover', 'finish', ...(await at(3))]
  await eventually('the time lock', 60_000, async () => {
    const { code, stderr } = await typed(await starting, name, line)
    if (code === 0) return true
    assert.match(stderr, /"recovery_locked"/)
    return undefined
  })
}

async function grant(index: number): Promise<string[]> {
  const [custodian, recipient] = [
    nodeAt(await starting, index).name,
    nodeAt(await starting, 2).name,
  ]
  return ['patient', 'grant', 'create', '--at', custodian, '--to', recipient]
}

let identity = ''

test('a patient with two hospitals names three guardians', async () => {
  const devnet = await starting
  await writeFile(join(devnet.folder, 'passphrase'), 'four words nobody expects\n', { mode: 0o600 })
  for (const index of [0, 1]) {
    const resource = {
      resourceType: 'Observation',
      subject: { reference: PATIENT },
      id: `o${index}`,
    }
    await writeFile(join(devnet.folder, 'record.json'), JSON.stringify(resource))
    await devnet.succeed(['record', 'submit', 'record.json', ...(await at(index))])
  }
  for (const name of ['ada', ...GUARDIANS]) await as(name, ['patient', 'new', '--label', name])
  await enrol('ada', 0)
  await enrol('ada', 1)
  const keys: string[] = []
  for (const name of GUARDIANS) {
    keys.push(textIn(await as(name, ['guardian', 'key', '--label', name])))
  }
  const set = ['patient', 'guardians', 'set', ...LOCKS.split(' '), '--guardian', ...keys]
  const named = await as('ada', set)
  identity = String(named['identity'])
  const kits = named['kits']
  assert.ok(Array.isArray(kits) && kits.length === GUARDIANS.length)
  for (const { label, text } of kits) {
    await as(label, ['guardian', 'accept', text, ...(await at(1))])
  }
})

test('who has the wallet file and not the passphrase has nothing, and an altered file opens for nobody', async () => {
  const { folder } = await starting
  await copyFile(join(folder, 'ada.json'), join(folder, 'stolen.json'))
  await writeFile(join(folder, 'guess'), 'password1234\n', { mode: 0o600 })
  const devnet = await starting
  const line = '--wallet stolen.json --passphrase-file guess'
  const { code, stderr } = await devnet.run(`patient show ${line} --json`)
  assert.notEqual(code, 0)
  assert.match(stderr, /"passphrase_wrong"/)
  const file: { ciphertext: string } = JSON.parse(
    await readFile(join(folder, 'stolen.json'), 'utf8'),
  )
  const { ciphertext } = file
  const letter = ciphertext.at(40) === 'A' ? 'B' : 'A'
  file.ciphertext = `${ciphertext.slice(0, 40)}${letter}${ciphertext.slice(41)}`
  await writeFile(join(folder, 'stolen.json'), JSON.stringify(file))
  await chmod(join(folder, 'stolen.json'), 0o600)
  assert.equal(await refusedTo('stolen', ['patient', 'show']), 'wallet_damaged')
})

test('a stolen telephone acts until it is revoked, and then nowhere, nor does it stop a recovery', async () => {
  await as('phone', ['patient', 'device', 'new'])
  const invite = textIn(await as('ada', ['patient', 'device', 'invite']))
  const keys = textIn(await as('phone', ['patient', 'join', invite, '--label', 'phone']))
  const given = textIn(await as('ada', ['patient', 'device', 'add', keys]))
  await as('phone', ['patient', 'join', given])
  await as('phone', await grant(0))
  const erase = ['patient', 'erase', '0'.repeat(64), '--at', nodeAt(await starting, 0).name]
  assert.equal(await refusedTo('phone', erase), 'device_erases_nothing')
  assert.equal(await refusedTo('ada', erase), 'unknown_record')
  await as('ada', ['patient', 'device', 'revoke', 'phone'])
  assert.equal(await refusedTo('phone', await grant(0)), 'delegation_revoked')
  assert.equal(await refusedTo('phone', await grant(1)), 'delegation_revoked')
})

test('a thief who won two guardians over is stopped by the owner before the lock ends', async () => {
  await as('thief', ['patient', 'new', '--label', 'thief'])
  const { approvals } = await startRecovery('thief', identity, ['ann', 'ben'])
  await as('thief', await submit(approvals))
  assert.equal(await refusedTo('phone', ['patient', 'veto', ...(await at(1))]), 'veto_key_unknown')
  const stopped = await as('ada', ['patient', 'veto'])
  assert.equal(stopped['pending'], null)
  const again = ['patient', 'recover', 'finish', ...(await at(3))]
  assert.equal(await refusedTo('thief', again), 'no_recovery_pending')
  assert.equal(await refusedTo('thief', await submit(approvals)), 'identity_sequence')
})

// Three lines from hand to hand: the invitation, the keys, the delegations.
async function delegate(to: string, invite: string[], add: string[]): Promise<void> {
  const invitation = textIn(await as('ada', ['patient', ...invite]))
  const keys = textIn(await as(to, ['patient', 'join', invitation, '--label', to]))
  const [group = '', verb = '', ...rest] = add
  const given = textIn(await as('ada', ['patient', group, verb, keys, ...rest]))
  await as(to, ['patient', 'join', given])
}

test('a device stops one recovery and no other', async () => {
  await as('tablet', ['patient', 'device', 'new'])
  await delegate('tablet', ['device', 'invite'], ['device', 'add'])
  const by = ['ann', 'ben']
  const first = await startRecovery('thief', identity, by)
  await as('thief', await submit(first.approvals))
  const stopped = await as('tablet', ['patient', 'veto'])
  assert.equal(stopped['pending'], null)
  const second = await startRecovery('thief', identity, by)
  await as('thief', await submit(second.approvals))
  assert.equal(await refusedTo('tablet', ['patient', 'veto']), 'veto_key_unknown')
  const answer = await as('cem', ['guardian', 'veto', 'ada', ...(await at(2))])
  assert.equal(answer['stopped'], true)
})

test('a mother acts for the patient until a date, or until that is taken back', async () => {
  const until = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10)
  await as('mother', ['patient', 'new', '--label', 'mother'])
  const invite = ['represent', 'invite', '--as', 'FAMRQT', '--patient', 'ada']
  await delegate('mother', invite, ['represent', 'add', '--until', until])
  await as('mother', [...(await grant(0)), '--for', 'ada'])
  await as('ada', ['patient', 'device', 'revoke', 'mother'])
  assert.equal(
    await refusedTo('mother', [...(await grant(0)), '--for', 'ada']),
    'delegation_revoked',
  )
})

test('the telephone in the lake: guardians and a desk recover the identity, and the old keys are dead', async () => {
  const devnet = await starting
  const backup = join(devnet.folder, 'ada.backup')
  await as('ada', ['patient', 'guardians', 'backup', '--output', backup])
  await as('new', ['patient', 'new', '--label', 'new'])
  const asked = await startRecovery('new', identity, ['ann', 'cem'])
  const { request, fingerprint, approvals } = asked
  const attest = ['recovery', 'attest', request, '--fingerprint', fingerprint, ...(await at(3))]
  const { stdout } = await devnet.succeed([...attest, '--json'])
  const attestation = textIn(JSON.parse(stdout))
  await as('new', [...(await submit(approvals)), '--attestation', attestation])
  assert.equal(await refusedTo('ada', ['patient', 'veto']), 'veto_needs_guardians')
  const release = ['guardian', 'release', request, ...(await at(2))]
  assert.equal(await refusedTo('ann', release), 'recovery_not_in_control')
  await finish('new')
  const shares: string[] = []
  for (const name of ['ann', 'cem']) shares.push(textIn(await as(name, release)))
  const open = ['patient', 'recover', 'open', ...shares, '--backup', backup, '--revoke-all']
  const opened = await as('new', open)
  assert.deepEqual(opened['hospitals'], [nodeAt(devnet, 0).name, nodeAt(devnet, 1).name])

  const returning = ['patient', 'recover', 'return', nodeAt(devnet, 1).name]
  assert.deepEqual((await as('new', returning))['hospitals'], [nodeAt(devnet, 1).name])
  assert.equal(await refusedTo('ada', await grant(1)), 'key_replaced')
  await as('new', await grant(1))
  const { replacedAt } = await enrol('new', 0)
  assert.equal(typeof replacedAt, 'number')
  assert.equal(await refusedTo('ada', await grant(0)), 'key_replaced')
  await as('new', await grant(0))
})

test('a guardian who was replaced has no say, and what was permitted before ends with one kit', async () => {
  const keys: string[] = []
  for (const name of ['ann', 'ben']) {
    keys.push(textIn(await as(name, ['guardian', 'key', '--label', name])))
  }
  const set = ['patient', 'guardians', 'set', '--identity', identity, ...LOCKS.split(' ')]
  await as('new', [...set, '--guardian', ...keys])
  await as('thief2', ['patient', 'new', '--label', 'thief2'])
  const { approvals } = await startRecovery('thief2', identity, ['ann', 'cem'])
  assert.equal(await refusedTo('thief2', await submit(approvals)), 'guardian_unknown')
  const kit = textIn(await as('new', ['patient', 'guardians', 'kit']))
  const { revoked } = await as('cem', ['guardian', 'revoke-all', kit, ...(await at(1))])
  assert.equal(revoked, 2)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
