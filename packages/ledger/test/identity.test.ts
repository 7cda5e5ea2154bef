import assert from 'node:assert/strict'
import { decode, encode, equalBytes, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  controlKeyDigest,
  deviceKeyDigest,
  formatPayloadJson,
  organisationKey,
  parsePayloadJson,
} from '../src/index.ts'
import { identitySchema, RECOVERY_LAPSES_MS } from '../src/identity.ts'
import { organisationSchema } from '../src/organisation.ts'
import { payloadSchema } from '../src/transaction.ts'
import { keyOf, organisation, START, world } from './fixture.ts'
import {
  controlKey,
  deviceKey,
  type Event,
  guardians,
  GuardianSet,
  HOUR,
  IdentityWorld,
  settings,
} from './identity-world.ts'

const LOCK = 72 * HOUR
const DESK_LOCK = 24 * HOUR

function started(): IdentityWorld {
  const here = new IdentityWorld(world())
  here.take(here.create())
  return here
}

/** With a recovery that runs. */
function recovering(input: Parameters<IdentityWorld['recover']>[0] = {}): IdentityWorld {
  const here = started()
  here.take(here.recover(input))
  return here
}

test('an identity begins, and its announced key takes over', () => {
  const here = started()
  assert.deepEqual(here.found, { ...settings(1), sequence: 1, pending: null })
  here.take(here.rotate(2, 1, { recovery: null, devices: [] }))
  const { controlKey: key, nextKeyDigest, sequence, recovery } = here.found ?? assert.fail()
  assert.deepEqual([sequence, recovery], [2, null])
  assert.ok(equalBytes(key, controlKey(1).publicKey))
  assert.ok(equalBytes(nextKeyDigest, controlKeyDigest(controlKey(2).publicKey)))
})

test('who has the key in use alone cannot rotate, nor rotate twice', () => {
  const here = started()
  assert.equal(here.refusal(here.rotate(2, 0))?.code, 'identity_key_not_announced')
  assert.equal(here.refusal(here.rotate(2, 5))?.code, 'identity_key_not_announced')
  here.take(here.rotate(2))
  assert.equal(here.refusal(here.rotate(2))?.code, 'identity_sequence')
  assert.equal(here.refusal(here.rotate(3))?.code, 'identity_key_not_announced')
})

test('guardians recover it after the time lock, and the keys of before are dead', () => {
  const here = recovering()
  const pending = here.found?.pending ?? assert.fail()
  assert.deepEqual([pending.unlocksAt, pending.isAttested], [START + LOCK, false])
  here.time = START + LOCK - 1
  assert.equal(here.refusal(here.finalize(3))?.code, 'recovery_locked')
  here.time = START + LOCK
  here.take(here.finalize(3))
  const { controlKey: key, devices, sequence } = here.found ?? assert.fail()
  assert.deepEqual([toHex(key), devices], [toHex(controlKey(7).publicKey), []])
  assert.equal(sequence, 3)
  assert.equal(here.refusal(here.rotate(4, 1))?.code, 'identity_key_not_announced')
  here.take(here.rotate(4, 8))
  here.take(here.recover({ sequence: 5 }))
  assert.equal(here.refusal(here.object(6, 'control', controlKey(0)))?.code, 'veto_key_unknown')
})

test('the owner, a device or a guardian stops it, and what was signed for it is worth nothing more', () => {
  const vetoes: ((here: IdentityWorld) => Event)[] = [
    (here) => here.object(3, 'control', controlKey(0)),
    (here) => here.object(3, 'device', deviceKey(1)),
    (here) => here.objectAll(3, ['dora']),
    (here) => here.objectAll(3, ['county']),
  ]
  for (const veto of vetoes) {
    const here = recovering()
    const stale = here.recover()
    here.take(veto(here))
    assert.equal(here.found?.pending, null)
    here.time = START + LOCK
    assert.equal(here.refusal(here.finalize(4))?.code, 'no_recovery_pending')
    assert.equal(here.refusal(stale)?.code, 'identity_sequence')
    const moved = { ...stale.body, sequence: 4 }
    assert.equal(here.refusal({ ...stale, body: moved })?.code, 'guardian_forged')
  }
})

