// What somebody does with a grant that is over, not theirs, or not for this: at real holders, each refusal
// with its code and noted, and nothing given out.

import assert from 'node:assert/strict'
import {
  type AccessRequest,
  consentOf,
  type GrantTerms,
  handleKey,
  organisationDid,
  pairwiseSignKey,
  type SignedDelegation,
  signAsPractitioner,
  signDelegation,
  signGrant,
} from '@mooring/records'
import { type KeyPair, keyPairFromSeed } from '@mooring/crypto'
import { test } from 'uvu'
import { keyOf } from './chain-members.ts'
import {
  bytesOf,
  CUSTODIAN,
  HANDLE,
  type HolderWorld,
  patient,
  READER,
  withHolders,
} from './holder-world.ts'

const HOLDER = 'riverside'
const OTHERS = ['county', 'lakeview']
const HOUR = 3_600_000

interface Signing {
  readonly signer?: KeyPair
  readonly delegations?: SignedDelegation[]
}

function grantOf(
  { clock }: HolderWorld,
  changes: Partial<GrantTerms> = {},
  { signer = patient.sign, delegations = [] }: Signing = {},
): Pick<AccessRequest, 'grant'> {
  const now = clock.wall()
  const consent = consentOf({
    id: bytesOf('grant').slice(0, 16),
    handle: HANDLE,
    patientKey: patient.sign.publicKey,
    signerKey: signer.publicKey,
    logKey: patient.log.publicKey,
    custodian: CUSTODIAN,
    recipient: READER,
    purposes: ['TREAT'],
    notBefore: now - 60_000,
    expiresAt: now + HOUR,
    content: { classes: ['general'] },
    ...changes,
  })
  return { grant: signGrant(signer, consent, delegations) }
}

/** At both doors of a holder, the second with witnesses of others where there are any. */
async function refused(
  world: HolderWorld,
  asked: ReturnType<HolderWorld['request']>,
  code: string,
): Promise<void> {
  const { noted } = world.hospital(HOLDER)
  const before = noted.refused.length
  assert.equal(await world.witness(HOLDER, asked), code)
  assert.equal(await world.release(HOLDER, asked.signed, []), code)
  const codes = noted.refused.slice(before).map((each) => each.code)
  assert.deepEqual(codes, [code, code])
}

test('after the block that revokes it, also for a request that was permitted before', () =>
  withHolders(async (world) => {
    const asked = world.request([await world.deposit()])
    const witnesses = await world.witnesses(OTHERS, asked)
    assert.equal(typeof (await world.release(HOLDER, asked.signed, witnesses)), 'object')
    world.facts.revoke(HANDLE)
    assert.equal(await world.release(HOLDER, asked.signed, witnesses), 'grant_revoked')
    await refused(world, asked, 'grant_revoked')
    await refused(world, world.request([await world.deposit()]), 'grant_revoked')
  }))

test('before the chain has it', () =>
  withHolders(async (world) => {
    world.facts.forget(HANDLE)
    await refused(world, world.request([await world.deposit()]), 'grant_unknown')
  }))

test('after its end, and whatever the clock of the holder says while blocks go on', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const short = grantOf(world, { expiresAt: world.clock.wall() + 60_000 })
    const asked = world.request([deposited], short)
    assert.equal(typeof (await world.witness(HOLDER, asked)), 'object')
    // The clock stands still; the chain does not.
    world.facts.time = world.clock.wall() + 60_000
    await refused(world, asked, 'grant_expired')
    world.facts.time = 0
    world.clock.advance(60_000)
    await refused(world, asked, 'grant_expired')
  }))

test('on the small side of a partition, where no revocation would arrive', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    world.facts.time = world.clock.wall() - 15 * 60_000
    world.facts.heartbeatMs = 60_000
    const asked = world.request([deposited])
    assert.equal(typeof (await world.witness(HOLDER, asked)), 'object')
    world.clock.advance(1)
    await refused(world, asked, 'chain_stale')
    world.facts.time = world.clock.wall()
    assert.equal(typeof (await world.witness(HOLDER, asked)), 'object')
  }))

