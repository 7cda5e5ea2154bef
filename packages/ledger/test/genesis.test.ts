import assert from 'node:assert/strict'
import { encode, fromHex, toHex } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import { test } from 'uvu'
import {
  authoritySet,
  authoritySetDigest,
  checkGenesis,
  decodeGenesis,
  DEVNET_PARAMETERS,
  encodeGenesis,
  type Genesis,
  genesisDigest,
  genesisParent,
  genesisState,
  networkId,
  type Organisation,
  organisationOf,
  parametersOf,
  PRODUCTION_PARAMETERS,
  signGenesisEntry,
} from '../src/index.ts'
import { organisationSchema } from '../src/organisation.ts'
import { checkParameters } from '../src/parameters.ts'
import { AUTHORITIES, keyOf, MemoryState, MEMBERS, organisation, seedOf, world } from './fixture.ts'

const { genesis } = world()

function codesOf(changed: Genesis): [code: string, path: string][] {
  return checkGenesis(changed).map(({ code, path }) => [code, path])
}

/** Genesis with one organisation changed, and signed again by the governance key it then has. */
function withOrganisation(index: number, change: (organisation: Organisation) => Organisation) {
  const organisations = genesis.organisations.map((entry, position) => {
    if (position !== index) return entry
    const changed = change(entry.organisation)
    return signGenesisEntry(
      genesis.networkName,
      changed,
      keyOf(entry.organisation.id, 'governance'),
    )
  })
  return { ...genesis, organisations }
}

function withKeys(index: number, keys: Partial<Organisation['keys']>): Genesis {
  return withOrganisation(index, (each) => ({ ...each, keys: { ...each.keys, ...keys } }))
}

test('a genesis comes back from its bytes, and its digest names the network', () => {
  const encoded = encodeGenesis(genesis)
  assert.deepEqual(decodeGenesis(encoded), genesis)
  assert.deepEqual(encodeGenesis(decodeGenesis(encoded)), encoded)
  const digest = genesisDigest(genesis)
  assert.equal(networkId(digest), `moor-${toHex(digest).slice(0, 8)}`)
  assert.notDeepEqual(genesisDigest({ ...genesis, time: genesis.time + 1 }), digest)
})

test('a good genesis has no problems', () => {
  assert.deepEqual(checkGenesis(genesis), [])
})

test('the first state holds the parameters, the organisations and the authority set', () => {
  const state = new MemoryState().after(genesisState(genesis))
  assert.deepEqual(parametersOf(state), genesis.parameters)
  for (const id of MEMBERS) assert.deepEqual(organisationOf(state, id)?.id, id)
  assert.equal(organisationOf(state, 'nowhere'), undefined)
  const set = authoritySet(state)
  assert.deepEqual(set.organisations, AUTHORITIES)
  assert.deepEqual(
    set.keys,
    AUTHORITIES.map((id) => organisation(id).keys.consensus),
  )
})

test('the digest of an authority set follows its order and its keys', () => {
  const set = authoritySet(new MemoryState().after(genesisState(genesis)))
  const { organisations, keys } = set
  const swapped = { organisations: organisations.toReversed(), keys: keys.toReversed() }
  assert.notDeepEqual(authoritySetDigest(set), authoritySetDigest(swapped))
  const rekeyed = { organisations, keys: keys.with(0, seedOf('another key')) }
  assert.notDeepEqual(authoritySetDigest(set), authoritySetDigest(rekeyed))
})

test('genesis is height 0, named by its digest', () => {
  const digest = genesisDigest(genesis)
  const parent = genesisParent(genesis, digest)
  assert.deepEqual(parent, { epoch: 0, view: 0, height: 0, time: genesis.time, digest })
})

test('an entry is signed by its own governance key, for this network and this content', () => {
  const path = 'organisations[1].signature'
  const entry = (change: (index: number) => Genesis['organisations'][number]) => ({
    ...genesis,
    organisations: genesis.organisations.map((each, index) => (index === 1 ? change(index) : each)),
  })
  const riverside = organisation('riverside')
  const cases = [
    entry(() => signGenesisEntry('another', riverside, keyOf('riverside', 'governance'))),
    entry(() => signGenesisEntry(genesis.networkName, riverside, keyOf('riverside', 'consensus'))),
    entry(() => signGenesisEntry(genesis.networkName, riverside, keyOf('st-mary', 'governance'))),
    entry((index) => {
      const { signature } = genesis.organisations[index] ?? { signature: new Uint8Array(64) }
      return { organisation: { ...riverside, name: 'Renamed' }, signature }
    }),
  ]
  for (const changed of cases) {
    assert.deepEqual(codesOf(changed), [['bad_entry_signature', path]])
  }
  assert.equal(codesOf({ ...genesis, networkName: 'renamed' }).length, MEMBERS.length)
})

test('a network without authorities cannot start', () => {
  const observers = {
    ...genesis,
    organisations: genesis.organisations.filter(({ organisation: { id } }) => id === 'laboratory'),
  }
  assert.deepEqual(codesOf(observers), [['no_authority', 'organisations']])
  const nobody = { ...genesis, organisations: [] }
  assert.deepEqual(codesOf(nobody), [['no_authority', 'organisations']])
})

test('ids and keys have one holder', () => {
  const twice = withOrganisation(2, (each) => ({ ...each, id: 'st-mary' }))
  assert.deepEqual(codesOf(twice), [['duplicate_id', 'organisations[2].organisation.id']])
  const borrowed = withKeys(2, { anchor: organisation('st-mary').keys.consensus })
  assert.deepEqual(codesOf(borrowed), [
    ['duplicate_key', 'organisations[2].organisation.keys.anchor'],
  ])
  const two = withKeys(2, { anchor: organisation('county').keys.transport })
  assert.deepEqual(codesOf(two), [['duplicate_key', 'organisations[2].organisation.keys.anchor']])
})

