import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Evidence } from '@mooring/api'
import { toHex } from '@mooring/codec'
import {
  encodeEvidence,
  evidenceOf,
  type Subject,
  type Vote,
  voteMessage,
} from '@mooring/consensus'
import { keyPairFromSeed, sign } from '@mooring/crypto'
import { formatGenesisJson, genesisDigest } from '@mooring/ledger'
import { createDevnet, homePaths, readGenesisFile, readKeyFile } from '@mooring/node'
import { test } from 'uvu'
import { inWorld, withNode } from './world.ts'

const key = (home: string) => readKeyFile(join(homePaths(home).keys, 'consensus.json'), 'consensus')

const OFFENCE: Evidence = {
  id: 'ab'.repeat(32),
  kind: 'conflicting_notarize',
  authority: 'riverside',
  key: 'cd'.repeat(32),
  epoch: 0,
  view: 12,
  seenAt: '2026-11-20T09:31:07.000Z',
  votes: ['11', '22'].map((byte) => ({
    kind: 'notarize',
    parentView: 11,
    height: 9,
    digest: byte.repeat(32),
    signature: byte.repeat(64),
  })),
}

test('evidence is listed, shown and exported', () =>
  withNode(async ({ run, node, folder }) => {
    const none = await run('evidence list')
    assert.equal(none.stdout, 'no authority has voted against itself\n')
    node.offences = [OFFENCE]
    const list = await run('evidence list')
    assert.match(list.stdout, /riverside {2}notarized two different blocks {6}0 {4}12/)
    const json = await run('evidence list --json')
    assert.deepEqual(JSON.parse(json.stdout), {
      schema: 'mooring/evidence-list/v1',
      items: [OFFENCE],
    })
    const show = await run(`evidence show ${OFFENCE.id}`)
    assert.match(show.stdout, /^offence +notarized two different blocks in view 12 of epoch 0$/m)
    assert.equal(show.stdout.match(/block (1{64}|2{64}) at height 9/g)?.length, 2)
    const shown = JSON.parse((await run(`evidence show ${OFFENCE.id} --json`)).stdout)
    assert.deepEqual(shown, { schema: 'mooring/evidence/v1', ...OFFENCE })
    const exported = await run(`evidence export ${OFFENCE.id} -o votes.cbor`)
    assert.equal(exported.code, 0, exported.stderr)
    assert.equal(readFileSync(join(folder, 'votes.cbor'), 'utf8'), OFFENCE.id)
    const unknown = await run(`evidence show ${'0'.repeat(64)}`)
    assert.equal(unknown.code, 6)
    assert.match(unknown.stderr, /MOR-4036/)
    assert.equal((await run(`evidence export ${OFFENCE.id}`)).code, 2)
  }))

test('evidence is checked without a node, and nobody is convicted by what does not hold', () =>
  inWorld(async ({ folder, run }) => {
    const { nodes } = await createDevnet({
      dir: join(folder, 'net'),
      nodes: 4,
      basePort: 7420,
      name: 'evidence',
      heartbeatMs: 0,
    })
    const [home = '', other = ''] = nodes.map((node) => node.home)
    const genesis = await readGenesisFile(homePaths(home).genesisFile)
    writeFileSync(join(folder, 'genesis.json'), formatGenesisJson(genesis))
    const guilty = await key(home)
    const vote = (byte: string, epoch: number, pair = guilty): Vote => {
      const digest = byte.repeat(32)
      const subject: Subject = { epoch, view: 7, parentView: 6, height: 3, digest }
      const message = voteMessage(genesisDigest(genesis), 'notarize', subject)
      return { kind: 'notarize', subject, signer: 0, signature: sign(pair, message) }
    }
    const write = (name: string, one: Vote, two: Vote) => {
      const evidence = evidenceOf(one, two)
      assert.ok(evidence)
      writeFileSync(join(folder, name), encodeEvidence(evidence))
    }
    write('good.cbor', vote('aa', 0), vote('bb', 0))
    write('later.cbor', vote('aa', 3), vote('bb', 3))
    write('forged.cbor', vote('aa', 0), vote('bb', 0, await key(other)))
    writeFileSync(join(folder, 'nonsense.cbor'), 'two votes')

    const good = await run('evidence verify good.cbor --genesis genesis.json')
    assert.equal(good.code, 0, good.stderr)
    assert.match(good.stdout, /^VERIFIED {2}hospital-0 notarized two different blocks in view 7/)
    const asJson = await run('evidence verify good.cbor --genesis genesis.json --json')
    const document: Record<string, unknown> = JSON.parse(asJson.stdout)
    assert.deepEqual([document['ok'], document['authority']], [true, 'hospital-0'])

    for (const name of ['forged.cbor', 'nonsense.cbor']) {
      const bad = await run(`evidence verify ${name} --genesis genesis.json`)
      assert.equal(bad.code, 8, bad.stderr)
      assert.match(bad.stderr, /MOR-3022/)
      assert.equal(bad.stdout, '')
    }
    const later = await run('evidence verify later.cbor --genesis genesis.json')
    assert.equal(later.code, 2, later.stderr)
    assert.match(later.stderr, /--key/)
    const hex = toHex(guilty.publicKey)
    const named = await run(`evidence verify later.cbor --genesis genesis.json --key ${hex}`)
    assert.equal(named.code, 0, named.stderr)
    const stranger = toHex(keyPairFromSeed(new Uint8Array(32).fill(1)).publicKey)
    const wrong = await run(`evidence verify later.cbor --genesis genesis.json --key ${stranger}`)
    assert.equal(wrong.code, 8)
    assert.equal((await run('evidence verify gone.cbor --genesis genesis.json')).code, 6)
  }))

test.run()