test('the key of a device stops one recovery and is spent', () => {
  const here = recovering()
  here.take(here.object(3, 'device', deviceKey(1)))
  here.take(here.recover({ sequence: 4 }))
  assert.equal(here.refusal(here.object(5, 'device', deviceKey(1)))?.code, 'veto_key_unknown')
})

test('a desk shortens the lock, and leaves the veto to guardians', () => {
  const here = recovering({ desk: 'lakeview' })
  assert.equal(here.found?.pending?.unlocksAt, START + DESK_LOCK)
  const stolen: Event[] = [
    here.object(3, 'control', controlKey(0)),
    here.object(3, 'device', deviceKey(1)),
  ]
  for (const veto of stolen) assert.equal(here.refusal(veto)?.code, 'veto_needs_guardians')
  assert.equal(here.refusal(here.rotate(3))?.code, 'recovery_pending')
  const stopped = recovering({ desk: 'lakeview' })
  stopped.take(stopped.objectAll(3, ['cem']))
  assert.equal(stopped.found?.pending, null)
  here.time = START + DESK_LOCK
  here.take(here.finalize(3))
})

test('a recovery that nobody finishes lapses, and another one may begin', () => {
  const here = recovering()
  here.time = START + LOCK + RECOVERY_LAPSES_MS - 1
  assert.equal(here.refusal(here.recover({ sequence: 3 }))?.code, 'recovery_pending')
  here.time += 1
  assert.equal(here.refusal(here.finalize(3))?.code, 'no_recovery_pending')
  assert.equal(here.refusal(here.object(3, 'control', controlKey(0)))?.code, 'no_recovery_pending')
  here.take(here.recover({ sequence: 3 }))
  const again = recovering()
  again.time = START + LOCK + RECOVERY_LAPSES_MS
  again.take(again.rotate(3))
})

test('each recovery that must not be has its code', () => {
  const here = started()
  const other = new GuardianSet(['eve', 'mallory'], [])
  const attested = here.recover({ desk: 'lakeview' })
  const honest = here.recover()
  const desk = attested.body.desk ?? assert.fail()
  const [first] = honest.body.approvals
  assert.ok(first !== undefined)
  const withBody = (body: Partial<typeof honest.body>): Event => ({
    ...honest,
    body: { ...honest.body, ...body },
  })
  const cases: [Event, string][] = [
    [here.recover({ by: [] }), 'too_few_guardians'],
    [here.recover({ by: ['ann'] }), 'too_few_guardians'],
    [here.recover({ by: ['ann', 'ann'] }), 'guardian_repeated'],
    [here.recover({ by: ['ann', 'lakeview'], desk: 'lakeview' }), 'too_few_guardians'],
    [here.recover({ set: other, by: ['eve', 'mallory'] }), 'guardian_unknown'],
    [here.recover({ sequence: 3 }), 'identity_sequence'],
    [here.recover({ sequence: 1 }), 'identity_sequence'],
    [withBody({ approvals: [first, { ...first, index: 1 }] }), 'guardian_unknown'],
    [withBody({ controlKey: controlKey(3).publicKey }), 'guardian_forged'],
    [withBody({ nextKeyDigest: controlKeyDigest(controlKey(3).publicKey) }), 'guardian_forged'],
    [withBody({ desk: { ...desk, organisation: 'seaside' } }), 'desk_unknown'],
    [withBody({ desk: { ...desk, key: keyOf('county', 'anchor').publicKey } }), 'desk_unknown'],
    [withBody({ desk: { ...desk, signature: first.signature } }), 'desk_forged'],
    [withBody({ identity: keyOf('nobody', 'x').publicKey }), 'identity_unknown'],
    [withBody({ controlKey: new Uint8Array(32) }), 'identity_key_invalid'],
  ]
  for (const [event, code] of cases) assert.equal(here.refusal(event)?.code, code, code)
  assert.equal(here.refusal(honest), undefined)
  assert.equal(here.refusal(honest, keyOf('riverside', 'governance'))?.code, 'wrong_signer')
})

