// Texts for wallets of patients: the file, its passphrase, the words, the hospitals it knows.

import { type CatalogEntry, entry } from './error-entry.ts'

export type WalletErrorCode =
  | 'wallet_missing'
  | 'wallet_exists'
  | 'wallet_damaged'
  | 'wallet_newer'
  | 'wallet_in_use'
  | 'wallet_full'
  | 'wallet_of_device'
  | 'wallet_without_hospital'
  | 'wallet_other_network'
  | 'wallet_genesis_wrong'
  | 'passphrase_missing'
  | 'passphrase_wrong'
  | 'passphrase_short'
  | 'passphrase_differs'
  | 'passphrase_open'
  | 'words_wrong'
  | 'words_differ'
  | 'ticket_unreadable'
  | 'receipts_forged'

export const WORDS = entry(5551, 2, 422)(
  'These are not the words of a wallet',
  'A wallet has 24 words of one list, and the last one checks the others.',
  'Compare with the paper, word by word; the first four letters of a word tell it from all others.',
)

export const WALLET_FILE = entry(5552, 8, 422)(
  'A wallet file cannot be read',
  'It was cut, altered, or is none.',
  'Take a copy of the file:   mooring patient restore --file <copy>',
  'Or the words:   mooring patient restore --words',
)

export const WALLET_TEXTS: Record<WalletErrorCode, CatalogEntry> = {
  wallet_missing: entry(5553, 6, 404)(
    'There is no wallet',
    'There is no file {path}.',
    'Make a wallet:   mooring patient new',
    'Name the file of the one you have:   --wallet <file> or MOORING_WALLET',
    'Make it again from its words or a copy:   mooring patient restore --help',
  ),
  wallet_exists: entry(5554, 7, 409)(
    'A wallet is never overwritten',
    '{path} exists; what is in it may be the only copy of the keys.',
    'Use it as it is:   mooring patient show',
    'Give the new one another name:   --wallet <file>',
  ),
  wallet_damaged: entry(5555, 8, 422)(
    'A wallet file was cut or altered',
    '{path}: {detail}.',
    'Take a copy of the file:   mooring patient restore --file <copy>',
    'Or the words:   mooring patient restore --words',
  ),
  wallet_in_use: entry(5556, 10, 409)(
    'Another program uses this wallet',
    'Process {pid} has {path} open; two at once would lose what one of them writes.',
    'Wait until it has ended, and try again.',
    'If that process is no program of Mooring, a crash has left the lock behind:   rm {path}.lock',
  ),
  wallet_newer: entry(5571, 13, 409)(
    'The wallet is of a newer version of Mooring',
    '{path} was written by a version that keeps more in a wallet than this one knows.',
    'Use that version, or a newer one; nothing was changed.',
  ),
  wallet_full: entry(5570, 7, 413)(
    'The wallet is full',
    'With what this command adds it could not be opened again ({detail}); it is as it was before.',
    'Keep a copy:   mooring patient backup -o <file>',
    'A second wallet for some of the hospitals has room of its own:   mooring patient new --wallet <file>',
  ),
  wallet_of_device: entry(5557, 5, 403)(
    'This is the wallet of a device, which has no seed',
    '{what} needs the seed, and a device signs by delegation only.',
    'Use the wallet that was made with the words.',
  ),
  wallet_without_hospital: entry(5558, 6, 404)(
    'The wallet does not know this hospital',
    'It is enrolled at {known}, not at {organisation}.',
    "Ask that hospital's desk for a ticket, then:   mooring patient enrol <ticket>",
  ),
  wallet_other_network: entry(5559, 13, 409)(
    'The ticket is of another network',
    'The wallet belongs to {own}; the ticket names {other}.',
    'Ask the desk whether its ticket is for a test network.',
    'A second wallet can join it:   mooring patient new --wallet <file>',
  ),
  wallet_genesis_wrong: entry(5560, 8, 422)(
    'The hospital shows another network than its ticket names',
    '{url} has a genesis that begins with {found}; the ticket says {expected}.',
    'Check that the address on the ticket is that of the hospital; ask its desk for another ticket.',
  ),
  passphrase_missing: entry(5561, 2, 401)(
    'The wallet needs its passphrase',
    '{path} is sealed, and there is no terminal to ask at.',
    'Keep it in a file of your own, mode 0600:   --passphrase-file <file>',
    'Or name that file in MOORING_WALLET_PASSPHRASE_FILE.',
  ),
  passphrase_wrong: entry(5562, 5, 401)(
    'The passphrase does not open the wallet',
    '{path} was sealed with another passphrase, or its beginning was altered.',
    'Try again; upper and lower case differ.',
    'Without the passphrase only the words help:   mooring patient restore --words',
  ),
  passphrase_short: entry(5563, 2, 422)(
    'The passphrase is too short',
    'It has {characters} characters; at least {least} keep a thief of the file out.',
    'Take four words that have nothing to do with each other.',
  ),
  passphrase_differs: entry(5564, 2, 422)(
    'The two passphrases are not the same',
    'What was typed the second time differs, and nobody could open the wallet later.',
    'Try again.',
  ),
  passphrase_open: entry(5565, 3, 403)(
    'Others on this computer may read the passphrase',
    '{path} has mode {mode}.',
    'Close it:   chmod 0600 {path}   (and change the passphrase if anyone may have looked)',
  ),
  words_wrong: entry(5566, 2, 422)(
    'The words do not make a wallet',
    '{detail}.',
    'Compare with the paper, word by word; the first four letters of a word tell it from all others.',
  ),
  words_differ: entry(5567, 7, 409)(
    'The words are those of another wallet',
    'They make another seed than the one that is in the wallet.',
    'Look for the paper that belongs to this wallet, or write its words down anew:   mooring patient backup --words',
  ),
  ticket_unreadable: entry(5568, 2, 422)(
    'A ticket cannot be read',
    '{detail}.',
    'Scan or paste all of it; it is one line that begins with "mooring-ticket:1:".',
    "Ask the hospital's desk for a new one; a ticket is good once, for minutes.",
  ),
  receipts_forged: entry(5569, 8, 502)(
    'What the hospital says of its records is not signed by it',
    '{organisation} enrolled this wallet, and its list of records does not hold: {detail}.',
    'Ask the hospital; the list is proof of what it had on that day.',
  ),
}
