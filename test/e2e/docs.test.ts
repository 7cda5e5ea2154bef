// README and tutorial, as a reader types them: one terminal for the network, another for everything else,
// in a folder that looks like a fresh clone.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { shellBlocks } from '../../scripts/doc-blocks.ts'
import { commandEnvironment, endOf } from './command.ts'
import { createWorkplace } from './devnet.ts'
import { eventually } from './eventually.ts'

const ROOT = process.cwd()
const READY_MS = 150_000
const TYPING_MS = 540_000
const LEFT_OUT = new Set(['.devnet', '.git', 'coverage', '.ci'])

const preparing = createWorkplace()

async function cloned(): Promise<string> {
  const { folder } = await preparing
  for (const name of readdirSync(ROOT)) {
    if (!LEFT_OUT.has(name)) symlinkSync(join(ROOT, name), join(folder, name))
  }
  return folder
}

const blocksOf = (file: string) => shellBlocks(readFileSync(join(ROOT, file), 'utf8'))

function startNetwork(command: string, folder: string) {
  const child = spawn('bash', ['-c', `exec ${command}`], {
    cwd: folder,
    env: commandEnvironment(),
    detached: true,
  })
  let said = ''
  const hear = (chunk: Buffer) => {
    said += chunk.toString('utf8')
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = endOf(child, READY_MS + TYPING_MS)
  return {
    said: () => said,
    stop: async () => {
      // Ctrl-C goes to everything in the terminal.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
      return await ended
    },
  }
}

test('acceptance 16: the commands of README and tutorial do what those say, typed as they stand', async () => {
  const folder = await cloned()
  const [first] = blocksOf('README.md')
  const [install, start = ''] = (first?.lines[0] ?? '').split(' && ')
  assert.deepEqual([install, start], ['npm ci', 'npm run devnet'])
  assert.deepEqual(blocksOf('docs/tutorial.md')[0]?.lines, [start])
  const network = startNetwork(start, folder)
  try {
    await eventually('the network is ready', READY_MS, () => {
      assert.ok(network.said().includes('Stop with Ctrl-C'), network.said())
      return true
    })
    const args = ['scripts/run-docs.ts', 'docs/tutorial.md', '--timeout', String(TYPING_MS / 1_000)]
    const child = spawn(process.execPath, args, { cwd: folder, env: commandEnvironment() })
    const { code, stdout } = await endOf(child, TYPING_MS)
    assert.equal(code, 0, stdout)
    process.stdout.write(stdout)
  } finally {
    await network.stop()
  }
})

test('acceptance 16: every command that README names is there', async () => {
  const { folder } = await preparing
  const manifest: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  const lines = blocksOf('README.md').flatMap((block) => block.lines)
  assert.ok(lines.length > 5)
  for (const line of lines.flatMap((each) => each.split(' && '))) {
    const script = /^npm (?:run )?([\w:]+)(?: -- .*)?$/.exec(line)?.[1]
    if (script !== undefined) assert.ok(script === 'ci' || manifest.scripts[script], line)
    else {
      const child = spawn('bash', ['-c', line], { cwd: folder, env: commandEnvironment() })
      const { code, stderr } = await endOf(child)
      assert.equal(code, 0, `${line}\n${stderr}`)
    }
  }
})

test('it stops and leaves nothing behind', async () => {
  await (await preparing).close()
})

test.run()
