// A network is founded and joined as hospitals would: each with a home of its own, files between them.

import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { loadNodeOptions, startNode } from '@mooring/node'
import { createClient } from '@mooring/api/client'
import { test } from 'uvu'
import { findPortBlock } from '../../node/src/devnet.ts'
import { parseJoinLine } from '../src/join-line.ts'
import { inWorld, type Ran, type World } from './world.ts'

const NAMES = ['st-mary', 'county', 'riverside', 'lakeview']

interface Founders extends World {
  at: (name: string, words: string) => Promise<Ran>
  read: (file: string) => string
  ports: Map<string, number>
}

async function ok(ran: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await ran
  assert.equal(code, 0, stderr)
  return stdout
}

/** Four homes with keys, terms, and everybody's signed entry. */
function withFounders(scenario: (founders: Founders) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const { run, folder } = world
    const at = (name: string, words: string) => run(`--home ${join(folder, name)} ${words}`)
    const read = (file: string) => readFileSync(join(folder, file), 'utf8')
    const { basePort } = await findPortBlock(0, 4)
    const ports = new Map(NAMES.map((name, index) => [name, basePort + 10 * index]))
    await ok(run('genesis new --name coast --set heartbeatMs=200 --time 2026-11-20T09:00:00Z'))
    for (const name of NAMES) {
      await ok(at(name, `init --name ${name} --role authority --profile test --no-encrypt`))
      const address = `/ip4/127.0.0.1/tcp/${ports.get(name)}`
      await ok(at(name, `genesis sign terms.json --address ${address}`))
    }
    await scenario({ ...world, at, read, ports })
  })
}

const ENTRIES = NAMES.map((name) => `${name}.entry.json`)

test('each founder builds the same genesis, whatever the order, and its digest is the network', () =>
  withFounders(async ({ run, read }) => {
    const first = await ok(run(`genesis build terms.json ${ENTRIES.join(' ')} --json`))
    const made: { digest: string; network: string; founders: string[] } = JSON.parse(first)
    assert.deepEqual(made.founders, NAMES.toSorted())
    assert.equal(made.network, `moor-${made.digest.slice(0, 8)}`)
    const backwards = ENTRIES.toReversed().join(' ')
    await ok(run(`genesis build terms.json ${backwards} -o again.json --digest ${made.digest}`))
    assert.equal(read('again.json'), read('genesis.json'))
    assert.match(await ok(run('genesis diff genesis.json again.json')), /^they are the same/)
    await ok(run(`genesis verify genesis.json --digest ${made.digest} --terms terms.json`))
    await ok(run('genesis verify genesis.json --entry county.entry.json'))
  }))

test('terms that were changed, an entry that is missing or false, and another genesis are refused', () =>
  withFounders(async ({ run, at, read, folder }) => {
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
    write('slower.json', read('terms.json').replace('"deltaMs": ', '"deltaMs": 1'))
    const refused = await run(`genesis build slower.json ${ENTRIES.join(' ')}`)
    assert.equal(refused.code, 8)
    assert.match(refused.stderr, /MOR-2118/)
    for (const name of NAMES)
      assert.match(refused.stderr, new RegExp(`${name}: it was signed under`))

    write('moved.entry.json', read('county.entry.json').replace('127.0.0.1', '10.9.9.9'))
    const moved = await run('genesis build terms.json st-mary.entry.json moved.entry.json')
    assert.match(moved.stderr, /county: its addresses or terms are not those it signed/)
    const broken = await run('genesis build terms.json terms.json')
    assert.equal(broken.code, 3)
    assert.match(broken.stderr, /MOR-2117/)

    await ok(run(`genesis build terms.json ${ENTRIES.slice(0, 3).join(' ')} -o three.json`))
    const missing = await run('genesis verify three.json --entry lakeview.entry.json')
    assert.equal(missing.code, 8)
    assert.match(missing.stderr, /MOR-2120/)
    await ok(run(`genesis build terms.json ${ENTRIES.join(' ')}`))
    const differing = await run('genesis diff three.json genesis.json')
    assert.equal(differing.code, 8)
    assert.match(differing.stdout, /organisations\[lakeview\]\.organisation\.id +- +"lakeview"/)
    const other = await run(
      `genesis build terms.json ${ENTRIES.join(' ')} --digest ${'0'.repeat(64)}`,
    )
    assert.match(other.stderr, /MOR-2125/)

    const keyless = await at('nobody', 'genesis sign terms.json')
    assert.equal(keyless.code, 3)
    assert.match(keyless.stderr, /MOR-101\d/)
    assert.equal((await run('genesis new --name Coast!')).code, 2)
    assert.equal((await run('genesis new --name coast --time yesterday -o x.json')).code, 2)
    assert.match((await run('genesis new --name coast --set deltaMs=x')).stderr, /MOR-3046/)
  }))