test('a member signs as guardian with the key that it has on the chain', () => {
  const here = started()
  const event = here.recover({ by: ['ann', 'county'] })
  assert.equal(here.refusal(event), undefined)
  const [ann, county] = event.body.approvals
  assert.ok(ann !== undefined && county !== undefined)
  const key = keyOf('lakeview', 'anchor').publicKey
  const posing = { ...event, body: { ...event.body, approvals: [ann, { ...county, key }] } }
  assert.equal(here.refusal(posing)?.code, 'guardian_key_differs')
})

test('members of one legal group count once', () => {
  const here = started()
  const both = here.recover({ by: ['county', 'lakeview'] })
  assert.equal(here.refusal(both), undefined)
  const merged = { ...organisation('county'), legalGroup: organisation('lakeview').legalGroup }
  here.at.state.values.set(toHex(organisationKey('county')), encode(organisationSchema, merged))
  assert.equal(here.refusal(both)?.code, 'too_few_guardians')
  assert.equal(here.refusal(here.recover({ by: ['county', 'lakeview', 'ann'] })), undefined)
})

test('guardians who were replaced have no say any more', () => {
  const here = started()
  const next = new GuardianSet(['ann', 'ben', 'cem'], [])
  const recovery = { ...(settings(1).recovery ?? assert.fail()), guardians: next.root }
  here.take(here.rotate(2, 1, { recovery }))
  const old = here.recover({ sequence: 3, by: ['ann', 'dora'] })
  assert.equal(here.refusal(old)?.code, 'guardian_unknown')
  here.take(here.recover({ sequence: 3, set: next, by: ['ann', 'cem'] }))
  assert.equal(here.refusal(here.objectAll(4, ['dora']))?.code, 'guardian_unknown')
})

test('each veto and each end that must not be has its code', () => {
  const here = recovering()
  const idle = started()
  const forged = here.object(3, 'control', controlKey(0))
  assert.ok(forged.kind === 'identity.veto' && forged.body.by.kind === 'control')
  const { key } = forged.body.by.body
  const by = { kind: 'control', body: { key, signature: new Uint8Array(64) } } as const
  const cases: [IdentityWorld, Event, string][] = [
    [here, here.object(3, 'control', controlKey(1)), 'veto_key_unknown'],
    [here, here.object(3, 'device', deviceKey(2)), 'veto_key_unknown'],
    [here, here.object(2, 'control', controlKey(0)), 'identity_sequence'],
    [here, here.objectAll(3, []), 'too_few_guardians'],
    [here, { kind: 'identity.veto', body: { ...forged.body, by } }, 'identity_forged'],
    [idle, idle.object(2, 'control', controlKey(0)), 'no_recovery_pending'],
    [idle, idle.finalize(2), 'no_recovery_pending'],
    [here, here.finalize(3, 6), 'identity_key_not_announced'],
    [here, here.create(), 'identity_exists'],
    [here, here.recover({ sequence: 3 }), 'recovery_pending'],
  ]
  for (const [at, event, code] of cases) assert.equal(at.refusal(event)?.code, code, code)
})

test('without guardians nobody recovers anything', () => {
  const here = new IdentityWorld(world())
  here.take(here.create({ recovery: null }))
  assert.equal(here.refusal(here.recover())?.code, 'no_guardians')
})