test('keys that no honest owner has are refused, with their place', () => {
  const ofOrder8 = fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  const basePointPlusThat = fromHex(
    'da99e28ba529cdde35a25fba9059e78ecaee239f99755b9b1aa4f65df00803e2',
  )
  const aboveP = fromHex(`ee${'ff'.repeat(30)}7f`)
  const cases: [Partial<Organisation['keys']>, code: string, duty: string][] = [
    [{ anchor: ofOrder8 }, 'small_order', 'anchor'],
    [{ transport: fromHex(`01${'00'.repeat(31)}`) }, 'small_order', 'transport'],
    [{ governance: basePointPlusThat }, 'mixed_order', 'governance'],
    [{ issuer: aboveP }, 'not_canonical', 'issuer'],
    [{ consensus: fromHex(`02${'00'.repeat(31)}`) }, 'not_canonical', 'consensus'],
    [{ seal: new Uint8Array(32) }, 'small_order', 'seal'],
    [{ seal: fromHex(`ec${'ff'.repeat(30)}7f`) }, 'small_order', 'seal'],
    [{ seal: fromHex(`ed${'ff'.repeat(30)}7f`) }, 'not_canonical', 'seal'],
    [{ seal: fromHex(`${'11'.repeat(31)}91`) }, 'not_canonical', 'seal'],
  ]
  for (const [keys, code, duty] of cases) {
    const path = `organisations[0].organisation.keys.${duty}`
    assert.deepEqual(codesOf(withKeys(0, keys))[0], [code, path], `${code} ${duty}`)
  }
})

test('an organisation may do without a credential issuer', () => {
  assert.deepEqual(codesOf(withKeys(0, { issuer: null })), [])
})

test('values outside the limits are named by their path', () => {
  const cases: [Genesis, path: string][] = [
    [{ ...genesis, networkName: 'Two Words' }, 'networkName'],
    [{ ...genesis, time: -1 }, 'time'],
    [withParameters({ deltaMs: 0 }), 'parameters.deltaMs'],
    [withParameters({ blockBytesMax: 64 * 1024 * 1024 }), 'parameters.blockBytesMax'],
  ]
  for (const [changed, path] of cases) {
    assert.deepEqual(codesOf(changed), [['out_of_limits', path]])
  }
})

test('all problems are told at once', () => {
  const bad = withKeys(0, { seal: new Uint8Array(32) })
  const changed = {
    ...bad,
    protocolVersion: 2,
    parameters: { ...DEVNET_PARAMETERS, transactionBytesMax: 1024 * 1024, blockBytesMax: 8_192 },
  }
  assert.deepEqual(codesOf(changed), [
    ['unsupported_protocol', 'protocolVersion'],
    ['contradictory_parameters', 'parameters.transactionBytesMax'],
    ['small_order', 'organisations[0].organisation.keys.seal'],
  ])
})

test('the default parameters agree with themselves', () => {
  assert.deepEqual(checkParameters(PRODUCTION_PARAMETERS), [])
  assert.deepEqual(checkParameters(DEVNET_PARAMETERS), [])
})

test('parameters that contradict each other are named', () => {
  const limit = 64 * 1024 + 5 + 1024
  assert.deepEqual(pathsOf({ blockBytesMax: limit }), [])
  assert.deepEqual(pathsOf({ blockBytesMax: limit - 1 }), ['transactionBytesMax'])
  assert.deepEqual(pathsOf({ heartbeatMs: 0, minBlockIntervalMs: 5_000 }), [])
  assert.deepEqual(pathsOf({ heartbeatMs: 5_000, minBlockIntervalMs: 5_000 }), [])
  assert.deepEqual(pathsOf({ heartbeatMs: 4_999, minBlockIntervalMs: 5_000 }), ['heartbeatMs'])
  assert.deepEqual(pathsOf({ expiryWindowMs: 2_001 }), [])
  assert.deepEqual(pathsOf({ expiryWindowMs: 2_000 }), ['expiryWindowMs'])
})

function pathsOf(change: Partial<Genesis['parameters']>): string[] {
  return checkParameters({ ...PRODUCTION_PARAMETERS, ...change }).map(({ path }) => path)
}

function withParameters(change: Partial<Genesis['parameters']>): Genesis {
  return { ...genesis, parameters: { ...genesis.parameters, ...change } }
}

test('ids, names and roles of an organisation have their form', () => {
  const good = organisation('st-mary')
  const refuses = (change: Partial<Organisation>): void => {
    assert.throws(() => encode(organisationSchema, { ...good, ...change }), { name: 'CodecError' })
  }
  for (const id of ['', '-a', 'a-', 'A', 'a_b', 'a/b', 'ä', 'x'.repeat(65)]) refuses({ id })
  for (const id of ['a', '7', 'a-b', 'x'.repeat(64)]) encode(organisationSchema, { ...good, id })
  for (const name of ['', ' a', 'a ', 'a\nb', 'a\u001b[2Jb', 'a\u202eb', 'a\u200bb']) {
    refuses({ name })
    refuses({ legalGroup: name })
  }
  for (const name of ['Santa María', '聖路加 病院', 'O’Neill & Sons']) {
    encode(organisationSchema, { ...good, name })
  }
  refuses({ roles: [] })
  refuses({ roles: ['observer', 'observer'] })
})

test('an organisation may hold the governance key of a fixed seed and sign its entry again', () => {
  const keyPair = keyPairFromSeed(seedOf('riverside governance'))
  const again = signGenesisEntry(genesis.networkName, organisation('riverside'), keyPair)
  assert.deepEqual(again, genesis.organisations[1])
})

test.run()
