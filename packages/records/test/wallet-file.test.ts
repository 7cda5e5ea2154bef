import assert from 'node:assert/strict'
import { CodecError } from '@mooring/codec'
import { CryptoError } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  createWallet,
  deriveWalletKey,
  openWallet,
  RecordsError,
  sealWallet,
  type Wallet,
} from '../src/index.ts'

const COST = { N: 1_024, r: 8, p: 1 }
const PASSPHRASE = 'correct horse battery staple'
const wallet = createWallet({
  // Long enough that no ciphertext has it by chance.
  label: 'Ada of Riverside',
  createdAt: 1_800_000_000_000,
  seed: new Uint8Array(32).fill(1),
  deviceSecret: new Uint8Array(32).fill(2),
})
const random = (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length))
const key = await deriveWalletKey(PASSPHRASE, random, COST)

const flip = (text: string) => (text.startsWith('a') ? 'b' : 'a') + text.slice(1)

async function outcomeOf(file: string, passphrase = PASSPHRASE): Promise<string> {
  try {
    const opened = await openWallet(file, passphrase)
    return 'code' in opened ? opened.code : 'opened'
  } catch (error) {
    assert.ok(
      error instanceof RecordsError || error instanceof CryptoError || error instanceof CodecError,
    )
    return 'unreadable'
  }
}

test('the passphrase opens the file, however its letters are composed', async () => {
  const composed = await deriveWalletKey('caf\u00e9 au lait', random, COST)
  const file = sealWallet(wallet, composed, random)
  const opened = await openWallet(file, 'cafe\u0301 au lait')
  assert.ok('wallet' in opened)
  assert.deepEqual(opened.wallet, wallet)
  assert.deepEqual(opened.key, composed)
})

test('a thief with the file and without the passphrase gets nothing', async () => {
  const file = sealWallet(wallet, key, random)
  for (const guess of ['', PASSPHRASE.toUpperCase(), `${PASSPHRASE} `, 'password']) {
    assert.equal(await outcomeOf(file, guess), 'passphrase_wrong')
  }
  const seed = Buffer.alloc(32, 1)
  for (const form of ['hex', 'base64url'] as const) {
    assert.equal(file.includes(seed.toString(form)), false)
  }
  assert.equal(file.includes(wallet.label), false)
})

test('two saves of one wallet share no ciphertext, and small changes no size', () => {
  const first: { ciphertext: string } = JSON.parse(sealWallet(wallet, key, random))
  const again: { ciphertext: string } = JSON.parse(sealWallet(wallet, key, random))
  const fuller: Wallet = { ...wallet, formerSeeds: [new Uint8Array(32)] }
  const other: { ciphertext: string } = JSON.parse(sealWallet(fuller, key, random))
  assert.notEqual(first.ciphertext.slice(0, 64), again.ciphertext.slice(0, 64))
  assert.equal(other.ciphertext.length, first.ciphertext.length)
})

test('a cut file never opens', async () => {
  const file = sealWallet(wallet, key, random).trimEnd()
  for (const length of [0, 1, 40, 200, 300, file.length - 4, file.length - 1]) {
    assert.notEqual(await outcomeOf(file.slice(0, length)), 'opened', String(length))
  }
})

test('an altered file never opens, whatever was altered', async () => {
  const file = sealWallet(wallet, key, random)
  type Parts = {
    kdf: { N: number; salt: string }
    check: string
    nonce: string
    ciphertext: string
  }
  const altered = (change: (parts: Parts) => void) => {
    const parts: Parts = JSON.parse(file)
    change(parts)
    return outcomeOf(JSON.stringify(parts))
  }
  assert.equal(await altered(() => undefined), 'opened')
  assert.equal(await altered(({ kdf }) => void (kdf.N *= 2)), 'passphrase_wrong')
  assert.equal(await altered(({ kdf }) => void (kdf.salt = flip(kdf.salt))), 'passphrase_wrong')
  assert.equal(await altered((all) => void (all.check = flip(all.check))), 'passphrase_wrong')
  assert.equal(await altered((all) => void (all.nonce = flip(all.nonce))), 'wallet_damaged')
  assert.equal(
    await altered((all) => void (all.ciphertext = flip(all.ciphertext))),
    'wallet_damaged',
  )
  assert.equal(await altered((all) => void (all.ciphertext = '')), 'wallet_damaged')
  assert.equal(await altered(({ kdf }) => void (kdf.N = 2 ** 23)), 'unreadable')
  assert.equal(await altered((all) => Object.assign(all, { more: 1 })), 'unreadable')
  await fc.assert(
    fc.asyncProperty(
      fc.nat(file.length - 2),
      fc.constantFrom('0', 'x', '"', '}'),
      async (at, by) => {
        fc.pre(file[at]?.trim() !== '' && file[at] !== by)
        assert.notEqual(await outcomeOf(file.slice(0, at) + by + file.slice(at + 1)), 'opened')
      },
    ),
    { numRuns: 60 },
  )
})

test.run()
