import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPTION_ENTRIES } from '@mooring/node'
import { test } from 'uvu'
import { allNotes } from '../src/command-tree.ts'
import { COMPLETED_COMMANDS } from '../src/complete-names.ts'
import { programNote } from '../src/program-note.ts'
import { inWorld, withNode } from './world.ts'

const NOTES = allNotes(await programNote())

function bash(script: string, line: string): string {
  const ended = spawnSync('bash', ['-euo', 'pipefail', '-c', script, 'bash', ...line.split(' ')], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '' },
    timeout: 20_000,
  })
  assert.equal(ended.status, 0, ended.stderr)
  return ended.stdout.trim()
}

// What bash would offer for the last word; names of nodes come from a stand-in for the program.
async function offered(line: string): Promise<string[]> {
  let script = ''
  await inWorld(async ({ run }) => {
    script = (await run('completion bash')).stdout
  })
  const driver = `${script}
mooring() { echo asked; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_mooring
printf '%s\\n' "\${COMPREPLY[@]}"`
  return bash(driver, line).split('\n')
}

test('acceptance 10: the completion scripts are right for their shells', () =>
  inWorld(async ({ run, folder }) => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await run(`completion ${shell}`)
      assert.equal(code, 0)
      const file = join(folder, shell)
      writeFileSync(file, stdout)
      const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8', timeout: 20_000 })
      // bash is everywhere; the others are checked where somebody has them.
      if (shell !== 'bash' && checked.error !== undefined) continue
      assert.equal(checked.status, 0, checked.stderr)
      assert.equal(checked.stderr, '')
    }
    assert.equal((await run('completion tcsh')).code, 2)
  }))

test('bash completes commands, flags, values and names', async () => {
  assert.deepEqual(await offered('mooring rec'), ['record', 'recovery'])
  assert.deepEqual(await offered('mooring record sub'), ['submit'])
  assert.deepEqual(await offered('mooring --home /x record sub'), ['submit'])
  assert.deepEqual(await offered('mooring init --role '), ['authority', 'observer'])
  assert.deepEqual(await offered('mooring record submit --wait-t'), ['--wait-timeout'])
  assert.ok((await offered('mooring config get ')).includes('asked'))
  assert.ok(!(await offered('mooring record submit ')).includes('asked'))
})

test('every command and every flag is in every script', () =>
  inWorld(async ({ run }) => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout } = await run(`completion ${shell}`)
      for (const { path, options } of NOTES) {
        assert.ok(stdout.includes(path), `${shell}: ${path}`)
        for (const { long } of options) {
          const name = shell === 'fish' ? `-l ${long?.slice(2)}` : long
          assert.ok(name !== undefined && stdout.includes(name), `${shell}: ${path} ${long}`)
        }
      }
    }
  }))

test('names come from the configuration, the catalogue, the devnet and the node', () =>
  withNode(async ({ run, folder, node }) => {
    const names = async (...words: string[]) =>
      (await run(['__complete', '--', ...words])).stdout.trim().split('\n')
    assert.deepEqual(await names('config', 'get', 'p2p.max'), ['p2p.max_peers'])
    assert.equal((await names('config', 'set', '')).length, OPTION_ENTRIES.length)
    assert.ok((await names('explain', 'MOR-101')).includes('MOR-1010'))
    mkdirSync(join(folder, '.devnet', 'default'), { recursive: true })
    const nodes = [0, 1].map((index) => ({ index }))
    const state = JSON.stringify({ version: 1, nodes })
    writeFileSync(join(folder, '.devnet', 'default', 'devnet.json'), state)
    assert.deepEqual(await names('devnet', 'kill', ''), ['0', '1'])
    // A node that does not answer within a moment is not waited for, and this computer may be busy.
    let members = ['']
    for (let tries = 0; tries < 100 && members[0] === ''; tries += 1) {
      members = (await names('member', 'show', '')).toSorted()
    }
    const known = JSON.parse((await run('member list --json')).stdout).items
    assert.deepEqual(members, known.map(({ id }: { id: string }) => id).toSorted())
    assert.equal(node.arrivals, 0)
  }))

test('a shell is never told of an error, and never waits for a node that is not there', () =>
  inWorld(async ({ run }) => {
    const env = { MOORING_ENDPOINT: 'http://127.0.0.1:1' }
    const lines = [['member', 'show', ''], ['nothing', 'such'], [''], ['record', 'get', '--', 'x']]
    for (const words of lines) {
      const { code, stdout, stderr } = await run(['__complete', '--', ...words], { env })
      assert.deepEqual([code, stdout, stderr], [0, '', ''], words.join(' '))
    }
    assert.doesNotMatch((await run('--help')).stdout, /__complete/)
    for (const path of COMPLETED_COMMANDS) {
      assert.ok(
        NOTES.some((note) => note.path === path),
        path,
      )
    }
  }))

test('there is a page of the manual for every command, with what its help has', () =>
  inWorld(async ({ run, folder }) => {
    assert.equal((await run('man -o pages --json')).code, 0)
    const pages = readdirSync(join(folder, 'pages'))
    assert.equal(pages.length, NOTES.length)
    for (const { path, help, options } of NOTES) {
      const name = ['mooring', ...path.split(' ')].filter(Boolean).join('-')
      const page = readFileSync(join(folder, 'pages', `${name}.1`), 'utf8')
      const text = page.replaceAll('\\-', '-').replaceAll('\\e', '\\')
      for (const heading of ['NAME', 'SYNOPSIS', 'EXIT STATUS', 'EXAMPLES']) {
        assert.ok(text.includes(`.SH ${heading}\n`), `${name}: ${heading}`)
      }
      for (const { long = '' } of options) assert.ok(text.includes(long), `${name}: ${long}`)
      assert.ok(help.exits.every((code) => text.includes(`\\fB${code}\\fR`)))
      assert.doesNotMatch(page, /[^\n\x20-\x7e]/)
      assert.doesNotMatch(page, /undefined|\[object/)
    }
    const { stdout } = await run('man record submit')
    assert.equal(stdout, readFileSync(join(folder, 'pages', 'mooring-record-submit.1'), 'utf8'))
    assert.equal((await run('man nothing such')).code, 6)
  }))

test.run()
