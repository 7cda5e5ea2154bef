import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'uvu'
import {
  askGuardians,
  codeOf,
  json,
  recoveryScene,
  setGuardians,
  textOf,
  withGuardians,
} from './recovery-world.ts'

const HOUR_MS = 3_600_000
const SUBMIT = ['patient', 'recover', 'submit']
const FINISH = ['patient', 'recover', 'finish']

test('a lost wallet is recovered by two of three guardians after the time lock, with what it had', () =>
  recoveryScene(async (scene) => {
    const { as, node, folder, newWallet } = scene
    const { identity } = await withGuardians(scene)
    const backup = join(folder, 'ada.backup')
    json(await as('ada', ['patient', 'guardians', 'backup', '--output', backup]))

    await newWallet('phone')
    const asked = await askGuardians(scene, { wallet: 'phone', identity, by: ['ann', 'cem'] })
    const { request, approvals } = asked
    assert.equal(codeOf(await as('ann', ['guardian', 'release', request])), 'MOR-5740')
    const { pending } = json(await as('phone', [...SUBMIT, ...approvals]))
    assert.ok(typeof pending === 'object' && pending !== null)
    assert.equal(codeOf(await as('phone', FINISH)), 'MOR-5717')
    assert.equal(codeOf(await as('ann', ['guardian', 'release', request])), 'MOR-5740')

    node.forwardMs += 72 * HOUR_MS
    assert.equal(json(await as('phone', FINISH))['identity'], identity)
    const shares = []
    for (const name of ['ann', 'ben']) {
      shares.push(textOf(await as(name, ['guardian', 'release', request])))
    }
    const open = ['patient', 'recover', 'open', '--backup', backup]
    assert.equal(codeOf(await as('phone', [...open, shares[0] ?? ''])), 'MOR-5743')
    assert.equal(json(await as('phone', [...open, ...shares]))['label'], 'ada')

    assert.equal(codeOf(await as('ada', ['patient', 'veto'])), 'MOR-5732')
    const keys = []
    for (const name of ['ann', 'ben']) {
      keys.push(textOf(await as(name, ['guardian', 'key', '--label', name])))
    }
    const set = ['patient', 'guardians', 'set', '--identity', identity, '--guardian', ...keys]
    assert.equal(json(await as('phone', set))['identity'], identity)
  }))

test('a thief who won two guardians over is stopped by the owner, and their signatures are spent', () =>
  recoveryScene(async (scene) => {
    const { as, node, newWallet } = scene
    const { identity } = await withGuardians(scene)
    await newWallet('thief')
    const by = ['ann', 'ben']
    const { approvals } = await askGuardians(scene, { wallet: 'thief', identity, by })
    json(await as('thief', [...SUBMIT, ...approvals]))
    const items = json(await as('cem', ['guardian', 'list']))['items']
    assert.ok(Array.isArray(items) && items[0].pending !== null)
    const stopped = json(await as('ada', ['patient', 'veto']))
    assert.equal(stopped['pending'], null)
    node.forwardMs += 72 * HOUR_MS
    assert.equal(codeOf(await as('thief', FINISH)), 'MOR-5716')
    assert.equal(codeOf(await as('thief', [...SUBMIT, ...approvals])), 'MOR-5703')
    assert.equal(codeOf(await as('ada', ['patient', 'veto'])), 'MOR-5716')

    // The wallet was lost too, and made again from its words: it finds its identity and its key.
    const again = await askGuardians(scene, { wallet: 'thief', identity, by })
    json(await as('thief', [...SUBMIT, ...again.approvals]))
    await newWallet('ada')
    assert.equal(json(await as('ada', ['patient', 'veto']))['pending'], null)
    const listed = json(await as('ada', ['patient', 'guardians', 'list']))
    assert.deepEqual([listed['id'], listed['guardianNames']], [identity, []])
  }))

test('one guardian of three stops a recovery, also one that a desk attests, which the old key cannot', () =>
  recoveryScene(async (scene) => {
    const { as, node, run, newWallet, beHospital } = scene
    const { identity } = await withGuardians(scene)
    await newWallet('phone')
    const by = ['ann', 'ben']
    const asked = await askGuardians(scene, { wallet: 'phone', identity, by })
    const { request, fingerprint, approvals } = asked
    await beHospital(2)
    const attest = ['recovery', 'attest', request, '--fingerprint', fingerprint, '--json']
    const attestation = textOf(await run(attest))
    await beHospital(0)
    json(await as('phone', [...SUBMIT, ...approvals, '--attestation', attestation]))
    assert.equal(codeOf(await as('ada', ['patient', 'veto'])), 'MOR-5719')
    node.forwardMs += 23 * HOUR_MS
    assert.equal(codeOf(await as('phone', FINISH)), 'MOR-5717')
    assert.equal(json(await as('cem', ['guardian', 'veto', 'ada']))['stopped'], true)
    node.forwardMs += HOUR_MS
    assert.equal(codeOf(await as('phone', FINISH)), 'MOR-5716')

    const again = await askGuardians(scene, { wallet: 'phone', identity, by })
    const seen = ['recovery', 'attest', again.request, '--fingerprint', again.fingerprint, '--json']
    const line = [...SUBMIT, ...again.approvals, '--attestation', textOf(await run(seen))]
    json(await as('phone', line))
    node.forwardMs += 24 * HOUR_MS
    json(await as('phone', FINISH))
  }))

