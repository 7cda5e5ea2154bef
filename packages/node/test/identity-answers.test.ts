// Events that anybody may bring to a node: what is relayed, what is refused before it costs anything, and how
// many there may be.

import assert from 'node:assert/strict'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import { type KeyPair, verify } from '@mooring/crypto'
import {
  controlKeyDigest,
  createTransaction,
  encodeIdentityEvent,
  genesisDigest,
  type IdentityEvent,
  identityIdOf,
  recoveryMessage,
  relayedBy,
  signIdentityCreate,
  signIdentityRotate,
  signObjection,
  verifyAttestation,
} from '@mooring/ledger'
import { rootSignKey } from '@mooring/records'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { createIdentityAnswers } from '../src/identity-answers.ts'
import type { Relayed, Relay } from '../src/relay.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld } from './chain-world.ts'
import { makeBlock } from './custody-world.ts'

const [OWN = ''] = NAMES
const PATIENT = new Uint8Array(32).fill(4)
const refusedWith = (code: string) => ({ name: 'Refusal', code })
const root = (index: number, seed = 3) => rootSignKey(new Uint8Array(32).fill(seed), index)

const callerOf = (patientKey: Uint8Array) => ({
  patientKey,
  signer: patientKey,
  delegation: null,
})

type Scene = {
  digest: Uint8Array
  answers: ReturnType<typeof createIdentityAnswers>
  sent: Relayed[]
  clock: { now: number }
  /** In a block. */
  final: (event: IdentityEvent) => Promise<void>
}

function withAnswers(work: (scene: Scene) => Promise<void>): Promise<void> {
  return withWorld(async (world) => {
    const { genesis, parts, mempool } = world
    const digest = genesisDigest(genesis)
    const sent: Relayed[] = []
    const clock = { now: 0 }
    const relay: Relay = {
      submit: (relayed) => {
        sent.push(relayed)
        return Promise.resolve({ id: digest, height: 7, time: 1 })
      },
    }
    const { chain, execution } = parts
    const anchorKey = keyOf(OWN, 'anchor')
    const answers = createIdentityAnswers(
      { name: OWN, genesisDigest: digest, anchorKey },
      {
        clock: { monotonic: () => clock.now, wall: () => chain.tip.time },
        relay,
        chain,
        finalState: () => execution.finalState(),
        parameters: () => execution.parameters,
        isKnownKey: (key) => equalBytes(key, PATIENT),
      },
    )
    const final = async (event: IdentityEvent) => {
      const expiresAt = chain.tip.time + 60_000
      const words = { ...relayedBy(OWN, event), expiresAt, genesisDigest: digest }
      await mempool.submit(createTransaction({ ...words, keyPair: anchorKey }))
      await makeBlock(world)
    }
    await work({ digest, answers, sent, clock, final })
  })
}

function creation(digest: Uint8Array, seed = 3): IdentityEvent {
  const body = signIdentityCreate(digest, settingsOf(root(1, seed)), root(0, seed))
  return { kind: 'identity.create', body }
}

const settingsOf = ({ publicKey }: KeyPair) => ({
  nextKeyDigest: controlKeyDigest(publicKey),
  recovery: null,
  devices: [],
})

const created = (digest: Uint8Array) => encodeIdentityEvent(creation(digest))

test('an event is relayed by this member, as its owner signed it', () =>
  withAnswers(async ({ digest, answers, sent }) => {
    const relayed = await answers.relay(created(digest))
    assert.deepEqual(relayed, { transactionId: toHex(digest), height: 7 })
    const [first] = sent
    assert.deepEqual([first?.kind, first?.body.organisation], ['identity.create', OWN])
    assert.equal(answers.find(toHex(identityIdOf(root(0).publicKey))), undefined)
  }))

test('what is forged or no event costs nothing, and good ones have a pace', () =>
  withAnswers(async ({ digest, answers, sent, clock }) => {
    const event = created(digest)
    const foreign = created(new Uint8Array(32))
    for (let time = 0; time < 100; time += 1) {
      await assert.rejects(answers.relay(foreign), refusedWith('identity_forged'))
    }
    assert.equal(sent.length, 0)
    for (let time = 0; time < 60; time += 1) await answers.relay(event)
    await assert.rejects(answers.relay(event), refusedWith('too_many_events'))
    clock.now += 2_000
    await answers.relay(event)
    await assert.rejects(answers.relay(event), refusedWith('too_many_events'))
  }))