test('a forged or foreign beginning is refused', () => {
  const here = new IdentityWorld(world())
  const event = here.create()
  assert.ok(event.kind === 'identity.create')
  const { settings: own } = event.body
  const changed = { ...event.body, settings: { ...own, devices: [] } }
  assert.equal(here.refusal({ ...event, body: changed })?.code, 'identity_forged')
  const elsewhere = new IdentityWorld(world({}, 'another'))
  const foreign = elsewhere.create()
  assert.equal(here.refusal(foreign)?.code, 'identity_forged')
})

test('bounds of what an identity may choose', () => {
  const here = new IdentityWorld(world())
  const policy = settings(1).recovery ?? assert.fail()
  const wrong: Partial<typeof policy>[] = [
    { threshold: 1 },
    { threshold: 16 },
    { vetoes: 0 },
    { lockMs: 999 },
    { lockMs: 31 * 24 * HOUR },
    { deskLockMs: 73 * HOUR },
  ]
  for (const changes of wrong) {
    assert.throws(() => here.encode(here.create({ recovery: { ...policy, ...changes } })))
  }
  const devices = Array.from({ length: 9 }, (_, n) => deviceKeyDigest(deviceKey(n).publicKey))
  assert.throws(() => here.encode(here.create({ devices })))
})

test('the JSON of every event says the same as its bytes', () => {
  const here = started()
  const events: Event[] = [
    here.create(),
    here.rotate(2),
    here.recover(),
    here.recover({ by: ['ann', 'county'], desk: 'lakeview' }),
    here.object(3, 'control', controlKey(0)),
    here.object(3, 'device', deviceKey(1)),
    here.objectAll(3, ['ann', 'county']),
    here.finalize(3),
  ]
  for (const event of events) {
    const payload = { ...event, expiresAt: START }
    const read = parsePayloadJson(formatPayloadJson(payload))
    assert.deepEqual(encode(payloadSchema, read), encode(payloadSchema, payload))
  }
})

/** In any order and by anybody: what may happen to an identity. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('rotate', 'recover', 'attest', 'control', 'device', 'minority', 'finish'),
    key: fc.nat({ max: 3 }),
    by: fc.subarray(guardians.names),
    wait: fc.constantFrom(0, DESK_LOCK, LOCK, RECOVERY_LAPSES_MS),
  }),
  { maxLength: 12 },
)

test('whatever is tried, control moves by an announced key or by guardians after a lock', () =>
  fc.assert(
    fc.property(steps, (tries) => {
      const here = started()
      for (const { what, key, by, wait } of tries) {
        here.time += wait + 1
        const before = here.found ?? assert.fail()
        const sequence = before.sequence + 1
        const event = eventOf(here, { what, key, by, sequence })
        if (here.refusal(event) !== undefined) continue
        here.take(event)
        const after = here.found ?? assert.fail()
        assert.equal(after.sequence, sequence)
        assert.deepEqual(decode(identitySchema, encode(identitySchema, after)), after)
        if (equalBytes(after.controlKey, before.controlKey)) continue
        if (what === 'rotate') {
          assert.ok(equalBytes(controlKeyDigest(after.controlKey), before.nextKeyDigest))
        } else {
          assert.equal(what, 'finish')
          const { pending } = before
          assert.ok(pending !== null && here.time >= pending.unlocksAt)
          assert.ok(here.time - pending.openedAt >= (pending.isAttested ? DESK_LOCK : LOCK))
        }
      }
    }),
    { numRuns: 150 },
  ))

type Try = { what: string; key: number; by: string[]; sequence: number }

function eventOf(here: IdentityWorld, { what, key, by, sequence }: Try): Event {
  switch (what) {
    case 'rotate':
      return here.rotate(sequence, key)
    case 'recover':
      return here.recover({ sequence, by, key })
    case 'attest':
      return here.recover({ sequence, by, key, desk: 'st-mary' })
    case 'control':
      return here.object(sequence, 'control', controlKey(key))
    case 'device':
      return here.object(sequence, 'device', deviceKey(key))
    case 'minority':
      return here.objectAll(sequence, by)
    default:
      return here.finalize(sequence, key)
  }
}

test.run()
