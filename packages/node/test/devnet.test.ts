import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkGenesis, parseGenesisJson } from '@mooring/ledger'
import { test } from 'uvu'
import {
  createDevnet,
  createNewcomer,
  type DevnetInput,
  findPortBlock,
  readDevnet,
  writeDevnetConfigs,
} from '../src/devnet.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { NodeError } from '../src/node-error.ts'

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-devnet-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const INPUT: Omit<DevnetInput, 'dir'> = {
  nodes: 4,
  basePort: 7420,
  name: 'default',
  heartbeatMs: 1_000,
}

test('a devnet has one valid genesis, and each of its homes loads as an authority of it', () =>
  inFolder(async (dir) => {
    const devnet = await createDevnet({ dir, ...INPUT })
    const first = readFileSync(join(dir, 'hospital-0', 'config', 'genesis.json'), 'utf8')
    assert.deepEqual(checkGenesis(parseGenesisJson(first)), [])
    for (const node of devnet.nodes) {
      const path = join(node.home, 'config', 'genesis.json')
      assert.equal(readFileSync(path, 'utf8'), first)
      assert.equal(statSync(path).mode & 0o777, 0o444)
      const options = await loadNodeOptions({ home: node.home, flags: {}, env: {} })
      assert.equal(options.role, 'authority')
      assert.equal(options.organisation?.id, node.name)
      assert.equal(options.networkId, devnet.networkId)
      assert.equal(options.http.listen, `127.0.0.1:${7421 + 10 * node.index}`)
      assert.equal(options.p2p.peers.length, 3)
      assert.ok(!options.p2p.peers.some((peer) => peer.includes(node.peerId)))
      assert.ok(Object.isFrozen(options) && Object.isFrozen(options.p2p.peers))
      assert.equal(options.genesis.parameters.deltaMs, 150)
      assert.equal(options.genesis.parameters.quotaPerMinute, 1_000_000)
    }
  }))

test('the same seed and time make the same network', () =>
  inFolder(async (dir) => {
    const same = { ...INPUT, seed: new Uint8Array(32).fill(7), time: 1_790_000_000_000 }
    const first = await createDevnet({ ...same, dir: join(dir, 'a') })
    const second = await createDevnet({ ...same, dir: join(dir, 'b') })
    const other = await createDevnet({ ...same, name: 'other', dir: join(dir, 'c') })
    assert.equal(first.networkId, second.networkId)
    assert.deepEqual(
      first.nodes.map((node) => node.peerId),
      second.nodes.map((node) => node.peerId),
    )
    assert.notEqual(first.networkId, other.networkId)
  }))

test('a devnet that exists moves to other ports and keeps its keys', () =>
  inFolder(async (dir) => {
    const made = await createDevnet({ dir, ...INPUT })
    const moved = await readDevnet(dir, 'default', 4, 8420)
    assert.equal(moved.networkId, made.networkId)
    assert.deepEqual(
      moved.nodes.map((node) => node.peerId),
      made.nodes.map((node) => node.peerId),
    )
    await writeDevnetConfigs(moved)
    const options = await loadNodeOptions({ home: moved.nodes[2]?.home ?? '', flags: {}, env: {} })
    assert.equal(options.http.listen, '127.0.0.1:8441')
    assert.ok(options.p2p.peers.every((peer) => /tcp\/84\d0\//.test(peer)))
  }))

test('a newcomer keeps the keys of an attempt that was interrupted', () =>
  inFolder(async (dir) => {
    const devnet = await createDevnet({ dir, ...INPUT })
    const input = { index: 4, firstPort: 9_000 }
    const first = await createNewcomer(devnet, input)
    assert.equal(first.node.name, 'hospital-4')
    assert.equal(first.node.ports.http, 9_001)
    assert.deepEqual(first.admission.organisation.roles, ['observer'])
    rmSync(join(first.node.home, 'keys', 'seal.json'))
    const second = await createNewcomer(devnet, input)
    assert.equal(second.node.peerId, first.node.peerId)
    const [before, after] = [first, second].map(({ admission }) => admission.organisation.keys)
    assert.deepEqual(after?.governance, before?.governance)
    assert.notDeepEqual(after?.seal, before?.seal)
    await writeDevnetConfigs({ ...devnet, nodes: [...devnet.nodes, second.node] })
    const options = await loadNodeOptions({ home: second.node.home, flags: {}, env: {} })
    assert.equal(options.networkId, devnet.networkId)
    assert.equal(options.p2p.peers.length, 4)
  }))

test('a home with keys of another organisation is no authority', () =>
  inFolder(async (dir) => {
    const { nodes } = await createDevnet({ dir, ...INPUT })
    const home = nodes[1]?.home ?? ''
    const load = (flags: Record<string, string>) => loadNodeOptions({ home, flags, env: {} })
    const stranger = await load({ 'node.name': 'hospital-2' }).catch((error: unknown) => error)
    assert.ok(stranger instanceof NodeError && stranger.code === 'key_not_in_genesis')
    const keys = { 'keys.anchor': join(nodes[2]?.home ?? '', 'keys', 'anchor.json') }
    const mixed = await load(keys).catch((error: unknown) => error)
    assert.ok(mixed instanceof NodeError && /anchor/.test(String(mixed.data['detail'])))
    const network = await load({ 'network.id': 'moor-00000000' }).catch((error: unknown) => error)
    assert.ok(network instanceof NodeError && network.code === 'network_mismatch')
    const genesis = await load({ 'network.genesis': 'no.json' }).catch((error: unknown) => error)
    assert.ok(genesis instanceof NodeError && genesis.code === 'genesis_missing')
    assert.equal((await load({ 'node.role': 'observer', 'node.name': 'x' })).name, 'x')
  }))

test('a block of ports in which one is taken is passed over, and the taken one is named', async () => {
  const { basePort } = await findPortBlock(0, 2)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(basePort + 11, '127.0.0.1', resolve))
  try {
    const block = await findPortBlock(basePort, 2)
    assert.ok(block.basePort > basePort)
    assert.deepEqual(block.skipped[0], { basePort, taken: [basePort + 11] })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test('ports that are looked for lie below those that are given to whoever connects', async () => {
  for (let draw = 0; draw < 20; draw += 1) {
    const { basePort } = await findPortBlock(0, 10)
    assert.ok(basePort >= 1_024 && basePort + 100 < 32_768, String(basePort))
  }
})

test.run()
