// A seed of 32 bytes as 24 words (BIP39, English): what a patient writes on paper. The last word holds a
// checksum, so that a slip of the pen is noticed before a wrong seed is taken for the right one.

import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { CryptoError } from './errors.ts'

const SEED_WORDS = 24
const SEED_BYTES = 32
const CHARACTERS_MAX = 1_024

const known = new Set(wordlist)

export function seedToWords(seed: Uint8Array): string[] {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed of ${seed.length} bytes`)
  return entropyToMnemonic(seed, wordlist).split(' ')
}

/** Case and white space do not matter. @throws CryptoError that names the word, but for a checksum. */
export function wordsToSeed(typed: string): Uint8Array {
  if (typed.length > CHARACTERS_MAX) {
    throw new CryptoError('too_long', `more than ${CHARACTERS_MAX} characters`)
  }
  const words = typed
    .normalize('NFKC')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length !== SEED_WORDS) {
    throw new CryptoError('words_count', `${words.length} words, expected ${SEED_WORDS}`)
  }
  const wrong = words.findIndex((word) => !known.has(word))
  if (wrong >= 0) throw new CryptoError('words_unknown', `word ${wrong + 1} is in no list`)
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch (cause) {
    throw new CryptoError('words_checksum', 'all words are known, and do not belong together', {
      cause,
    })
  }
}