test('before its beginning, however the reader dates its request', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const now = world.clock.wall()
    const later = grantOf(world, { notBefore: now + HOUR, expiresAt: now + 2 * HOUR })
    await refused(world, world.request([deposited], later), 'grant_not_valid_yet')
    const dated = { issuedAt: now + HOUR, expiresAt: now + HOUR + 60_000 }
    await refused(world, world.request([deposited], { ...later, ...dated }), 'not_issued_yet')
  }))

test('with an old block, at a holder that is not addressed, again by somebody else', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const old = world.blockAt(1)
    await world.chain.grow(66)
    await refused(world, world.request([deposited], { block: old }), 'block_too_old')
    await refused(world, world.request([deposited], { audience: OTHERS }), 'not_addressed')
    const asked = world.request([deposited])
    const sent = await world.release(HOLDER, asked.signed, [], { sender: 'county' })
    assert.equal(sent, 'sender_differs')
  }))

test('by a hospital to which its recipient has passed it on', () =>
  withHolders(async (world) => {
    const asked = world.request([await world.deposit()], { reader: 'county' })
    await refused(world, asked, 'not_the_recipient')
  }))

test('for a record of somebody else, with a grant of their own', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const stranger = pairwiseSignKey(bytesOf('stranger'), organisationDid(CUSTODIAN))
    const own = grantOf(world, { patientKey: stranger.publicKey }, { signer: stranger })
    await refused(world, world.request([deposited], own), 'wrong_patient')
    const forged = grantOf(world, {}, { signer: stranger })
    await refused(world, world.request([deposited], forged), 'delegation_forged')
  }))

test('for treatment, and used to break the glass or for what it does not name', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    for (const purpose of ['BTG', 'HMARKT', 'HLEGAL', 'HRESCH', 'HPAYMT'])
      await refused(world, world.request([deposited], { purpose }), 'purpose_not_covered')
    const emergency = grantOf(world, { purposes: ['BTG'] })
    await refused(world, world.request([deposited], emergency), 'purpose_not_covered')
  }))

test('with a key that was replaced; the one that came after it opens what is under both', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const wallet = keyPairFromSeed(bytesOf('wallet'))
    world.facts.replace(patient.sign.publicKey, wallet.publicKey)
    await refused(world, world.request([deposited]), 'key_replaced')
    const fresh = grantOf(world, { patientKey: wallet.publicKey }, { signer: wallet })
    assert.equal(typeof (await world.witness(HOLDER, world.request([deposited], fresh))), 'object')
  }))

test('by a device that was stolen: from the block that revokes its delegation', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const phone = keyPairFromSeed(bytesOf('phone'))
    const handle = handleKey(bytesOf('patient'), 7).publicKey
    const now = world.clock.wall()
    const delegation = signDelegation(patient.sign, {
      id: bytesOf('delegation').slice(0, 16),
      kind: 'device',
      custodian: CUSTODIAN,
      from: patient.sign.publicKey,
      to: phone.publicKey,
      role: null,
      notBefore: now - 1,
      expiresAt: now + HOUR,
      handle,
    })
    const signing = { signer: phone, delegations: [delegation] }
    const asked = world.request([deposited], grantOf(world, {}, signing))
    world.facts.open(handle, 'delegation')
    assert.equal(typeof (await world.witness(HOLDER, asked)), 'object')
    world.facts.open(handle, 'delegation', 9)
    await refused(world, asked, 'delegation_revoked')
  }))

test('by anybody at the recipient, when it is for one practitioner', () =>
  withHolders(async (world) => {
    const deposited = await world.deposit()
    const doctor = keyOf('county', 'anchor')
    const only = grantOf(world, { practitioner: doctor.publicKey })
    await refused(world, world.request([deposited], only), 'practitioner_missing')
    const { signed } = world.request([deposited], only)
    const { practitioner } = signAsPractitioner(doctor, signed.request)
    // For another request than this one.
    const reused = world.request([deposited], { ...only, practitioner })
    await refused(world, reused, 'practitioner_forged')
  }))

test.run()
