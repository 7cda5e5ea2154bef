// What a computer does to a node, with real processes over one home: no descriptors left, a port that is
// taken, a second node in the same home.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '@mooring/node'
import { test } from 'uvu'

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')
const PATIENCE_MS = 45_000

type Ended = { code: number | null; stdout: string; stderr: string }

interface Running {
  ended: Promise<Ended>
  /** Resolves when that was said on stdout. */
  said: (words: string) => Promise<void>
  kill: (signal: NodeJS.Signals) => void
}

/** `prefix` is what a shell does before it becomes the node. */
function start(home: string, prefix: string): Running {
  const command = [process.execPath, MAIN, '--home', home, 'start']
  const child = spawn('/bin/sh', ['-c', `${prefix} exec "$@"`, 'sh', ...command])
  const output = { stdout: '', stderr: '' }
  const waiting = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      for (const look of waiting) look()
    })
  }
  const { promise: ended, resolve } = Promise.withResolvers<Ended>()
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  child.once('close', (code) => {
    clearTimeout(timer)
    resolve({ code, ...output })
  })
  const said = async (words: string): Promise<void> => {
    const { promise, resolve: found } = Promise.withResolvers<void>()
    const look = (): void => {
      if (output.stdout.includes(words)) found()
    }
    waiting.add(look)
    look()
    await Promise.race([promise, ended])
    assert.ok(output.stdout.includes(words), output.stderr)
  }
  return { ended, said, kill: (signal) => child.kill(signal) }
}

async function withHome(
  scenario: (world: { home: string; basePort: number }) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'mooring-faults-'))
  try {
    const { basePort } = await findPortBlock(0, 1)
    const devnet = await createDevnet({ dir, nodes: 1, basePort, name: 'x', heartbeatMs: 200 })
    await writeDevnetConfigs(devnet)
    await scenario({ home: devnet.nodes[0]?.home ?? '', basePort })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('no descriptors left, a port that is taken, a home that is in use: each is told, and leaves nothing behind', () =>
  withHome(async ({ home, basePort }) => {
    const starved = await start(home, 'ulimit -n 30;').ended
    assert.equal(starved.code, 1, starved.stderr)
    assert.match(starved.stderr, /^error: the process may open no more files \(MOR-1206\)/m)
    assert.equal(starved.stdout, '')

    const other = createServer().listen(basePort + 1, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { code, stderr } = await start(home, '').ended
    assert.notEqual(code, 0)
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${basePort + 1}`))
    assert.match(stderr, /MOR-\d{4}/)
    other.close()
    const node = start(home, '')
    await node.said('node started')

    const second = await start(home, '').ended
    assert.equal(second.code, 10)
    const pid: number = JSON.parse(readFileSync(join(home, 'run', 'mooring.pid'), 'utf8')).pid
    assert.match(second.stderr.replaceAll(/\s+/g, ' '), new RegExp(`mooring pid ${pid} `))
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
    assert.deepEqual(
      readdirSync(join(home, 'run')).filter((name) => /\.(pid|sock)$/.test(name)),
      [],
    )
  }))

test.run()
