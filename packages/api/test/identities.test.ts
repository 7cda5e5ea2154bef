/** Identities over the wire: events as bytes, statements of members, and what never reaches a handler. */

import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { ApiProblem } from '../src/client.ts'
import { IDENTITY } from './memory-identities.ts'
import { digestOf } from './memory-vault.ts'
import { serving } from './serving.ts'

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof ApiProblem && error.code === code

const statement = {
  as: 'desk',
  identity: IDENTITY.id,
  sequence: 3,
  controlKey: digestOf('new control'),
  nextKeyDigest: digestOf('after it'),
} as const

test('an identity is told with the recovery that runs, and an unknown one is not there', () =>
  serving(async ({ client }) => {
    const { pending, ...rest } = await client.identity(IDENTITY.id)
    const { pending: expected, ...others } = IDENTITY
    assert.deepEqual(rest, others)
    const { isAttested, ...running } = expected ?? assert.fail()
    assert.deepEqual(pending, { ...running, attested: isAttested })
    await assert.rejects(client.identity(digestOf('none')), refusedAs('identity_unknown'))
  }))

test('an event is handed on as it came, up to its bound', () =>
  serving(async ({ client, node }) => {
    const event = Uint8Array.of(1, 2, 3)
    const { height } = await client.relayIdentityEvent(event)
    assert.equal(height, 3)
    assert.deepEqual(node.memoryIdentities.events.map(toHex), [toHex(event)])
    const large = new Uint8Array(16 * 1024 + 1)
    await assert.rejects(client.relayIdentityEvent(large), refusedAs('body_too_large'))
    assert.equal(node.memoryIdentities.events.length, 1)
  }))

test('a member says what its operator lets it say', () =>
  serving(async ({ client, node }) => {
    const { organisation } = await client.signRecovery(statement)
    assert.equal(organisation, 'st-mary')
    const [first] = node.memoryIdentities.statements
    assert.deepEqual(first?.identity, fromHex(IDENTITY.id))
    const wrong = { ...statement, controlKey: 'xyz' }
    await assert.rejects(client.signRecovery(wrong), refusedAs('invalid_request'))
  }))

test('only a patient opens the handle of a delegation', () =>
  serving(async ({ client, node }) => {
    const open = { publicKey: digestOf('once'), expiresAt: 1, signature: '0'.repeat(128) }
    await assert.rejects(client.openDelegation(open), refusedAs('patient_unsigned'))
    assert.deepEqual(node.memoryIdentities.delegations, [])
  }))

test.run()
