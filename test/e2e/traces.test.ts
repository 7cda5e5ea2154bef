// No read without a trace. A hospital with a valid grant, whose machine somebody else has, asks the holders
// of another one's record for its shards in every way but the right one, and gets nothing from any of them;
// each refusal is in their access logs with its reason. What is read in the right way is on the chain.

import assert from 'node:assert/strict'
import {
  type AccessRequest,
  type AccessWitness,
  type Consent,
  generatePatient,
  openFacts,
  parseGrant,
  type Provision,
  readGrant,
  signWitness,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { test } from 'uvu'
import { type Devnet, type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import {
  alteredGrant,
  ask,
  digestOf,
  foreignGrant,
  type Question,
  random,
  release,
  type Target,
} from './forged-requests.ts'
import { type Grants, grantAll, openAs, wholeOf } from './granted-reads.ts'
import { becomeMember, type HostileReader } from './hostile-reader.ts'
import { openManifests } from './opened-manifests.ts'
import { type SpreadRecord, spread } from './provider-spread.ts'
import { sourceOf } from './sources.ts'
import { startVerifier } from './verifier.ts'

const CUSTODIAN = 'hospital-0'
const READER = 4
const READS = 12
const ANCHOR_MS = 120_000
const WITNESS_MS = 60_000
const BLOCK_MS = 30_000
const OLD_MS = 180_000
// The age at which a block says nothing any more, and one.
const OLD_BLOCKS = 65

const starting = startDevnet('-n 5 --heartbeat 500ms')
let records: SpreadRecord[] = []
let grants: Grants | undefined

test('after a read the final chain has the batch of its entry, as anybody can check', async () => {
  const devnet = await starting
  const reader = nodeAt(devnet, READER)
  await submitTo(devnet, CUSTODIAN)
  grants = await grantAll(devnet, records, reader)
  const verifier = startVerifier(devnet.genesisFile, devnet.folder)
  try {
    const entries: string[] = []
    for (const record of records.slice(0, READS)) {
      const stream = await openAs(reader, record, grants)
      assert.ok((await wholeOf(stream)).equals(record.raw))
      assert.ok(stream.entry !== null, 'a read without an entry')
      entries.push(stream.entry)
    }
    for (const entry of entries) {
      for (const { client, name } of devnet.nodes) {
        await eventually(`${name} has ${entry} on the chain`, ANCHOR_MS, async () => {
          const result = await verifier.verify(await client.proof(entry), new Uint8Array())
          assert.ok(result.ok, JSON.stringify(result))
          assert.deepEqual([result.anchor?.kind, result.anchor?.organisation], ['access.log', name])
          return true
        })
      }
    }
    const proofs = entries.length * devnet.nodes.length
    process.stdout.write(
      `figure: ${entries.length} reads, ${proofs} proofs of their entries hold\n`,
    )
  } finally {
    await verifier.close()
  }
})

type Case = {
  code: string
  what: string
  changes?: Partial<AccessRequest>
  // Of the good request; its witnesses are real.
  witnesses?: (good: Good) => AccessWitness[]
  // After the signature.
  alter?: (signed: Question['signed']) => Question['signed']
}

type Good = { question: Question; witnesses: AccessWitness[]; reader: HostileReader }

const FIRST_BLOCK = 1
const all = ({ witnesses }: Good) => witnesses
const forged = ({ witnesses }: Good) =>
  witnesses.map((witness, at) => (at === 0 ? { ...witness, signature: random(64) } : witness))

const CASES: readonly Case[] = [
  { code: 'too_few_witnesses', what: 'no witness', witnesses: () => [] },
  { code: 'too_few_witnesses', what: 'k-1 witnesses', witnesses: (good) => all(good).slice(0, 2) },
  {
    code: 'too_few_witnesses',
    what: 'one witness three times',
    witnesses: (good) => [0, 0, 0].flatMap((at) => all(good)[at] ?? []),
  },
  { code: 'witness_forged', what: 'a forged witness', witnesses: forged },
  {
    code: 'witness_forged',
    what: 'witnesses that the reader signed for others',
    witnesses: ({ question, reader, witnesses }) =>
      witnesses.map(({ holder }) => signWitness(reader.anchorKey, holder, digestOf(question))),
  },
  { code: 'witness_forged', what: 'witnesses of another request', changes: {}, witnesses: all },
  { code: 'request_expired', what: 'an expired request', changes: past(), witnesses: all },
  { code: 'not_issued_yet', what: 'a request of tomorrow', changes: tomorrow(), witnesses: all },
  { code: 'request_too_long', what: 'a request for a day', changes: aDay(), witnesses: all },
  {
    code: 'request_forged',
    what: 'a request with another entry under its signature',
    witnesses: all,
    alter: ({ request, signature }) => ({ request: { ...request, entry: random(32) }, signature }),
  },
  {
    code: 'sender_differs',
    what: 'a request of another member',
    changes: { reader: 'hospital-3' },
    witnesses: all,
  },
  { code: 'not_addressed', what: 'a request to others', changes: { audience: [] }, witnesses: all },
  {
    code: 'block_differs',
    what: 'a block of another chain',
    changes: { block: { height: FIRST_BLOCK, digest: random(32) } },
    witnesses: all,
  },
  {
    code: 'block_unknown',
    what: 'a block that is not there',
    changes: { block: { height: 1_000_000, digest: random(32) } },
    witnesses: all,
  },
  {
    code: 'purpose_not_covered',
    what: 'a purpose that the grant does not name',
    changes: { purpose: 'HRESCH' },
    witnesses: all,
  },
  {
    code: 'purpose_not_covered',
    what: 'an emergency',
    changes: { purpose: 'BTG' },
    witnesses: all,
  },
  {
    code: 'purpose_unknown',
    what: 'a purpose that there is not',
    changes: { purpose: 'CURIOUS' },
    witnesses: all,
  },
  { code: 'grant_missing', what: 'no grant', changes: { grant: null }, witnesses: all },
  {
    code: 'no_such_set',
    what: 'no set',
    changes: { sets: [] },
    witnesses: all,
  },
]

test('whoever asks in any other way gets nothing, and the reason is in the access logs', async () => {
  const devnet = await starting
  const holders = devnet.nodes.slice(0, READER)
  await devnet.succeed(`devnet kill ${READER}`)
  const reader = await becomeMember(devnet, nodeAt(devnet, READER))
  try {
    const target = await findTarget(reader, holders)
    const block = await recentBlock(holders)
    const good = await witnessed(reader, { holders, target, block })
    let refusals = 0
    for (const { code, what, changes, witnesses, alter } of CASES) {
      const question = changes === undefined ? good.question : ask(reader, target, block, changes)
      const signed = alter?.(question.signed) ?? question.signed
      const request = release({ signed }, witnesses?.(good) ?? [], target.setId)
      refusals += await refusedByAll(reader, { holders, request, what, code })
    }
    refusals += await refusedGrants(reader, { holders, target, block, good })
    refusals += await refusedOldBlock(devnet, reader, { holders, target, good })
    await checkServes(reader, { holders, target, good })
    process.stdout.write(
      `figure: ${refusals} refusals by ${holders.length} holders, all in their logs\n`,
    )
  } finally {
    await reader.close()
  }
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function submitTo(devnet: Devnet, custodian: string): Promise<void> {
  const { index } = devnet.nodes.find(({ name }) => name === custodian) ?? { index: 0 }
  const sources = [1, 2, 3].map((seed) => sourceOf(`patient ${seed}`, generatePatient(seed)))
  records = await spread(devnet, sources, () => index)
}

// One that every holder has: who lacks it refuses, and tells only so many refusals of a peer apart.
async function recentBlock(holders: readonly DevnetNode[]): Promise<AccessRequest['block']> {
  const { items } = (await holders[0]?.client.blocks({ limit: 1 })) ?? { items: [] }
  const [newest] = items
  assert.ok(newest !== undefined)
  for (const { name, client } of holders) {
    await eventually(`${name} has block ${newest.height}`, BLOCK_MS, async () => {
      const { chain } = await client.status()
      return chain.height >= newest.height ? true : undefined
    })
  }
  return { height: newest.height, digest: Uint8Array.from(Buffer.from(newest.digest, 'hex')) }
}

async function findTarget(reader: HostileReader, holders: readonly DevnetNode[]): Promise<Target> {
  const [holder] = holders
  assert.ok(holder !== undefined && grants !== undefined)
  const opened = await openManifests(reader, holder, CUSTODIAN)
  const found = opened.find(({ manifest }) => manifest.resourceType === 'Observation')
  assert.ok(found !== undefined, 'the reader opens no manifest')
  const { patient } = found.manifest
  const owner = records.find(({ account }) => account === patient)
  assert.ok(owner !== undefined)
  return { ...found, custodian: CUSTODIAN, grant: readGrant(parseGrant(grants.of(owner))) }
}

type Asked = { holders: readonly DevnetNode[]; target: Target }

// A question of the right kind, and what k holders sign for it.
async function witnessed(
  reader: HostileReader,
  { holders, target, block }: Asked & { block: AccessRequest['block'] },
): Promise<Good> {
  const question = ask(reader, target, block)
  const { signed, entry } = question
  const witnesses: AccessWitness[] = []
  for (const holder of holders.slice(0, 3)) {
    const request = { kind: 'witness' as const, body: { signed, entry } }
    const signature = await eventually(`${holder.name} is a witness`, WITNESS_MS, async () => {
      const answer = await reader.ask(holder, request)
      if (answer.kind === 'witness') return answer.body.signature
      throw new Error(textOf(answer))
    })
    witnesses.push({ holder: holder.name, signature })
  }
  return { question, witnesses, reader }
}

type Refused = {
  holders: readonly DevnetNode[]
  request: VaultRequest
  what: string
  code: string
}

// Of every holder; the access log of each says so.
async function refusedByAll(
  reader: HostileReader,
  { holders, request, what, code }: Refused,
): Promise<number> {
  for (const holder of holders) {
    const before = await refusalsOf(holder, reader.name, code)
    const answer = await reader.ask(holder, request)
    assert.equal(textOf(answer), code, `${what}, at ${holder.name}`)
    const after = await refusalsOf(holder, reader.name, code)
    assert.equal(after, before + 1, `${what}: ${holder.name} has ${after} lines of ${code}`)
  }
  return holders.length
}

async function refusalsOf(
  { client }: DevnetNode,
  organisation: string,
  code: string,
): Promise<number> {
  const { items } = await client.accessList({ organisation, outcome: 'refused', limit: 500 })
  return items.filter((item) => item.code === code).length
}

// Grants that are altered, of others, or for others.
async function refusedGrants(
  reader: HostileReader,
  { holders, target, block, good }: Asked & { block: AccessRequest['block']; good: Good },
): Promise<number> {
  const { grant } = target
  const { root } = grant.consent
  const altered = (changes: Partial<Consent>) => ({ grant: alteredGrant(grant, changes) })
  const limited = (limits: Partial<Provision>) => altered({ root: { ...root, ...limits } })
  const cases = [
    ['grant_forged', limited({ end: grant.expiresAt + 1_000 })],
    [
      'not_the_recipient',
      limited({ actors: [{ organisation: 'hospital-3', practitioner: null }] }),
    ],
    ['grant_of_another_custodian', altered({ custodian: 'hospital-1' })],
    ['class_not_covered', limited({ classes: ['imaging'] })],
    ['grant_expired', limited({ end: Date.now() - 1 })],
    ['delegation_forged', altered({ patientKey: random(32) })],
    ['wrong_patient', { grant: foreignGrant(grant) }],
    ['grant_unknown', altered({ handle: random(32) })],
    ['gate_differs', wrongGate(target)],
  ] as const
  let refusals = 0
  for (const [code, changes] of cases) {
    const question = ask(reader, target, block, changes)
    const request = release(question, good.witnesses, target.setId)
    refusals += await refusedByAll(reader, { holders, request, what: code, code })
  }
  return refusals
}

function wrongGate({ setId, manifest: { rec, facts } }: Target): Partial<AccessRequest> {
  return { sets: [{ setId, gateTag: random(32), facts: openFacts(rec, facts, []) }] }
}

async function refusedOldBlock(
  devnet: Devnet,
  reader: HostileReader,
  { holders, target, good }: Asked & { good: Good },
): Promise<number> {
  const { client } = nodeAt(devnet, 0)
  const { digest } = await client.block(FIRST_BLOCK)
  const block = { height: FIRST_BLOCK, digest: Uint8Array.from(Buffer.from(digest, 'hex')) }
  await eventually('the first block is old', OLD_MS, async () => {
    const heights = await Promise.all(
      holders.map(async (holder) => (await holder.client.status()).chain.height),
    )
    return Math.min(...heights) > FIRST_BLOCK + OLD_BLOCKS ? true : undefined
  })
  const request = release(ask(reader, target, block), good.witnesses, target.setId)
  const code = 'block_too_old'
  return await refusedByAll(reader, { holders, request, what: 'an old block', code })
}

// The control: with its witnesses the good request is served, by every holder.
async function checkServes(
  reader: HostileReader,
  { holders, target, good }: Asked & { good: Good },
): Promise<void> {
  for (const holder of holders) {
    const answer = await reader.ask(holder, release(good.question, good.witnesses, target.setId))
    assert.equal(answer.kind, 'release', `${holder.name}: ${textOf(answer)}`)
  }
}

function textOf({ kind, body }: VaultAnswer): string {
  return kind === 'refusal' ? body.code : kind
}

function past(): Partial<AccessRequest> {
  const now = Date.now()
  return { issuedAt: now - 400_000, expiresAt: now - 200_000 }
}

function tomorrow(): Partial<AccessRequest> {
  const time = Date.now() + 86_400_000
  return { issuedAt: time, expiresAt: time + 1_000 }
}

function aDay(): Partial<AccessRequest> {
  return { issuedAt: Date.now(), expiresAt: Date.now() + 86_400_000 }
}

test.run()
