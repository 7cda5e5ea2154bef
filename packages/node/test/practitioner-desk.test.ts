import assert from 'node:assert/strict'
import { SignatureNeeded } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { sign } from '@mooring/crypto'
import { test } from 'uvu'
import type { PractitionerSigner } from '../src/access-session.ts'
import { PractitionerDesk } from '../src/practitioner-desk.ts'
import { keyOf } from './chain-members.ts'
import { TestClock } from './test-clock.ts'

const DOCTOR = keyOf('county', 'anchor')
const OTHER = keyOf('lakeview', 'anchor')
const KEY = toHex(DOCTOR.publicKey)
const { signal } = new AbortController()
const CALL = { what: 'read a record', signal }

const text = (word: string) => new TextEncoder().encode(word)

/** Two signatures, one after the other. */
async function twice(signer: PractitionerSigner | null): Promise<string> {
  assert.ok(signer !== null)
  const first = await signer.sign(text('question'))
  const second = await signer.sign(text('request'))
  return `${first.length} ${second.length}`
}

async function needed(work: Promise<unknown>): Promise<SignatureNeeded> {
  const error = await work.then(
    () => assert.fail('nothing had to be signed'),
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof SignatureNeeded, String(error))
  return error
}

function signedBy({ challenge, toSign }: SignatureNeeded, key = DOCTOR) {
  return { key: KEY, challenge, signature: toHex(sign(key, toSign)) }
}

test('a reading goes on with each signature, and ends with what it found', async () => {
  const desk = new PractitionerDesk(new TestClock())
  const first = await needed(desk.run({ key: KEY }, CALL, twice))
  assert.deepEqual(first.toSign, text('question'))
  const second = await needed(desk.run(signedBy(first), CALL, twice))
  assert.deepEqual(second.toSign, text('request'))
  assert.equal(await desk.run(signedBy(second), CALL, twice), '64 64')
  await assert.rejects(desk.run(signedBy(second), CALL, twice), { code: 'practitioner_late' })
})

test('without a practitioner nothing is signed, and what fails before fails at once', async () => {
  const desk = new PractitionerDesk(new TestClock())
  assert.equal(await desk.run(null, CALL, (signer) => Promise.resolve(signer)), null)
  const failing = desk.run({ key: KEY }, CALL, () => Promise.reject(new Error('no such record')))
  await assert.rejects(failing, /no such record/)
})

test('another key, other bytes, another call or another key than was named does not go on', async () => {
  const desk = new PractitionerDesk(new TestClock())
  const first = await needed(desk.run({ key: KEY }, CALL, twice))
  const forged = { code: 'practitioner_forged' }
  await assert.rejects(desk.run(signedBy(first, OTHER), CALL, twice), forged)
  const short = { ...signedBy(first), signature: '00' }
  await assert.rejects(desk.run(short, CALL, twice), forged)
  const late = { code: 'practitioner_late' }
  const elsewhere = { what: 'read another record', signal }
  await assert.rejects(desk.run(signedBy(first), elsewhere, twice), late)
  const renamed = { ...signedBy(first), key: toHex(OTHER.publicKey) }
  await assert.rejects(desk.run(renamed, CALL, twice), late)
  // The right one still does.
  await needed(desk.run(signedBy(first), CALL, twice))
})

test('what is not signed in time is over, and no more wait than there is room for', async () => {
  const clock = new TestClock()
  const desk = new PractitionerDesk(clock)
  const first = await needed(desk.run({ key: KEY }, CALL, twice))
  for (let count = 1; count < 64; count += 1) await needed(desk.run({ key: KEY }, CALL, twice))
  const more = desk.run({ key: KEY }, CALL, twice)
  await assert.rejects(more, { code: 'practitioners_waiting' })
  clock.advance(60_000)
  await assert.rejects(desk.run(signedBy(first), CALL, twice), { code: 'practitioner_late' })
  await needed(desk.run({ key: KEY }, CALL, twice))
})

test.run()
