// Documents of commands about keys, and about the signer that may hold one.

import {
  always,
  count,
  digest,
  document,
  flag,
  items,
  listOf,
  mapOf,
  object,
  oneOf,
  orNull,
  text,
  texts,
  time,
} from './forms.ts'

const duty = oneOf('governance', 'consensus', 'transport', 'anchor', 'seal')

const form = oneOf('sealed', 'plain', 'elsewhere')

const publicKey = orNull(object({ public: digest, name: text, form }))

const keyState = {
  duty,
  file: text,
  current: publicKey,
  next: publicKey,
  chain: orNull(digest),
  state: oneOf('unknown', 'in force', 'next in force', 'other'),
}

const keyFile = { duty, file: text, public: digest, name: text, form }

export const KEY_SCHEMAS = {
  'mooring/keys/v1': items('The keys of a home, by duty.', object(keyState)),
  'mooring/key/v1': document('The key of one duty.', keyState),
  'mooring/key-rotation/v1': document('Keys on their way onto the chain.', {
    id: digest,
    status: text,
    height: orNull(count),
    keys: mapOf(digest),
    pending: texts,
  }),
  'mooring/key-made/v1': document('A key that was made.', keyFile),
  'mooring/key-exported/v1': document('A copy of a key.', { ...keyFile, moved: flag }),
  'mooring/key-imported/v1': document('A key that was taken over.', keyFile),
  'mooring/passphrase-changed/v1': document('Files with another passphrase.', {
    files: texts,
    sealedBefore: count,
  }),
  'mooring/signer-home/v1': document('The home of a signer that was made.', {
    home: text,
    name: text,
    network: text,
  }),
  'mooring/signer-check/v1': document('What a signer would start with.', {
    ok: always(true),
    name: text,
    network: text,
    address: text,
    key: text,
  }),
  'mooring/signer-status/v1': document('A signer, and how far it has signed.', {
    address: text,
    version: text,
    network: text,
    keys: listOf(digest),
    memory: oneOf('whole', 'new', 'lost'),
    marks: object({ epoch: count, notarized: count, nullified: count, finalized: count }),
    startedAt: time,
    signed: count,
    refused: count,
  }),
}