test('where two guardians must object, the second brings what the first signed', () =>
  recoveryScene(async (scene) => {
    const { as, newWallet } = scene
    const names = ['ann', 'ben', 'cem', 'dora', 'eve']
    const { identity } = await withGuardians(scene, { names, rest: '--threshold 3' })
    await newWallet('thief')
    const by = ['ann', 'ben', 'cem']
    const { approvals } = await askGuardians(scene, { wallet: 'thief', identity, by })
    json(await as('thief', [...SUBMIT, ...approvals]))
    const first = json(await as('dora', ['guardian', 'veto', 'ada']))
    assert.equal(first['stopped'], false)
    const text = String(first['text'])
    assert.equal(codeOf(await as('dora', ['guardian', 'veto', 'ada', text])), 'MOR-5709')
    assert.equal(json(await as('eve', ['guardian', 'veto', identity, text]))['stopped'], true)
    assert.equal(codeOf(await as('eve', ['guardian', 'veto', 'ada', text])), 'MOR-5742')
  }))

test('a guardian who was replaced signs nothing that counts, and keeps a share of no later backup', () =>
  recoveryScene(async (scene) => {
    const { as, node, folder, newWallet } = scene
    await withGuardians(scene)
    const backup = join(folder, 'ada.backup')
    const keys: string[] = []
    for (const name of ['ann', 'ben']) {
      keys.push(textOf(await as(name, ['guardian', 'key', '--label', name])))
    }
    const { identity } = await setGuardians(scene, { names: ['ann', 'ben'], keys })
    json(await as('ada', ['patient', 'guardians', 'backup', '--output', backup]))
    const items = json(await as('cem', ['guardian', 'list']))['items']
    assert.ok(Array.isArray(items) && items[0].isGuardian === false)

    await newWallet('phone')
    const by = ['ann', 'cem']
    const { approvals } = await askGuardians(scene, { wallet: 'phone', identity, by })
    assert.equal(codeOf(await as('phone', [...SUBMIT, ...approvals])), 'MOR-5708')
    const asked = await askGuardians(scene, { wallet: 'phone', identity, by: ['ann', 'ben'] })
    json(await as('phone', [...SUBMIT, ...asked.approvals]))
    assert.equal(codeOf(await as('cem', ['guardian', 'veto', 'ada'])), 'MOR-5708')
    node.forwardMs += 72 * HOUR_MS
    json(await as('phone', FINISH))
    const shares = []
    for (const name of ['ann', 'cem']) {
      shares.push(textOf(await as(name, ['guardian', 'release', asked.request])))
    }
    const open = ['patient', 'recover', 'open', '--backup', backup, ...shares]
    assert.equal(codeOf(await as('phone', open)), 'MOR-5743')
  }))

test('a hospital is one guardian among persons, and signs with its own key', () =>
  recoveryScene(async (scene) => {
    const { as, node, run, newWallet, beHospital } = scene
    const rest = '--member hospital-1 --threshold 3'
    const { identity, kits } = await withGuardians(scene, { rest })
    await newWallet('phone')
    const by = ['ann', 'ben']
    const asked = await askGuardians(scene, { wallet: 'phone', identity, by })
    const line = ['recovery', 'approve', asked.request, '--fingerprint', asked.fingerprint]
    const kit = kits['hospital-1'] ?? assert.fail()
    const approve = [...line, '--kit', kit, '--json']
    assert.equal(codeOf(await run(approve)), 'MOR-5734')
    await beHospital(1)
    const approvals = [...asked.approvals, textOf(await run(approve))]
    await beHospital(0)
    assert.equal(codeOf(await as('phone', [...SUBMIT, ...asked.approvals])), 'MOR-5712')
    json(await as('phone', [...SUBMIT, ...approvals]))
    node.forwardMs += 72 * HOUR_MS
    json(await as('phone', FINISH))
  }))

test('what is refused before anything is asked of the chain', () =>
  recoveryScene(async (scene) => {
    const { as, newWallet, run } = scene
    const { identity, kits } = await withGuardians(scene)
    await newWallet('phone')
    const asked = await askGuardians(scene, { wallet: 'phone', identity, by: ['ann'] })
    const { request, fingerprint, approvals } = asked
    const wrong = ['guardian', 'approve', request, '--fingerprint', '11111 22222 33333 44444']
    assert.equal(codeOf(await as('ben', wrong)), 'MOR-5738')
    const digits = ['--fingerprint', fingerprint]
    assert.equal(codeOf(await as('phone', ['guardian', 'approve', request, ...digits])), 'MOR-5736')
    assert.equal(codeOf(await as('ben', ['guardian', 'accept', kits['ann'] ?? ''])), 'MOR-5734')
    const cut = (kits['ann'] ?? '').slice(0, -3)
    assert.equal(codeOf(await as('ann', ['guardian', 'accept', cut])), 'MOR-5730')
    assert.equal(codeOf(await as('ada', [...SUBMIT, ...approvals])), 'MOR-5741')
    assert.equal(codeOf(await as('phone', [...SUBMIT, ...approvals])), 'MOR-5712')
    const again = await askGuardians(scene, { wallet: 'phone', identity, by: ['ben'] })
    const mixed = [...SUBMIT, ...approvals, ...again.approvals]
    assert.equal(codeOf(await as('phone', mixed)), 'MOR-5710')
    const unknown = ['patient', 'recover', 'start', '--identity', '0'.repeat(64)]
    assert.equal(codeOf(await as('phone', unknown)), 'MOR-5731')
    const set = ['patient', 'guardians', 'set', '--guardian']
    const key = textOf(await as('ann', ['guardian', 'key', '--label', 'ann']))
    assert.equal(codeOf(await as('ada', [...set, key])), 'MOR-5733')
    assert.equal(codeOf(await as('ada', [...set, key, key])), 'MOR-5733')
    assert.equal(codeOf(await as('ada', [...set, key, '--member', 'seaside'])), 'MOR-5733')
    const attest = ['recovery', 'attest', request, '--fingerprint', '1', '--json']
    assert.equal(codeOf(await run(attest)), 'MOR-5738')
  }))

test.run()