test('founders take the bundle, their nodes find each other, and a newcomer joins by the same file', () =>
  withFounders(async ({ run, at, read, folder, ports }) => {
    await ok(run(`genesis build terms.json ${ENTRIES.join(' ')}`))
    const digest = JSON.parse(await ok(run('genesis verify genesis.json --json'))).digest
    await ok(at('st-mary', 'network join genesis.json'))
    const entries = ENTRIES.map((file) => `--entry ${file}`).join(' ')
    writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\nx\n')
    await ok(at('st-mary', `network invite ${entries} --ca ca.pem`))
    for (const name of NAMES) {
      const stdout = await ok(at(name, `network join bundle.json --genesis-digest ${digest}`))
      assert.match(stdout, /signed by +st-mary/)
      assert.match(stdout, new RegExp(`\n${name} is a founder`))
      const genesis = join(folder, name, 'config', 'genesis.json')
      assert.equal(statSync(genesis).mode & 0o777, 0o444)
      assert.equal(read(`${name}/config/ca.pem`), read('ca.pem'))
    }

    const stdout = await ok(
      at(
        'newport',
        `init --name newport --network bundle.json --profile test --no-encrypt --genesis-digest ${digest} --json`,
      ),
    )
    const { joinLine }: { joinLine: string } = JSON.parse(stdout)
    assert.equal(parseJoinLine(joinLine).admission.organisation.id, 'newport')
    const config = read('newport/config/mooring.toml')
    for (const port of ports.values()) assert.ok(config.includes(`/ip4/127.0.0.1/tcp/${port}/p2p/`))

    const nodes = []
    try {
      for (const name of NAMES) {
        const flags = {
          'p2p.listen': `/ip4/127.0.0.1/tcp/${ports.get(name)}`,
          'http.listen': '127.0.0.1:0',
          'log.level': 'silent',
        }
        nodes.push(
          await startNode(await loadNodeOptions({ home: join(folder, name), flags, env: {} })),
        )
      }
      const [first] = nodes
      assert.ok(first)
      const end = Date.now() + 20_000
      while (first.height() < 2 && Date.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 50))
      assert.ok(first.height() >= 2, 'the network that was founded makes blocks')
      assert.equal((await createClient(first.api).network()).genesisDigest, digest)
    } finally {
      for (const node of nodes) await node.close()
    }
  }))

test('a bundle that was changed, is of another network, or comes from nowhere is refused', () =>
  withFounders(async ({ run, at, read, folder }) => {
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
    await ok(run(`genesis build terms.json ${ENTRIES.join(' ')}`))
    await ok(run(`genesis build terms.json ${ENTRIES.slice(1).join(' ')} -o other.json`))
    await ok(at('county', 'network join genesis.json'))
    await ok(at('county', 'network invite --entry county.entry.json'))
    const init = (source: string, rest = '') =>
      at('fresh', `init --name fresh --profile test --no-encrypt --network ${source} ${rest}`)

    write('evil.json', read('bundle.json').replace('127.0.0.1', '10.66.6.6'))
    const changed = await init('evil.json')
    assert.equal(changed.code, 8)
    assert.match(changed.stderr, /MOR-2121[\s\S]*not as county signed it|not as county signed it/)
    write('torn.json', read('bundle.json').slice(0, -40))
    assert.match((await init('torn.json')).stderr, /MOR-2121/)
    write(
      'renamed.json',
      read('bundle.json').replace(
        '"organisation": "county",\n    "key"',
        '"organisation": "x",\n    "key"',
      ),
    )
    assert.equal((await init('renamed.json')).code, 8)
    assert.match(
      (await init('bundle.json', `--genesis-digest ${'a'.repeat(64)}`)).stderr,
      /MOR-2125/,
    )
    assert.equal((await init('bundle.json', '--signer 123')).code, 2)
    const { stderr } = await init('bundle.json', '--signer 11111111111111111111111111111111')
    assert.match(stderr, /MOR-2122/)
    assert.match((await at('county', 'network join other.json')).stderr, /MOR-2124/)
    assert.match((await init('http://127.0.0.1:1/bundle.json')).stderr, /MOR-2123/)

    const server = createServer((request, response) => {
      const file = /^\/((?:bundle|genesis)\.json)$/.exec(request.url ?? '')?.[1]
      if (file !== undefined) response.end(read(file))
      else if (request.url === '/moved') response.writeHead(302, { location: '/bundle.json' }).end()
      else response.end(Buffer.alloc(3 << 20))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const url = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
    assert.match((await init(`${url}/endless`)).stderr, /MOR-2123/)
    assert.match((await init(`${url}/moved`)).stderr, /MOR-2123/)
    for (const file of ['bundle.json', 'genesis.json']) {
      const refused = await init(`${url}/${file}`)
      assert.equal(refused.code, 8)
      assert.match(refused.stderr, /MOR-2126/)
    }
    assert.match((await at('county', `network join ${url}/bundle.json`)).stderr, /MOR-2126/)
    const { digest } = JSON.parse(await ok(run('genesis verify genesis.json --json')))
    const told = `--genesis-digest ${digest}`
    const known = await init(`${url}/bundle.json`, told)
    assert.match(known.stdout, /Send this line to a member/)
    assert.doesNotMatch(known.stderr, /compare it with a member/)
    const byItself = await at(
      'other',
      'init --name other --profile test --no-encrypt --network bundle.json',
    )
    assert.equal(byItself.code, 0, byItself.stderr)
    assert.match(byItself.stderr, new RegExp(`digest is ${digest}: compare it with a member`))
    const unchecked = await ok(at('county', 'network join bundle.json'))
    assert.match(unchecked, /signed by +county, by its own word: compare the digest with a member/)
    assert.match(await ok(at('county', `network join bundle.json ${told}`)), /signed by +county$/m)
    server.closeAllConnections()
    server.close()
  }))

test.run()
