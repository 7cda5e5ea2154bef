import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'uvu'
import { allNotes } from '../src/command-tree.ts'
import { programNote } from '../src/program-note.ts'
import { inWorld, withNode, type World } from './world.ts'

// What is chosen by name alone: the world's own variable would win.
const UNNAMED = { MOORING_ENDPOINT: '' }

function writeContexts({ folder }: Pick<World, 'folder'>, text: string): void {
  mkdirSync(join(folder, '.config', 'mooring'), { recursive: true })
  writeFileSync(join(folder, '.config', 'mooring', 'contexts.toml'), text)
}

test('a context gives what the command line does not say', () =>
  withNode(async (world) => {
    const { run, url } = world
    writeContexts(
      world,
      `[st-mary]\nendpoint = "${url}"\n[gone]\nendpoint = "http://127.0.0.1:1"\n`,
    )
    assert.equal((await run('member list --context st-mary', { env: UNNAMED })).code, 0)
    const env = { ...UNNAMED, MOORING_CONTEXT: 'gone' }
    const gone = await run('member list', { env })
    assert.equal(gone.code, 4)
    assert.match(gone.stderr, /127\.0\.0\.1:1/)
    // Nearer wins: the flag over the variable, the endpoint over the context.
    assert.equal((await run('member list --context st-mary', { env })).code, 0)
    assert.equal((await run('member list', { env: { MOORING_CONTEXT: 'gone' } })).code, 0)
    assert.equal((await run(`member list --context gone --endpoint ${url}`, { env })).code, 0)
  }))

test('a context that is not there, or not right, is an error that says where', () =>
  withNode(async (world) => {
    const { run } = world
    writeContexts(world, '[st-mary]\nendpoint = "http://x"\n[bad]\nendpiont = "http://x"\n')
    const unknown = await run('member list --context st-mry')
    assert.equal(unknown.code, 6)
    assert.match(unknown.stderr, /MOR-1106/)
    assert.match(unknown.stderr, /Did you\s+mean\s+"st-mary"\?/)
    const bad = await run('member list --context bad')
    assert.equal(bad.code, 3)
    assert.match(bad.stderr, /did\s+you\s+mean\s+"endpoint"\?/)
    writeContexts(world, '[st-mary\n')
    const broken = await run('member list --context st-mary')
    assert.equal(broken.code, 3)
    assert.match(broken.stderr, /MOR-1107/)
    assert.match(broken.stderr, /1:\d+/)
  }))

test('a list is watched until Ctrl-C: the whole answer each time, one document a line', () =>
  withNode(async ({ run }) => {
    const listeners: ((signal: 'SIGINT') => void)[] = []
    const onInterrupt = (listener: (signal: 'SIGINT') => void) => {
      listeners.push(listener)
      return () => undefined
    }
    let asked = 0
    const watched = run('member list --watch --interval 1ms --json', {
      onInterrupt,
      onWrite: () => {
        asked += 1
        if (asked === 3) for (const listener of listeners) listener('SIGINT')
      },
    })
    const { code, stdout, stderr } = await watched
    assert.equal(code, 0, stderr)
    const documents = stdout.trimEnd().split('\n')
    assert.ok(documents.length >= 3)
    assert.equal(new Set(documents).size, 1)
    assert.equal(JSON.parse(documents[0] ?? '').schema, 'mooring/members/v1')
  }))

test('every list and every state of a node can be watched, and what asks a node has a time-out', async () => {
  for (const { path, options } of allNotes(await programNote())) {
    const flags = options.map(({ long }) => long)
    if (flags.includes('--timeout') && /(^| )(list|status)$/.test(path)) {
      assert.ok(flags.includes('--watch'), path)
    }
    if (flags.includes('--interval')) assert.ok(flags.includes('--watch'), path)
  }
})

test('a command that has said nothing for a while says what it waits for, once', () =>
  inWorld(async ({ run }) => {
    // Takes the connection and never answers.
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const env = { MOORING_ENDPOINT: `http://127.0.0.1:${address.port}` }
    const line = 'member list --timeout 500ms'
    try {
      const said = await run(line, { env, patienceMs: 20 })
      assert.equal(said.code, 4)
      assert.match(said.stderr, /^waiting for the node at http:\/\/127\.0\.0\.1:\d+ …\nerror: /)
      const quiet = await run(`${line} -q`, { env, patienceMs: 20 })
      assert.match(quiet.stderr, /^error: /)
      const patient = await run(line, { env, patienceMs: 60_000 })
      assert.match(patient.stderr, /^error: /)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }))

test.run()