test('a flood of identities, or of vetoes by who has no say, keeps no owner from an event', () =>
  withAnswers(async ({ digest, answers, sent, clock, final }) => {
    await final(creation(digest))
    for (let time = 0; time < 60; time += 1)
      await answers.relay(encodeIdentityEvent(creation(digest, 4)))
    const another = encodeIdentityEvent(creation(digest, 4))
    await assert.rejects(answers.relay(another), refusedWith('too_many_events'))
    const identity = identityIdOf(root(0).publicKey)
    const place = { identity, sequence: 2 }
    const by = signObjection(digest, place, { kind: 'control', keyPair: root(9, 4) })
    const veto = encodeIdentityEvent({ kind: 'identity.veto', body: { ...place, by } })
    for (let time = 0; time < 100; time += 1)
      await assert.rejects(answers.relay(veto), refusedWith('no_recovery_pending'))
    const body = signIdentityRotate(digest, { ...place, settings: settingsOf(root(2)) }, root(1))
    const rotate = encodeIdentityEvent({ kind: 'identity.rotate', body })
    assert.equal(sent.length, 60)
    for (let time = 0; time < 10; time += 1) await answers.relay(rotate)
    await assert.rejects(answers.relay(rotate), refusedWith('too_many_events'))
    clock.now += 5 * 60_000
    await answers.relay(rotate)
  }))

test('who is no patient here has no handle opened, and a patient has a bounded number', () =>
  withAnswers(async ({ answers, sent, clock }) => {
    const open = {
      publicKey: root(0).publicKey,
      expiresAt: 86_400_000,
      kind: 'delegation' as const,
      signature: new Uint8Array(64),
    }
    const stranger = answers.openDelegation(callerOf(root(5).publicKey), open)
    await assert.rejects(stranger, refusedWith('unknown_patient_key'))
    assert.equal(sent.length, 0)
    for (let time = 0; time < 30; time += 1) await answers.openDelegation(callerOf(PATIENT), open)
    const often = answers.openDelegation(callerOf(PATIENT), open)
    await assert.rejects(often, refusedWith('patient_too_often'))
    clock.now += 60_000
    await answers.openDelegation(callerOf(PATIENT), open)
    assert.equal(sent.length, 31)
  }))

test('no bytes break the reader of events', () =>
  withAnswers(async ({ digest, answers, sent }) => {
    const good = created(digest)
    const changed = fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }))
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      changed.map(([at, by]) => good.map((byte, index) => (index === at ? byte ^ by : byte))),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (each) => {
        await assert.rejects(answers.relay(each), (error) => {
          const code = error instanceof Error && 'code' in error ? error.code : undefined
          return ['event_malformed', 'identity_forged', 'identity_key_invalid'].includes(
            String(code),
          )
        })
      }),
    )
    assert.equal(sent.length, 0)
  }))

test('a member signs as desk or as guardian, and neither passes for the other', () =>
  withAnswers(async ({ digest, answers }) => {
    const content = {
      identity: identityIdOf(root(0).publicKey),
      sequence: 2,
      controlKey: root(5).publicKey,
      nextKeyDigest: controlKeyDigest(root(6).publicKey),
    }
    const [desk, guardian] = (['desk', 'approve'] as const).map((as) =>
      answers.sign({ as, ...content }),
    )
    assert.ok(desk !== undefined && guardian !== undefined)
    const key = fromHex(desk.key)
    const holds = (signature: string) =>
      verifyAttestation(digest, content, {
        organisation: OWN,
        key,
        signature: fromHex(signature),
      })
    assert.deepEqual([holds(desk.signature), holds(guardian.signature)], [true, false])
    const message = recoveryMessage(content, digest)
    assert.ok(verify(key, message, fromHex(guardian.signature)))
    assert.ok(!verify(key, message, fromHex(desk.signature)))
  }))

test.run()
