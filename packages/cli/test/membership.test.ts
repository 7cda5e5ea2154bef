import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDevnet, type Devnet, readGenesisFile } from '@mooring/node'
import { test } from 'uvu'
import { formatWaiting } from '../src/change-text.ts'
import { LedgerNode } from './ledger-node.ts'
import { inWorld, type Ran, serve } from './world.ts'

const TRIAL = ['--profile', 'test', '--no-encrypt']

type Network = {
  node: LedgerNode
  folder: string
  devnet: Devnet
  run: (line: string | string[]) => Promise<Ran>
  // As a hospital, with its home and the keys in it.
  as: (index: number, line: string | string[]) => Promise<Ran>
}

const json = (text: string): Record<string, unknown> => JSON.parse(text)

// Four hospitals of a devnet, none of them running, and a node that applies the rules.
function withNetwork(scenario: (network: Network) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const dir = join(world.folder, 'net')
    const time = Date.parse('2026-11-20T09:29:00Z')
    const input = { dir, nodes: 4, basePort: 7420, name: 'test', heartbeatMs: 1_000, time }
    const devnet = await createDevnet(input)
    const [first] = devnet.nodes
    assert.ok(first)
    const node = new LedgerNode(await readGenesisFile(join(first.home, 'config', 'genesis.json')))
    for (const { name } of devnet.nodes.slice(1)) node.heights.set(name, 0)
    await serve(world, node, async ({ run, folder }) => {
      const as = (index: number, line: string | string[]) => {
        const home = devnet.nodes[index]?.home ?? join(folder, `hospital-${index}`)
        const words = typeof line === 'string' ? line.split(' ') : line
        return run(['--home', home, ...words])
      }
      await scenario({ node, folder, devnet, run, as })
    })
  })
}

async function idOf(ran: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await ran
  assert.equal(code, 0, stderr)
  return String(json(stdout)['id'])
}

async function admitFifth({ folder, run, as, devnet }: Network): Promise<void> {
  const genesis = join(devnet.nodes[0]?.home ?? '', 'config', 'genesis.json')
  const home = join(folder, 'hospital-4')
  const made = await run(
    ['--home', home, 'init', '--name', 'hospital-4', '--network', genesis].concat(TRIAL),
  )
  assert.equal(made.code, 0, made.stderr)
  const id = await idOf(
    as(0, `change propose admit @${home}/config/join.txt --reason trial --json`),
  )
  for (const index of [1, 2]) assert.equal((await as(index, `change approve ${id}`)).code, 0)
}

function withFifth({ devnet, folder }: Network): Devnet {
  const [first] = devnet.nodes
  assert.ok(first)
  const fifth = { ...first, name: 'hospital-4', home: join(folder, 'hospital-4') }
  return { ...devnet, nodes: [...devnet.nodes, fifth] }
}

test('a newcomer is admitted by its join line, with the approvals of a quorum', () =>
  withNetwork(async (network) => {
    const { run, as, node, folder } = network
    await admitFifth(network)
    const listed = await run('member list')
    assert.match(listed.stdout, /^hospital-4 +hospital-4 +observer +away +– +1 /m)
    assert.match((await run('member show hospital-4')).stdout, /^since +epoch 1$/m)
    assert.equal((await run('member show nobody')).code, 6)
    const history = await run('member history')
    assert.match(
      history.stdout,
      /^ +0 +1–3 +4 +3 +[0-9a-f]{8} {2}hospital-4 joins as an observer$/m,
    )
    assert.equal(node.network().epoch, 1)
    // Its id and its keys are used now.
    const again = await as(
      0,
      `change propose admit @${folder}/hospital-4/config/join.txt --reason x`,
    )
    assert.equal(again.code, 7)
    assert.match(again.stderr, /ids are never given twice/)
  }))

