// What holds for every command, whatever it does: nobody sits at a terminal, no node answers, nothing is
// there, and still it ends with a code, says why on stderr alone, and in the form that was asked for.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { allNotes, type CommandNote } from '../src/command-tree.ts'
import { programNote } from '../src/program-note.ts'
import { inWorld, type Ran } from './world.ts'

const NOTES = allNotes(await programNote())
// It makes a network of processes; test/e2e/first-run.test.ts is about it.
const COMMANDS = NOTES.filter(({ path, children }) => children.length === 0 && path !== 'devnet up')
const ENV = { MOORING_ENDPOINT: 'http://127.0.0.1:1' }
const EXIT_CODES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]

// Something for each argument, and for each option that must be given.
function lineOf({ path, usage, arguments: named, options }: CommandNote): string[] {
  const words = named
    .filter(({ name }) => usage.includes(`<${name}`))
    .map(({ choices }) => choices[0] ?? 'x')
  const timed = options.some(({ long }) => long === '--timeout') ? ['--timeout', '2s'] : []
  return [...path.split(' '), ...words, ...timed]
}

// A problem document, after remarks that a person may read.
function problemOf({ stderr }: Ran, line: string): Record<string, unknown> {
  const at = stderr.search(/^\{$/m)
  assert.ok(at >= 0, `${line}: ${stderr}`)
  return JSON.parse(stderr.slice(at))
}

test('acceptance 10: without a terminal and without a node every command ends and says why', () =>
  inWorld(async ({ run }) => {
    let failures = 0
    const bugs: string[] = []
    for (const note of COMMANDS) {
      const words = [...lineOf(note), '--json']
      const line = words.join(' ')
      const ran = await run(words, { env: ENV })
      assert.ok(EXIT_CODES.includes(ran.code), line)
      if (ran.stderr.includes('MOR-1000')) bugs.push(`${line}\n${ran.stderr}`)
      if (ran.code === 0 || ran.stdout !== '') continue
      failures += 1
      const problem = problemOf(ran, line)
      assert.equal(problem['exitCode'], ran.code, line)
      assert.match(String(problem['type']), /^\/errors\/MOR-\d{4}$/, line)
    }
    assert.deepEqual(bugs, [])
    assert.ok(failures > COMMANDS.length / 2, `${failures} of ${COMMANDS.length}`)
  }))

test('acceptance 10: an option that is not there is a usage error of every command', () =>
  inWorld(async ({ run }) => {
    for (const { path } of COMMANDS) {
      const { code, stdout, stderr } = await run([...path.split(' '), '--bogus-option'])
      assert.equal(code, 2, path)
      assert.equal(stdout, '', path)
      assert.match(stderr, /MOR-1002/, path)
    }
  }))

test('acceptance 10: NO_COLOR and --no-color are honoured on a terminal', () =>
  inWorld(async ({ run }) => {
    for (const note of COMMANDS) {
      const plain = await run(lineOf(note), { env: { ...ENV, NO_COLOR: '1' }, isTty: true })
      assert.ok(!`${plain.stdout}${plain.stderr}`.includes('\u001b['), note.path)
    }
  }))

test('acceptance 10: what a command declares as its exit codes is a code that there is', () => {
  for (const { path, help } of NOTES) {
    for (const code of help.exits) assert.ok([...EXIT_CODES, 130].includes(code), path)
    assert.equal(new Set(help.exits).size, help.exits.length, path)
  }
})

test.run()
