import assert from 'node:assert/strict'
import { fromHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { CryptoError, type CryptoErrorCode, seedToWords, wordsToSeed } from '../src/index.ts'

// Published with BIP39.
const VECTORS = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  ],
] as const

function refused(words: string): CryptoErrorCode | undefined {
  try {
    wordsToSeed(words)
    return undefined
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
}

test('words and seeds are those of the vectors', () => {
  for (const [seed, words] of VECTORS) {
    assert.equal(seedToWords(fromHex(seed)).join(' '), words)
    assert.deepEqual(wordsToSeed(words), fromHex(seed))
    assert.deepEqual(
      wordsToSeed(`\n  ${words.toUpperCase().replaceAll(' ', '  ')} \n`),
      fromHex(seed),
    )
  }
})

test('every seed comes back from its words', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
      assert.deepEqual(wordsToSeed(seedToWords(seed).join(' ')), seed)
    }),
  )
})

test('a slip of the pen is noticed', () => {
  const words = VECTORS[2][1].split(' ')
  assert.equal(refused(''), 'words_count')
  assert.equal(refused(words.slice(1).join(' ')), 'words_count')
  assert.equal(refused([...words, 'zoo'].join(' ')), 'words_count')
  assert.equal(refused(words.with(4, 'causes').join(' ')), 'words_unknown')
  assert.equal(refused(words.with(0, 'diagram').with(1, 'hamster').join(' ')), 'words_checksum')
  assert.equal(refused(words.with(23, 'zoo').join(' ')), 'words_checksum')
  assert.equal(refused('zoo '.repeat(300)), 'too_long')
  assert.throws(() => seedToWords(new Uint8Array(16)), RangeError)
})

test.run()