test('acceptance 8: a proposal shows the arithmetic of the quorum, and says what it waits for', () =>
  withNetwork(async (network) => {
    const { run, as, node, devnet } = network
    await admitFifth(network)
    node.heights.set('hospital-4', node.height)
    const proposed = await as(0, 'change propose promote hospital-4 --reason trial')
    assert.equal(proposed.code, 0, proposed.stderr)
    assert.match(proposed.stderr, /^4 → 5 authorities, quorum 3 → 4, tolerates 1$/m)
    assert.match(
      proposed.stdout,
      /it waits for 2 more approvals and 4 more nodes to say that they are ready \(hospital-4 among them\)/,
    )
    const id = /^change ([0-9a-f]{64})$/m.exec(proposed.stdout)?.[1] ?? ''
    const twice = await as(1, 'change propose promote hospital-4 --reason too')
    assert.equal(twice.code, 7)
    assert.match(twice.stderr, /mooring change approve [0-9a-f]{8}/)
    for (const index of [1, 2]) await as(index, `change approve ${id.slice(0, 8)}`)
    const waiting = await run(`change status ${id.slice(0, 8)}`)
    assert.match(waiting.stdout, /^approved by +hospital-0, hospital-1, hospital-2 {2}\(3 of 3\)$/m)
    const late = await run(`change approve ${id} --wait 1ms --home ${devnet.nodes[3]?.home}`)
    assert.equal(late.code, 9)
    assert.match(late.stderr, /MOR-3043/)
    await node.sayReady(withFifth(network))
    assert.equal((await run(`change show ${id}`)).stdout.includes('passed in block'), true)
    assert.match((await run('member list')).stdout, /^hospital-4 .*authority 4/m)
  }))

test('acceptance 8: who is not there, or far behind, is not promoted unless somebody insists', () =>
  withNetwork(async (network) => {
    const { run, as, node } = network
    await admitFifth(network)
    const away = await as(0, 'change propose promote hospital-4 --reason trial')
    assert.equal(away.code, 7)
    assert.match(away.stderr, /MOR-3040/)
    assert.match(away.stderr, /hospital-4 is not connected to this node/)
    node.height = 100
    node.heights.set('hospital-4', 90)
    const behind = await as(0, 'change propose promote hospital-4 --reason trial')
    assert.match(behind.stderr, /hospital-4 is 10 blocks behind/)
    assert.equal((await run('change list')).stdout, 'no change waits\n')
    const forced = await as(0, 'change propose promote hospital-4 --reason trial --force')
    assert.equal(forced.code, 0, forced.stderr)
    assert.match(forced.stderr, /^warning: hospital-4 is 10 blocks behind/m)
  }))

test('acceptance 8: a removal that would leave too few that live is refused', () =>
  withNetwork(async (network) => {
    const { as, node } = network
    await admitFifth(network)
    node.heights.set('hospital-4', node.height)
    await as(0, 'change propose promote hospital-4 --reason trial')
    const [open] = node.changes()
    for (const index of [1, 2]) await as(index, `change approve ${open?.id}`)
    await node.sayReady(withFifth(network))
    assert.equal(node.network().quorum, 4)
    node.missing = ['hospital-1', 'hospital-2']
    const unsafe = await as(0, 'change propose remove hospital-3 --reason trial')
    assert.equal(unsafe.code, 7)
    assert.match(unsafe.stderr, /After it 3 of 4 must agree, and this node sees 2/)
    const dry = await as(0, 'change propose remove hospital-1 --reason gone --dry-run --json')
    assert.equal(dry.code, 0, dry.stderr)
    const document = json(dry.stdout)
    assert.equal(document['submitted'], false)
    assert.deepEqual(
      node.changes().filter(({ status }) => status === 'open'),
      [],
    )
  }))

