import assert from 'node:assert/strict'
import { type KeyPair, keyPairFromSeed, sha256, x25519PublicKey } from '@mooring/crypto'
import { test } from 'uvu'
import {
  checkFounders,
  type Founder,
  formatFounderJson,
  formatTermsJson,
  foundGenesis,
  parseFounderJson,
  parseTermsJson,
  signFounder,
  termsDigest,
} from '../src/founding.ts'
import { checkGenesis, encodeGenesis, genesisDigest } from '../src/genesis.ts'
import { LedgerError } from '../src/errors.ts'
import {
  checkBundle,
  formatBundleJson,
  type NetworkBundle,
  parseBundleJson,
  signBundle,
} from '../src/network-bundle.ts'
import type { Organisation } from '../src/organisation.ts'
import { PRODUCTION_PARAMETERS } from '../src/parameters.ts'

const TERMS = { networkName: 'coast', time: 1_790_000_000_000, parameters: PRODUCTION_PARAMETERS }
const NAMES = ['st-mary', 'county', 'riverside']

function keyOf(id: string, duty: string): KeyPair {
  return keyPairFromSeed(sha256(new TextEncoder().encode(`${id} ${duty}`)))
}

function organisationOf(id: string): Organisation {
  const key = (duty: string) => keyOf(id, duty).publicKey
  const keys = { governance: key('governance'), consensus: key('consensus') }
  const seal = x25519PublicKey(keyOf(id, 'seal').seed)
  const more = { transport: key('transport'), anchor: key('anchor'), seal }
  return {
    id,
    name: `Hospital ${id}`,
    legalGroup: id,
    roles: ['authority'],
    keys: { ...keys, ...more, issuer: null },
  }
}

function founderOf(id: string, terms = TERMS): Founder {
  const addresses = [`/dns4/${id}.example/tcp/7420`]
  return signFounder(
    terms,
    { organisation: organisationOf(id), addresses },
    keyOf(id, 'governance'),
  )
}

const codesOf = (founders: Founder[], terms = TERMS) =>
  checkFounders(terms, founders).map(({ code, organisation }) => `${organisation} ${code}`)

test('everybody who puts the same entries together makes the same bytes, in whatever order', () => {
  const founders = NAMES.map((id) => founderOf(id))
  const genesis = foundGenesis(TERMS, founders)
  assert.deepEqual(checkGenesis(genesis), [])
  const bytes = encodeGenesis(genesis)
  // Files on the way, another order, a second signing: nothing of that is in the genesis.
  const travelled = NAMES.toReversed().map((id) =>
    parseFounderJson(formatFounderJson(founderOf(id))),
  )
  const terms = parseTermsJson(formatTermsJson(TERMS))
  assert.deepEqual(encodeGenesis(foundGenesis(terms, travelled)), bytes)
  assert.deepEqual(checkFounders(terms, travelled), [])
})

test('an entry under other terms, of another hand, moved or doubled is found', () => {
  const [first, second] = [founderOf('st-mary'), founderOf('county')]
  const slower = { ...TERMS, parameters: { ...PRODUCTION_PARAMETERS, deltaMs: 1_000 } }
  assert.deepEqual(codesOf([first, founderOf('county', slower)]), ['county other_terms'])
  const moved = { ...second, addresses: ['/dns4/elsewhere.example/tcp/7420'] }
  assert.deepEqual(codesOf([first, moved]), ['county bad_consent'])
  const relabelled = { ...founderOf('county', slower), terms: termsDigest(TERMS) }
  assert.deepEqual(codesOf([first, relabelled]), ['county bad_consent'])
  const { organisation } = second.entry
  const renamed = {
    ...second,
    entry: { ...second.entry, organisation: { ...organisation, name: 'X' } },
  }
  assert.deepEqual(codesOf([first, renamed]), ['county bad_entry_signature'])
  assert.deepEqual(codesOf([first, second, second]), ['county twice'])
  const elsewhere = { ...TERMS, networkName: 'inland' }
  assert.deepEqual(codesOf([first], elsewhere), ['st-mary other_terms'])
})

test('every place of a file of the ceremony that is wrong is named', () => {
  const text = formatFounderJson(founderOf('st-mary'))
  const broken = text.replace('"consent"', '"consnt"').replace('/tcp/7420', '/tcp/74 20')
  assert.throws(
    () => parseFounderJson(broken),
    (error) => error instanceof LedgerError && error.problems.length >= 2,
  )
  assert.throws(
    () => parseTermsJson(formatTermsJson(TERMS).replace('"coast"', '"Coast!"')),
    LedgerError,
  )
})

function bundle(): NetworkBundle {
  const genesis = foundGenesis(
    TERMS,
    NAMES.map((id) => founderOf(id)),
  )
  const hints = { peers: ['/dns4/county.example/tcp/7420/p2p/12D3KooWx'], ca: null }
  return signBundle({ genesis, hints, organisation: 'county' }, keyOf('county', 'anchor'))
}

test('a bundle holds only as it was signed, by an organisation of its genesis or a key that was told', () => {
  const made = parseBundleJson(formatBundleJson(bundle()))
  assert.equal(checkBundle(made, null), undefined)
  const peers = ['/dns4/evil.example/tcp/7420/p2p/12D3KooWx']
  assert.equal(checkBundle({ ...made, hints: { ...made.hints, peers } }, null), 'bad_signature')
  assert.equal(checkBundle({ ...made, hints: { ...made.hints, ca: 'PEM' } }, null), 'bad_signature')
  const other = foundGenesis(TERMS, [founderOf('st-mary')])
  assert.notDeepEqual(genesisDigest(other), genesisDigest(made.genesis))
  assert.equal(checkBundle({ ...made, genesis: other }, null), 'bad_signature')
  const { genesis, hints } = made
  const stranger = keyOf('stranger', 'anchor')
  for (const organisation of ['county', 'stranger']) {
    const signed = signBundle({ genesis, hints, organisation }, stranger)
    assert.equal(checkBundle(signed, null), 'unknown_signer')
    assert.equal(checkBundle(signed, stranger.publicKey), undefined)
    assert.equal(checkBundle(signed, keyOf('county', 'anchor').publicKey), 'unknown_signer')
  }
})

test.run()
