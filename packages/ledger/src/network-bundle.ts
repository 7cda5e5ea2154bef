// What a newcomer needs of a network, in one file: its genesis, where members listen, and the certificate
// authority of their APIs, if they have one. A member signs it with its anchor key, so that nobody on the
// way can send the newcomer elsewhere.
//
// The signer must be an organisation of the genesis under the key that the genesis names. Who joined later, or has
// another key by now, cannot be told from the genesis alone: then the newcomer has to be told that key.
// What everything rests on is the digest, which the newcomer gets from somebody it knows.

import {
  bytes,
  concatBytes,
  encode,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  text,
  versioned,
} from '@mooring/codec'
import { domainBytes, type KeyPair, sign, verify } from '@mooring/crypto'
import { addressSchema } from './founding.ts'
import { type Genesis, genesisDigest, genesisSchema } from './genesis.ts'
import { genesisForm } from './genesis-json.ts'
import {
  base58Form,
  type Document,
  formatDocument,
  hexForm,
  listForm,
  nullableForm,
  objectForm,
  parseDocument,
  textForm,
} from './json-form.ts'
import { identifierSchema } from './organisation.ts'

export const BUNDLE_BYTES_MAX = 2 * 1024 * 1024
const CA_BYTES_MAX = 64 * 1024
const PEERS_MAX = 512

const signerSchema = struct({ organisation: identifierSchema, key: bytes(32) })

const hintsSchema = struct({
  /** Whole multiaddresses of members, with their peer ids. */
  peers: list(addressSchema, PEERS_MAX),
  /** PEM; null where the APIs have none. */
  ca: nullable(text(CA_BYTES_MAX)),
})

const bundleSchema = versioned(1, {
  genesis: genesisSchema,
  hints: hintsSchema,
  signer: signerSchema,
  signature: bytes(64),
})

export type NetworkBundle = Infer<typeof bundleSchema>
export type BundleHints = Infer<typeof hintsSchema>

const document: Document<NetworkBundle> = {
  version: 1,
  form: objectForm({
    genesis: genesisForm,
    hints: objectForm({
      peers: listForm(textForm),
      ca: nullableForm(textForm),
    }),
    signer: objectForm({ organisation: textForm, key: base58Form }),
    signature: hexForm,
  }),
  schema: bundleSchema,
}

export const formatBundleJson = (bundle: NetworkBundle): string => formatDocument(document, bundle)

/** @throws LedgerError that names the path of every problem. */
export const parseBundleJson = (json: string): NetworkBundle => parseDocument(document, json)

/** @throws CodecError when a hint is out of limits. */
export function signBundle(
  { genesis, hints, organisation }: { genesis: Genesis; hints: BundleHints; organisation: string },
  anchorKey: KeyPair,
): NetworkBundle {
  const signer = { organisation, key: anchorKey.publicKey }
  const signature = sign(anchorKey, bundleBytes({ genesis, hints, signer }))
  return { genesis, hints, signer, signature }
}

/** Undefined when its signer is of the genesis, or has the key that the newcomer was told. */
export function checkBundle(
  bundle: NetworkBundle,
  toldKey: Uint8Array | null,
): 'bad_signature' | 'unknown_signer' | undefined {
  const { genesis, signer, signature } = bundle
  if (!verify(signer.key, bundleBytes(bundle), signature)) return 'bad_signature'
  if (toldKey !== null) return equalBytes(toldKey, signer.key) ? undefined : 'unknown_signer'
  const founder = genesis.organisations.find(
    ({ organisation }) => organisation.id === signer.organisation,
  )
  const isFounders =
    founder !== undefined && equalBytes(founder.organisation.keys.anchor, signer.key)
  return isFounders ? undefined : 'unknown_signer'
}

function bundleBytes({ genesis, hints, signer }: Omit<NetworkBundle, 'signature'>): Uint8Array {
  return concatBytes(
    domainBytes('network-bundle'),
    genesisDigest(genesis),
    encode(hintsSchema, hints),
    encode(signerSchema, signer),
  )
}
