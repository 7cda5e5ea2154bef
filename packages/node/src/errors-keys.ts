// Texts for keys that are sealed, and for the signer that holds one of them.

import { type CatalogEntry, entry } from './error-entry.ts'

export type KeysErrorCode =
  | 'keys_passphrase_missing'
  | 'keys_passphrase_wrong'
  | 'keys_passphrase_short'
  | 'keys_passphrase_open'
  | 'keystore_damaged'
  | 'keys_must_be_sealed'
  | 'key_unsealed'
  | 'key_elsewhere'
  | 'key_foreign'
  | SignerErrorCode

export type SignerErrorCode =
  | 'signer_unreachable'
  | 'signer_contradiction'
  | 'signer_behind'
  | 'signer_forgotten'
  | 'signer_foreign'
  | 'signer_in_use'
  | 'signer_tls'
  | 'signer_strange'
  | 'signer_not_ours'

export const KEYS_TEXTS: Record<KeysErrorCode, CatalogEntry> = {
  keys_passphrase_missing: entry(1120, 2, 401)(
    'The keys need their passphrase',
    'The key files of this home are sealed, and there is no terminal to ask at.',
    'Keep it in a file of your own, mode 0600:   --keys-passphrase-file <file>, or passphrase_file under [keys]',
    'With systemd:   LoadCredential=mooring-passphrase:<file>',
  ),
  keys_passphrase_wrong: entry(1121, 5, 401)(
    'The passphrase does not open the keys',
    '{path} was sealed with another passphrase than {from}, or its beginning was altered.',
    'Try again; upper and lower case differ, and only the first line of a file counts.',
    'A key whose passphrase is lost is lost: bring it back from a copy, or replace it:   mooring keys rotate --help',
  ),
  keys_passphrase_short: entry(1122, 2, 422)(
    'The passphrase is too short',
    '{from} has {characters} characters; at least {least} keep a thief of the disk out.',
    'Let the computer choose one:   head -c 24 /dev/urandom | base64 > passphrase',
  ),
  keys_passphrase_open: entry(1123, 3, 403)(
    'Others on this computer may read the passphrase',
    '{path} has mode {mode}.',
    'Close it:   chmod 0600 {path}   (and change the passphrase if anyone may have looked)',
  ),
  keystore_damaged: entry(1124, 3)(
    'A key file was altered',
    'The passphrase is right, and {path} does not open: its bytes are not those that were sealed.',
    'Restore the file from where it was kept.',
  ),
  keys_must_be_sealed: entry(1125, 2, 409)(
    'Keys of a real node are sealed',
    'Keys in plain text are for profile devnet or test, and this home has profile {profile}.',
    'Seal them:   mooring init --passphrase-file <file>',
    'For a trial on this computer:   mooring init --profile test --no-encrypt',
  ),
  key_unsealed: entry(1126, 3)(
    'A key lies on the disk in plain text',
    '{path} is not sealed, and the profile of this home is prod.',
    'Seal all keys of the home:   mooring keys change-passphrase',
  ),
  key_elsewhere: entry(1127, 3)(
    'The secret half of a key is not here',
    '{path} has the public half of the {duty} key only: a signer holds the rest.',
    'Name the signer:   signer = "unix:<path>" under [keys]',
  ),
  key_foreign: entry(1129, 2, 422)(
    'That is another key',
    '{path} holds {found}, not {expected}.',
    'Check the file and --type.',
  ),
  signer_unreachable: entry(1130, 4, 503)(
    'The signer does not answer',
    '{signer}: {detail}. This node follows the chain and does not vote until the signer is back.',
    'Start it:   mooring --home <dir> signer serve',
    'Nothing else is needed: the node goes on by itself.',
  ),
  signer_contradiction: entry(1131, 12, 409)(
    'The signer refuses a vote that contradicts one it has signed',
    'It has signed {signed}, and is asked for {asked}: another node votes with this key.',
    'Find the other node or copy of the home that uses this signer or key, and stop it for good.',
    'Then start one only, as one that observes first:   mooring start --rejoin',
  ),
  signer_behind: entry(1132, 12, 409)(
    'The signer refuses a vote that lies behind what it has signed',
    'It is asked for {asked}, and its marks are at {signed}: this home is an older copy, or another node votes with this key.',
    'Find the other node that uses this key, and stop it for good.',
    'Then start one only, as one that observes first:   mooring start --rejoin',
  ),
  signer_forgotten: entry(1133, 12, 409)(
    'The signer does not know whether it has signed another vote',
    'It was stopped while it signed {signed}, or its guard is new. That vote is not given; later ones are.',
    'Nothing to do: the next view is voted in.',
  ),
  signer_foreign: entry(1134, 13, 409)(
    'The signer is that of another key or network',
    '{signer}: {detail}.',
    'Check [keys] signer here, and the key and genesis in the home of the signer:   mooring signer status',
  ),
  signer_in_use: entry(1135, 10, 409)(
    'Another signer listens there',
    '{address} is answered already. Two signers of one key are two guards that know nothing of each other.',
    'See which one it is:   mooring signer status --endpoint {address}',
  ),
  signer_tls: entry(1136, 3)(
    'The certificates of the signer cannot be used',
    '{detail}',
    'Over TCP both sides show certificates: tls_cert, tls_key and client_ca under [signer]; signer_cert, signer_key and signer_ca under [keys].',
  ),
  signer_strange: entry(1137, 4, 502)(
    'What answers there is no signer of Mooring',
    '{signer} answered {detail}.',
    'Check [keys] signer, or --endpoint.',
  ),
  signer_not_ours: entry(1138, 5, 403)(
    'The signer does not let this client in',
    'The name in the certificate is {name}, and is none of those under [signer] clients.',
    'Add it there, and start the signer again.',
  ),
}