test('parameters, evidence and versions are checked before anything is signed', () =>
  withNetwork(async ({ as, run, node, folder, devnet }) => {
    const set = await as(0, 'change propose parameters --set deltaMs=250 --reason lines --json')
    assert.equal(json(set.stdout)['summary'], 'deltaMs 150 → 250')
    for (const setting of ['delta=250', 'deltaMs=fast', 'deltaMs']) {
      const bad = await as(0, `change propose parameters --set ${setting} --reason x`)
      assert.equal(bad.code, 2, setting)
      assert.match(bad.stderr, /MOR-3046/)
    }
    const wild = await as(0, 'change propose parameters --set deltaMs=999999 --reason x')
    assert.equal(wild.code, 2)
    writeFileSync(join(folder, 'large.cbor'), Buffer.alloc(5_000))
    const large = await as(0, 'change propose remove hospital-3 --reason x --evidence large.cbor')
    assert.equal(large.code, 2)
    assert.match(large.stderr, /MOR-3045/)
    assert.equal((await as(0, 'change propose remove hospital-3 --reason x')).code, 7)

    const upgrade = await as(1, 'upgrade propose 2 --height 5000 --reason release --json')
    assert.equal(upgrade.code, 0, upgrade.stderr)
    const status = await run('upgrade status')
    assert.match(status.stdout, /^in force +v1$/m)
    assert.match(status.stdout, /^proposed +protocol version 2 from height 5000 \(change /m)
    assert.match(status.stdout, /0\/4 ready, 3 needed, not yet hospital-0, hospital-1/)
    assert.equal((await as(1, 'upgrade propose 2 --height 0 --reason x')).code, 2)
    const id = String(json(upgrade.stdout)['id'])
    for (const index of [0, 2]) await as(index, `change approve ${id}`)
    await node.sayReady(devnet)
    const scheduled = await run('upgrade status')
    assert.match(scheduled.stdout, /^scheduled +v2 at height 5000, in \d+ blocks \(change /m)
    assert.match(scheduled.stdout, /^ +ready +3\/4 ready, 3 needed, not yet hospital-3$/m)
    assert.match((await run('network info')).stdout, /^protocol +v1, next v2 at height 5000$/m)
    assert.equal(node.changes().length, 2)
  }))

test('an id may be abbreviated while it is unambiguous, and a vote can be taken back', () =>
  withNetwork(async ({ as, run, node }) => {
    const id = await idOf(as(0, 'change propose parameters --set deltaMs=250 --reason a --json'))
    await idOf(as(1, 'change propose parameters --set deltaMs=260 --reason b --json'))
    for (const word of ['', 'zz', 'ffffffffff']) {
      const ran = await run(['change', 'show', word])
      assert.equal(ran.code, 2, word)
    }
    assert.equal((await run(`change show ${'0'.repeat(64)}`)).code, 6)
    assert.match((await run(`change show ${id.slice(0, 10)}`)).stdout, /^change +[0-9a-f]{64}$/m)
    assert.match((await as(0, `change withdraw ${id.slice(0, 10)}`)).stdout, /it is closed/)
    assert.equal(node.change(id)?.status, 'closed')
    assert.equal((await as(1, `change approve ${id}`)).code, 7)
  }))

test('only the governance key of a member signs, and only for the network of its home', () =>
  withNetwork(async ({ as, run, folder, devnet }) => {
    await run(['--home', join(folder, 'hospital-9'), 'init', '--name', 'hospital-9'].concat(TRIAL))
    const stranger = await as(9, 'change propose demote hospital-1 --reason x')
    assert.equal(stranger.code, 5)
    assert.match(stranger.stderr, /MOR-2020/)
    const other = { nodes: 1, basePort: 7420, name: 'other', heartbeatMs: 1_000 }
    const { nodes } = await createDevnet({ dir: join(folder, 'other'), ...other })
    const foreign = await run(
      `--home ${nodes[0]?.home} change propose demote hospital-1 --reason x`,
    )
    assert.equal(foreign.code, 13)
    assert.match(foreign.stderr, /MOR-2025/)
    // Cold: it lies somewhere else, and the home need not have it.
    const [first] = devnet.nodes
    const kept = join(first?.home ?? '', 'keys', 'governance.json')
    const stick = join(folder, 'stick.json')
    writeFileSync(stick, readFileSync(kept), { mode: 0o600 })
    rmSync(kept)
    assert.equal((await as(0, 'change propose parameters --set deltaMs=250 --reason x')).code, 3)
    const words = 'change propose parameters --set deltaMs=250 --reason x --governance-key'
    assert.equal((await as(0, `${words} ${stick}`)).code, 0)
    assert.match((await as(0, 'keys list')).stdout, /^governance +– +– +– +kept elsewhere$/m)
  }))

test('keys are made in the home of the hospital that proposes them, or not at all', () =>
  withNetwork(async ({ as, devnet }) => {
    const [first, second] = devnet.nodes
    const other = join(second?.home ?? '', 'keys', 'governance.json')
    const mixed = await as(0, `keys rotate --type transport --governance-key ${other}`)
    assert.equal(mixed.code, 7)
    assert.match(mixed.stderr, /MOR-2026/)
    assert.match(mixed.stderr, /hospital-1/)
    assert.equal(existsSync(join(first?.home ?? '', 'keys', 'transport.next.json')), false)
    assert.equal((await as(0, 'change list')).stdout, 'no change waits\n')
    const wrong = await as(0, `keys rotate --type anchor --governance-key ${first?.home}/none.json`)
    assert.equal(wrong.code, 3)
    assert.match(wrong.stderr, /--governance-key <file>/)
  }))

test('a parameter out of its bounds is named with its bound, before anything is proposed', () =>
  withNetwork(async ({ as }) => {
    const { code, stderr } = await as(0, 'change propose parameters --set deltaMs=0 --reason x')
    assert.equal(code, 2)
    assert.match(stderr, /deltaMs cannot have this value: at least 1/)
  }))

test('the next keys are on the disk before they are proposed, and found again', () =>
  withNetwork(async ({ as, devnet, node }) => {
    const keys = join(devnet.nodes[0]?.home ?? '', 'keys')
    const first = await as(0, 'keys rotate --type anchor --json')
    assert.equal(first.code, 0, first.stderr)
    const document = json(first.stdout)
    // A rotation of one's own that governs nothing needs nobody.
    assert.equal(document['status'], 'passed')
    assert.match((await as(0, 'change list --all')).stdout, /passed +none needed +–/)
    assert.equal(statSync(join(keys, 'anchor.next.json')).mode & 0o777, 0o600)
    const again = await as(0, 'keys rotate --type anchor')
    assert.equal(again.code, 7)
    assert.match(again.stderr, /The next anchor key is in force already/)
    assert.match((await as(0, 'keys show anchor')).stdout, /the next one is in force/)
    assert.equal(node.members()[0]?.keys['anchor'], Object(document['keys'])['anchor'])

    const soon = await as(0, 'keys rotate --type seal')
    assert.equal(soon.code, 0, soon.stderr)
    assert.match(soon.stdout, /it waits for 2 more approvals/)
    assert.match(soon.stderr, /within the last ten minutes/)
    const id = /^change ([0-9a-f]{64})$/m.exec(soon.stdout)?.[1]
    const found = await as(0, 'keys rotate --type seal')
    assert.match(found.stderr, /found the next seal key\n.*it is proposed already/s)
    assert.equal(/^change ([0-9a-f]{64})$/m.exec(found.stdout)?.[1], id)
    assert.equal((await as(0, 'keys rotate --type issuer')).code, 2)
  }))

test('a governance key is taken into use by the next command, also when nobody waited', () =>
  withNetwork(async ({ as, devnet, node }) => {
    const keys = join(devnet.nodes[0]?.home ?? '', 'keys')
    const old = node.members()[0]?.keys['governance']
    const id = await idOf(as(0, 'keys rotate --type governance --json'))
    for (const index of [1, 2]) await as(index, `change approve ${id}`)
    assert.equal(node.change(id)?.status, 'passed')
    assert.ok(existsSync(join(keys, 'governance.next.json')))
    const { code, stderr } = await as(0, 'change propose parameters --set deltaMs=250 --reason x')
    assert.equal(code, 0, stderr)
    assert.equal(existsSync(join(keys, 'governance.next.json')), false)
    const now = json(readFileSync(join(keys, 'governance.json'), 'utf8'))['public']
    assert.notEqual(now, old)
    assert.equal(now, node.members()[0]?.keys['governance'])
  }))

test('a change that another one has made impossible is not said to wait for the next block', () =>
  withNetwork(async ({ as, node }) => {
    const id = await idOf(as(0, 'change propose parameters --set deltaMs=250 --reason x --json'))
    const change = node.change(id)
    assert.ok(change)
    assert.doesNotMatch(formatWaiting(change), /cannot pass/)
    const stuck = { ...change, approvals: ['a', 'b', 'c'], effect: null }
    assert.match(formatWaiting(stuck), /cannot pass/)
  }))

test('keys are listed also while no node answers', () =>
  withNetwork(async ({ as }) => {
    const { code, stdout, stderr } = await as(0, 'keys list --endpoint http://127.0.0.1:1')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /no node answers/)
    assert.match(stdout, /^consensus +did:key:\S+ +plain +– +not known: no node says$/m)
  }))

test.run()
