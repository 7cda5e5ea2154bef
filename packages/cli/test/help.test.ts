import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allErrors } from '@mooring/node'
import type { Command } from 'commander'
import { test } from 'uvu'
import { createProgram } from '../src/program.ts'
import { inWorld } from './world.ts'

const NOTHING = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  stdin: (async function* () {})(),
  env: {},
  cwd: '/',
  now: () => new Date(0),
  onInterrupt: () => () => undefined,
  startNode: () => assert.fail('help starts nothing'),
}

function allPaths(command: Command, path: string[] = []): string[][] {
  const deeper = command.commands.flatMap((each) => allPaths(each, [...path, each.name()]))
  return [path, ...deeper]
}

const PROGRAM = await createProgram(NOTHING, { exitCode: 0 })
const PATHS = allPaths(PROGRAM)

// As it is typed: at the start of a line, after npx, in backticks, after ":   " in an error.
const COMMAND = /(?:^ *|npx |`|: {3}|\$\()mooring(?: --home \S+)?((?: [a-z][a-z-]*)+)/gm

function isCommand(command: Command, [word, ...rest]: string[]): boolean {
  if (command.commands.length === 0 || word === undefined || word === 'help') return true
  const next = command.commands.find((each) => [each.name(), ...each.aliases()].includes(word))
  return next !== undefined && isCommand(next, rest)
}

test('the tree has the commands of this version', () => {
  const names = PATHS.map((path) => path.join(' '))
  const expected =
    'init,start,status,healthcheck,version,explain,genesis show,genesis verify,network info,member list,member show,member history,change propose,change propose admit,change propose promote,change propose demote,change propose remove,change propose parameters,change propose protocol,change approve,change withdraw,change list,change show,change status,upgrade status,upgrade propose,keys list,keys show,keys rotate,record submit,record get,record list,record history,record disclose,grant create,grant show,vault status,vault verify,vault repair,block get,block list,block tail,transaction get,transaction wait,proof get,proof verify,devnet up,devnet down,devnet status,devnet logs,devnet kill,devnet restart,devnet check,devnet env'
  for (const name of expected.split(',')) assert.ok(names.includes(name), name)
})

for (const path of PATHS) {
  test(`acceptance 10: the help of "mooring ${path.join(' ')}" has examples and exit codes`, () =>
    inWorld(async ({ run }) => {
      const { code, stdout, stderr } = await run([...path, '--help'])
      assert.equal(code, 0)
      assert.equal(stderr, '')
      assert.match(stdout, /^Usage: mooring/)
      const examples = /\nExamples:\n((?: {2}.+\n)+)/.exec(stdout)?.[1]?.trimEnd().split('\n') ?? []
      assert.ok(examples.length >= 1, 'no example')
      if (path.length === 2) assert.ok(examples.length >= 2, 'one example only')
      for (const example of examples) assert.match(example, /mooring/)
      assert.match(stdout, /\nExit codes:\n {2}0 {4}done\n {2}1 {4}.*\n {2}2 {4}usage error\n/)
      for (const line of stdout.split('\n'))
        assert.ok(line.length <= 80 || line.includes('moor'), line)
      assert.doesNotMatch(stdout, /undefined|\[object|default: (""|\[\])/)
    }))
}

test('commands are grouped by what a person is doing', () =>
  inWorld(async ({ run }) => {
    const { stdout } = await run('--help')
    for (const group of ['Node:', 'Network:', 'Records:', 'Devnet:']) {
      assert.ok(stdout.includes(`\n${group}\n`), group)
    }
    assert.equal((await run('')).stdout, stdout)
  }))

test('what cannot be used is a usage error, on stderr alone, with exit code 2', () =>
  inWorld(async ({ run }) => {
    const lines = [
      'recrod submit x',
      'record submitt x',
      'record submit',
      'record',
      'status --bogus',
      'status --timeout 5',
      'status --timeout soon',
      'block list --limit many',
      'init --role king',
      'init --name St_Mary',
      'block get 1 2',
      'proof verify p.json --genesis-digest 12',
    ]
    for (const line of lines) {
      const { code, stdout, stderr } = await run(line)
      assert.equal(code, 2, line)
      assert.equal(stdout, '', line)
      assert.notEqual(stderr, '', line)
    }
    const { stderr } = await run('record submitt x')
    assert.match(stderr, /^error: the command line cannot be used \(MOR-1002\)\n/)
    assert.match(stderr, /Did you mean submit\?/)
    assert.match(stderr, /See the options: {3}mooring record --help/)
  }))

test('acceptance 10: with --json an error is one problem document on stderr, and stdout stays empty', () =>
  inWorld(async ({ run }) => {
    for (const line of ['status --bogus --json', 'explain MOR-9999 --json', 'start --json']) {
      const { stdout, stderr, code } = await run(line)
      assert.equal(stdout, '')
      const problem: Record<string, unknown> = JSON.parse(stderr)
      for (const key of ['type', 'title', 'status', 'detail', 'code', 'mor', 'exitCode']) {
        assert.ok(key in problem, `${line}: ${key}`)
      }
      assert.equal(problem['exitCode'], code)
    }
  }))

test('acceptance 11: every error number is explained, in text and as JSON', () =>
  inWorld(async ({ run }) => {
    for (const { entry } of allErrors()) {
      const text = await run(['explain', entry.mor])
      assert.equal(text.code, 0)
      assert.ok(text.stdout.startsWith(`${entry.mor}  ${entry.title}\n`))
      const json = await run(['explain', entry.mor, '--json'])
      const document: Record<string, unknown> = JSON.parse(json.stdout)
      assert.equal(document['mor'], entry.mor)
    }
    assert.equal((await run('explain nothing-such')).code, 6)
    assert.match((await run('explain')).stdout, /^number {4}exit {2}title\nMOR-1000/)
  }))

// A command that is not there is the worst of advice.
test('every command that errors and pages name is one', () => {
  const root = new URL('../../../', import.meta.url).pathname
  const pages = globSync(['README.md', 'docs/**/*.md', 'packages/*/README.md'], { cwd: root })
  const texts = pages.map((page) => readFileSync(join(root, page), 'utf8'))
  for (const { entry } of allErrors()) texts.push(...entry.fix.map((step) => `${step}\n`))
  let count = 0
  for (const text of texts) {
    for (const [line, words = ''] of text.matchAll(COMMAND)) {
      assert.ok(isCommand(PROGRAM, words.trim().split(' ')), line)
      count += 1
    }
  }
  assert.ok(count > 100, `${count} commands`)
})

test('version says what runs, as text and as JSON', () =>
  inWorld(async ({ run }) => {
    const { stdout } = await run('version')
    assert.match(stdout, /^mooring {3}\d+\.\d+\.\d+\nnode {6}24\./)
    const document: Record<string, unknown> = JSON.parse((await run('version --json')).stdout)
    assert.deepEqual(document['protocolVersions'], [1])
    assert.match((await run('--version')).stdout, /^\d+\.\d+\.\d+\n$/)
  }))

test.run()
