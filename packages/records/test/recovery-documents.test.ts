import assert from 'node:assert/strict'
import { combineShares, sha256, splitSecret, x25519PublicKey } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  backupKey,
  createWallet,
  type DelegateInvite,
  DELEGATE_INVITE,
  formatDocumentText,
  GUARDIAN_KEY,
  GUARDIAN_KIT,
  openBackup,
  openForDelegate,
  openShare,
  parseDocumentText,
  RECOVERY_REQUEST,
  type RecoveryRequest,
  RecordsError,
  requestFingerprint,
  sealBackup,
  sealForDelegate,
  sealShare,
} from '../src/index.ts'

const named = (what: string) => sha256(new TextEncoder().encode(what))

/** A stream of bytes that is the same in every run. */
function dice(what: string): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      bytes.set(named(`${what} ${count}`).subarray(0, Math.min(32, length - at)), at)
      count += 1
    }
    return bytes
  }
}

const request: RecoveryRequest = {
  genesisDigest: named('genesis'),
  identity: named('identity'),
  sequence: 3,
  controlKey: named('control'),
  nextKeyDigest: named('next'),
  sealKey: x25519PublicKey(named('seal')),
}

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof RecordsError && error.code === code

test('a document is read as it was written, and as no other kind', () => {
  const text = formatDocumentText(RECOVERY_REQUEST, request)
  assert.match(text, /^mooring-recovery:1:[A-Za-z0-9_-]+$/)
  assert.deepEqual(parseDocumentText(RECOVERY_REQUEST, ` ${text}\n`), request)
  assert.throws(() => parseDocumentText(GUARDIAN_KIT, text), refusedAs('bad_encoding'))
  const renamed = text.replace('mooring-recovery:', 'mooring-guardian-key:')
  assert.throws(() => parseDocumentText(GUARDIAN_KEY, renamed), refusedAs('bad_encoding'))
})

test('one wrong character anywhere is noticed', () => {
  const text = formatDocumentText(RECOVERY_REQUEST, request)
  const start = 'mooring-recovery:1:'.length
  fc.assert(
    fc.property(fc.nat({ max: text.length - start - 1 }), fc.nat({ max: 63 }), (at, to) => {
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const place = start + at
      const wrong = `${text.slice(0, place)}${letters[to]}${text.slice(place + 1)}`
      if (wrong === text) return
      assert.throws(() => parseDocumentText(RECOVERY_REQUEST, wrong), refusedAs('bad_encoding'))
    }),
  )
  const long = `mooring-recovery:1:${'A'.repeat(2_000)}`
  assert.throws(() => parseDocumentText(RECOVERY_REQUEST, long), refusedAs('too_large'))
  for (const junk of ['', 'mooring-recovery:1:', 'mooring-recovery:1:AA', 'mooring-recovery:2:AA'])
    assert.throws(() => parseDocumentText(RECOVERY_REQUEST, junk), refusedAs('bad_encoding'))
})

test('a fingerprint is the same for the same request and for no other', () => {
  assert.match(requestFingerprint(request), /^(\d{5} ){3}\d{5}$/)
  const other = { ...request, controlKey: named('a thief') }
  assert.notEqual(requestFingerprint(other), requestFingerprint(request))
  assert.equal(requestFingerprint({ ...request }), requestFingerprint(request))
})

test('shares go to guardians and from them to the owner, k of them give the key back and k - 1 do not', () => {
  const random = dice('shares')
  const identity = named('identity')
  const secrets = ['ann', 'ben', 'cem'].map((name) => named(`guardian ${name}`))
  const key = backupKey(named('seed'), 1)
  const shares = splitSecret(key, { k: 2, n: 3, random }).map((share, at) => {
    const recipient = x25519PublicKey(secrets[at] ?? new Uint8Array())
    return sealShare(share, { identity, recipient, random })
  })
  const opened = shares.map((share, at) => {
    const secret = secrets[at] ?? new Uint8Array()
    return openShare(share, { identity, secret }) ?? assert.fail()
  })
  assert.deepEqual(combineShares(opened.slice(1)), key)
  assert.notDeepEqual(combineShares(opened.slice(2)), key)
  const [first] = shares
  assert.ok(first !== undefined)
  const [ann = new Uint8Array(), ben = new Uint8Array()] = secrets
  assert.equal(openShare(first, { identity, secret: ben }), undefined)
  assert.equal(openShare(first, { identity: named('another'), secret: ann }), undefined)
  assert.equal(openShare({ ...first, x: 2 }, { identity, secret: ann }), undefined)
})

test('a backup opens with the key of its generation, and has no seed', () => {
  const seed = named('seed')
  const wallet = createWallet({ label: 'ada', createdAt: 1, seed, deviceSecret: named('device') })
  const { genesis, hospitals, grants, log, label } = wallet
  const seals = [{ organisation: 'st-mary', secretKey: named('seal of st-mary') }]
  const revocations = [{ publicKey: named('once'), signature: new Uint8Array(64) }]
  const identity = named('identity')
  const salts = [{ organisation: 'st-mary', salt: named('salt of st-mary') }]
  const known = { label, identity, genesis, hospitals, grants, log }
  const backup = { ...known, seals, salts, revocations }
  const file = sealBackup(backup, backupKey(seed, 1), dice('backup'))
  assert.deepEqual(openBackup(file, backupKey(seed, 1)), backup)
  assert.equal(openBackup(file, backupKey(seed, 0)), undefined)
  const changed = file.slice()
  changed[file.length - 1] = (changed[file.length - 1] ?? 0) ^ 1
  assert.equal(openBackup(changed, backupKey(seed, 1)), undefined)
  assert.ok(!Buffer.from(file).includes(Buffer.from(seed)))
})

test('what is handed to a device opens there alone', () => {
  const [patientKey, secret] = [named('patient'), named('seal secret')]
  const recipient = x25519PublicKey(named('phone'))
  const sealed = sealForDelegate(secret, { patientKey, recipient, random: dice('phone') })
  assert.deepEqual(openForDelegate(sealed, { patientKey, secret: named('phone') }), secret)
  assert.equal(openForDelegate(sealed, { patientKey, secret: named('tablet') }), undefined)
  const another = { patientKey: named('another'), secret: named('phone') }
  assert.equal(openForDelegate(sealed, another), undefined)
})

test('an invitation of many hospitals fits its bound', () => {
  const hospitals = Array.from({ length: 64 }, (_, at) => ({
    organisation: `hospital-${at}`,
    name: `Hospital number ${at}`,
    endpoint: `https://ledger.hospital-${at}.example`,
    patientKey: named(`patient ${at}`),
    sealEpoch: 1,
  }))
  const invite: DelegateInvite = {
    kind: 'representative',
    role: 'FAMRQT',
    patient: 'ben',
    genesisDigest: named('genesis'),
    identity: null,
    hospitals,
  }
  const text = formatDocumentText(DELEGATE_INVITE, invite)
  assert.deepEqual(parseDocumentText(DELEGATE_INVITE, text), invite)
})

test.run()
