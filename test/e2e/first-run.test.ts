// What somebody meets who starts it for the first time, on a computer where a port is taken, starts it a
// second time, and ends it with Ctrl-C.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Ended, endOf, runMooring, spawnMooring } from './command.ts'
import { type Board, createWorkplace, succeed } from './devnet.ts'
import { eventually } from './eventually.ts'
import { processesOf } from './leftovers.ts'

const READY_MS = 100_000
const STOP_MS = 60_000

const preparing = createWorkplace()
let foreground: Foreground | undefined
let first: Board | undefined

test('acceptance 1: a taken port is named, the next block used, and all nodes agree', async () => {
  const { folder } = await preparing
  const other = await listenSomewhere()
  const port = portOf(other)
  const started = performance.now()
  foreground = startForeground(['devnet', 'up', '--base-port', String(port)], folder)
  try {
    await foreground.untilSaid('Stop with Ctrl-C', READY_MS)
  } finally {
    other.close()
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const said = foreground.said()
  assert.ok(
    said.includes(`ports ${port} of the block at ${port} are taken: trying the next block`),
    said,
  )
  const steps = [
    /✔ keys, genesis and configs +[\d.]+ s/,
    /✔ 4 nodes started +[\d.]+ s +pids \d+/,
    /✔ connected 12\/12 links/,
    /✔ first block by hospital-[0-3]/,
    /✔ all 4 agree on block \d+ {2}[0-9a-f]{4}…/,
    /^READY {2}try: {2}npx mooring record submit/m,
  ]
  for (const step of steps) assert.match(said, step)
  for (const index of [0, 1, 2, 3]) {
    const api = `http://127.0.0.1:${port + 100 + 10 * index + 1}`
    assert.match(said, new RegExp(`^hospital-${index} +authority +\\d+ +3 +\\d+ +${api}$`, 'm'))
  }
  process.stdout.write(`READY in ${seconds} s\n`)
})

test('acceptance 1: a second up finds it running and changes nothing', async () => {
  const { folder } = await preparing
  first = await boardOf(folder)
  const { stdout, stderr } = await succeed('devnet up', folder)
  assert.match(stderr, /it runs already/)
  assert.match(stdout, /^READY/m)
  const second = await boardOf(folder)
  assert.equal(second.genesisDigest, first.genesisDigest)
  assert.deepEqual(second.nodes.map(pidOf), first.nodes.map(pidOf))
})

test('a home that is in use says which process has it', async () => {
  const { folder } = await preparing
  const [node] = first?.nodes ?? []
  assert.ok(node !== undefined)
  const { code, stdout, stderr } = await runMooring(['--home', node.home, 'start'], folder)
  assert.equal(code, 10, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /MOR-1010/)
  assert.match(stderr, new RegExp(`pid\\s+${node.pid}\\b`))
})

test('acceptance 1: Ctrl-C stops all of it: no process is left, and no lock', async () => {
  const { folder } = await preparing
  assert.ok(foreground !== undefined)
  const { code, stderr } = await foreground.interrupt()
  assert.equal(code, 0, stderr)
  assert.match(stderr, /stopped hospital-0, hospital-1, hospital-2, hospital-3; the data stays in/)
  assert.doesNotMatch(stderr, /was killed/)
  assert.deepEqual(await processesOf(folder), [])
  const { nodes } = await boardOf(folder)
  for (const { home, running } of nodes) {
    assert.equal(running, false)
    assert.equal(existsSync(join(home, 'run', 'mooring.pid')), false)
  }
})

test('Ctrl-C before it is ready leaves nothing either', async () => {
  const { folder } = await preparing
  const starting = startForeground(['devnet', 'up'], folder)
  await starting.untilSaid('4 nodes started', READY_MS)
  const { code, stderr } = await starting.interrupt()
  assert.equal(code, 130, stderr)
  assert.deepEqual(await processesOf(folder), [])
})

test('the next up goes on with the same network and an observer more, and the demo shows a record', async () => {
  const { folder } = await preparing
  const { stdout } = await succeed('devnet up --detach --demo 1 --observers 1', folder)
  assert.match(stdout, /^hospital-4 +observer /m)
  assert.match(stdout, /^patient 1 +\d+ +\d+ +[0-9a-f]{64}$/m)
  assert.match(stdout, /^ {2}npx mooring proof get [0-9a-f]{64} -o proof\.json$/m)
  const board = await boardOf(folder)
  assert.equal(board.genesisDigest, first?.genesisDigest)
  for (const [index, node] of board.nodes.entries()) {
    assert.ok((node.height ?? 0) > (first?.nodes[index]?.height ?? 0), JSON.stringify(node))
  }
})

test('down leaves nothing behind', async () => {
  const { folder, close } = await preparing
  const { stdout } = await succeed('devnet down', folder)
  assert.match(stdout, /stopped hospital-0, hospital-1, hospital-2, hospital-3/)
  await close()
})

type Foreground = {
  said: () => string
  untilSaid: (words: string, timeoutMs: number) => Promise<void>
  interrupt: () => Promise<Ended>
}

function startForeground(args: readonly string[], folder: string): Foreground {
  const child = spawnMooring(args, folder)
  const ended = endOf(child, READY_MS + STOP_MS)
  let said = ''
  const hear = (chunk: Buffer) => {
    said += chunk.toString('utf8')
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  return {
    said: () => said,
    untilSaid: async (words, timeoutMs) => {
      await eventually(`it says "${words}"`, timeoutMs, () => {
        assert.ok(said.includes(words), said)
        return true
      })
    },
    interrupt: () => {
      child.kill('SIGINT')
      return ended
    },
  }
}

async function boardOf(folder: string): Promise<Board> {
  return JSON.parse((await succeed('devnet status --json', folder)).stdout)
}

const pidOf = ({ pid }: Board['nodes'][number]) => pid

// A port that this process holds, in a range where blocks of a devnet fit after it.
async function listenSomewhere(): Promise<Server> {
  for (let port = 23_000; port < 60_000; port += 1_000) {
    const server = createServer()
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (isListening) return server
  }
  return assert.fail('no port is free')
}

function portOf(server: Server): number {
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

test.run()
