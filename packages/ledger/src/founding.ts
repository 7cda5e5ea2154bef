// How a network is founded without anybody having everybody's keys. One founder writes the terms: name, time,
// parameters. Each organisation signs its own entry under them, on its own machine. Whoever has the terms
// and all entries makes the genesis, and everybody who does makes the same bytes: organisations stand in
// the order of their ids, whatever order they came in. Its digest is the network's identity.
//
// Two signatures of the governance key: the one of the genesis, over the entry and the network's name; and a
// consent beside it, over the terms and the addresses as well, so that nobody's entry is used for a network
// with another clock, other parameters or other addresses than those it agreed to.

import {
  bytes,
  concatBytes,
  encode,
  equalBytes,
  type Infer,
  list,
  refine,
  text,
  versioned,
} from '@mooring/codec'
import { domainBytes, domainHash, type KeyPair, sign, verify } from '@mooring/crypto'
import {
  createGenesis,
  type Genesis,
  entryBytes,
  genesisEntrySchema,
  signGenesisEntry,
} from './genesis.ts'
import { parametersForm, genesisEntryForm } from './genesis-json.ts'
import {
  type Document,
  formatDocument,
  hexForm,
  listForm,
  objectForm,
  parseDocument,
  textForm,
  timeForm,
} from './json-form.ts'
import { identifierSchema, type Organisation } from './organisation.ts'
import { parametersSchema, timeSchema } from './parameters.ts'

export const ADDRESSES_MAX = 8

/** Shown to people before they trust it: what could write elsewhere on a terminal is no address. */
export const addressSchema = refine(
  text(256),
  (address) => /^(?:\/[!-.0-~]+)+$/.test(address),
  'a multiaddress: printable, no spaces',
)

export const addressesSchema = list(addressSchema, ADDRESSES_MAX)

const termsFields = {
  networkName: identifierSchema,
  time: timeSchema,
  parameters: parametersSchema,
}
const termsSchema = versioned(1, termsFields)

const founderSchema = versioned(1, {
  /** Digest of the terms. */
  terms: bytes(32),
  entry: genesisEntrySchema,
  /** Multiaddresses without the peer id, which is that of the transport key. */
  addresses: addressesSchema,
  consent: bytes(64),
})

export type FoundingTerms = Infer<typeof termsSchema>
export type Founder = Infer<typeof founderSchema>

export type FoundingProblem = {
  code: 'other_terms' | 'bad_consent' | 'bad_entry_signature' | 'twice'
  organisation: string
  detail: string
}

const termsDocument: Document<FoundingTerms> = {
  version: 1,
  form: objectForm({ networkName: textForm, time: timeForm, parameters: parametersForm }),
  schema: termsSchema,
}

const founderDocument: Document<Founder> = {
  version: 1,
  form: objectForm({
    terms: hexForm,
    entry: genesisEntryForm,
    addresses: listForm(textForm),
    consent: hexForm,
  }),
  schema: founderSchema,
}

export const formatTermsJson = (terms: FoundingTerms): string =>
  formatDocument(termsDocument, terms)
export const formatFounderJson = (founder: Founder): string =>
  formatDocument(founderDocument, founder)

/** @throws LedgerError that names the path of every problem. */
export const parseTermsJson = (json: string): FoundingTerms => parseDocument(termsDocument, json)
/** @throws LedgerError that names the path of every problem. */
export const parseFounderJson = (json: string): Founder => parseDocument(founderDocument, json)

/** What founders compare before they sign. */
export function termsDigest(terms: FoundingTerms): Uint8Array {
  return domainHash('founding-terms', encode(termsSchema, terms))
}

/** On the organisation's own machine. @throws CodecError when the entry or an address is out of limits. */
export function signFounder(
  terms: FoundingTerms,
  { organisation, addresses }: { organisation: Organisation; addresses: string[] },
  governanceKey: KeyPair,
): Founder {
  const entry = signGenesisEntry(terms.networkName, organisation, governanceKey)
  const unsigned = { terms: termsDigest(terms), entry, addresses }
  return { ...unsigned, consent: sign(governanceKey, consentBytes(unsigned)) }
}

/** What keeps these from founding a network under these terms; what the genesis itself says comes later. */
export function checkFounders(
  terms: FoundingTerms,
  founders: readonly Founder[],
): FoundingProblem[] {
  const digest = termsDigest(terms)
  const seen = new Set<string>()
  return founders.flatMap((founder) => {
    const { organisation } = founder.entry
    const isTwice = seen.has(organisation.id)
    seen.add(organisation.id)
    const problem = isTwice ? twice : checkFounder(terms, digest, founder)
    return problem === undefined ? [] : [{ ...problem, organisation: organisation.id }]
  })
}

/** The same bytes in whatever order the founders are given. */
export function foundGenesis(terms: FoundingTerms, founders: readonly Founder[]): Genesis {
  const organisations = founders
    .map(({ entry }) => entry)
    .toSorted((a, b) => (a.organisation.id < b.organisation.id ? -1 : 1))
  return createGenesis({ ...terms, organisations })
}

const twice: Omit<FoundingProblem, 'organisation'> = {
  code: 'twice',
  detail: 'there are two entries under this id',
}

function checkFounder(
  terms: FoundingTerms,
  digest: Uint8Array,
  founder: Founder,
): Omit<FoundingProblem, 'organisation'> | undefined {
  const { organisation, signature } = founder.entry
  const { governance } = organisation.keys
  if (!equalBytes(founder.terms, digest))
    return { code: 'other_terms', detail: 'it was signed under other terms' }
  if (!verify(governance, entryBytes(terms.networkName, organisation), signature))
    return { code: 'bad_entry_signature', detail: 'its entry is not signed by the key in it' }
  if (!verify(governance, consentBytes(founder), founder.consent))
    return { code: 'bad_consent', detail: 'its addresses or terms are not those it signed' }
  return undefined
}

function consentBytes(founder: Omit<Founder, 'consent'>): Uint8Array {
  const { terms, entry, addresses } = founder
  return concatBytes(
    domainBytes('founding-consent'),
    terms,
    encode(genesisEntrySchema, entry),
    encode(addressesSchema, addresses),
  )
}
