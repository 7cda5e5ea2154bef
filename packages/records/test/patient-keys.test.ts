import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { x25519PublicKey } from '@mooring/crypto'
import { test } from 'uvu'
import {
  backupKey,
  deviceSealKey,
  deviceVetoKey,
  guardianSealKey,
  guardianSignKey,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  rootSignKey,
} from '../src/index.ts'
import { deviceSignKey } from '../src/patient-keys.ts'

const SEED = new Uint8Array(32).fill(1)

// Published with the derivation, and reproduced by other code.
const VECTORS = [
  [
    'did:mooring:org:a',
    '325bd675c771ecbb24ea7216bf9b3e818c04fc2f97928d1d4ee285ba87441fab',
    'c1834d12829e5c2337912484726540bc955b1815782876ff28a6bd25f4176288',
  ],
  [
    'did:mooring:org:b',
    'cf13ee8cd8d0a908c78cd91c3805e6bc692403cd941965193c6ff9a8dabc9cdb',
    '76a5bd9794461ae6020d9afd3b36eb29c287e80fa39ae009f7cd0f9b7a2725cf',
  ],
  [
    'did:hl:org:a',
    'ffb0a904e11ea6948475380029b01aa35372c117062fb84519ce3ca8ba9fd2b5',
    'd924cc03a9bdd18440bd898221ccac4981dcc4af7d2cc03e122039960c01474b',
  ],
  [
    'did:hl:org:b',
    '21c69fa2105c1c1a5e91c77629c6062169193428092cc6e7a5b90cc570e16f82',
    'acedfbcc0ae33349549cfb84bcc7f3a2238e153ebd3c8a7196b99d662d0de75f',
  ],
] as const

test('the pairwise signing keys are those of the vectors', () => {
  for (const [did, seed, publicKey] of VECTORS) {
    const pair = pairwiseSignKey(SEED, did)
    assert.deepEqual([toHex(pair.seed), toHex(pair.publicKey)], [seed, publicKey])
  }
  const named = pairwiseSignKey(SEED, organisationDid('a'))
  assert.deepEqual(named.seed, fromHex(VECTORS[0][1]))
})

test('every hospital, epoch and duty has keys of its own', () => {
  const keys = ['a', 'b'].flatMap((id) => {
    const did = organisationDid(id)
    const seals = [0, 1, 11].map((epoch) => pairwiseSealKey(SEED, did, epoch))
    for (const { secretKey, publicKey } of seals) {
      assert.deepEqual(x25519PublicKey(secretKey), publicKey)
    }
    return [pairwiseSignKey(SEED, did).seed, ...seals.map(({ secretKey }) => secretKey)]
  })
  assert.equal(new Set(keys.map(toHex)).size, 8)
})

test('no two duties share a key', () => {
  const secrets = [0, 1, 11].flatMap((index) => [
    rootSignKey(SEED, index).seed,
    handleKey(SEED, index).seed,
    guardianSignKey(SEED, index).seed,
    guardianSealKey(SEED, index).secretKey,
  ])
  const others = [
    backupKey(SEED, 0),
    backupKey(SEED, 1),
    pairwiseSignKey(SEED, organisationDid('a')).seed,
    deviceSignKey(SEED, organisationDid('a')).seed,
    deviceVetoKey(SEED).seed,
    deviceSealKey(SEED).secretKey,
  ]
  assert.equal(new Set([...secrets, ...others].map(toHex)).size, 18)
})

test.run()
