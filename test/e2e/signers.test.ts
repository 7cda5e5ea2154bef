// Hospitals that vote through signers, each a process of its own: what is missed while one is away, and
// that it takes no hand at the node when it is back.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { spawnMooring } from './command.ts'
import { type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const starting = startDevnet('-n 2 --signers')

const heightOf = async ({ client }: DevnetNode) => (await client.status()).chain.height

const alarmsOf = async ({ client }: DevnetNode) =>
  (await client.status()).alarms.map(({ code }) => code)

async function pidOf(home: string): Promise<number> {
  const { pid }: { pid: number } = JSON.parse(
    await readFile(join(home, 'run', 'mooring.pid'), 'utf8'),
  )
  return pid
}

test('a node without its signer waits and says so, and goes on when it is back', async () => {
  const devnet = await starting
  const node = nodeAt(devnet, 0)
  const home = join(node.home, 'signer')
  const key = await readFile(join(node.home, 'keys', 'consensus.json'), 'utf8')
  assert.match(key, /"seed": null/)
  process.kill(await pidOf(home), 'SIGKILL')
  await eventually('an alarm', 60_000, async () =>
    (await alarmsOf(node)).includes('signer_unreachable') ? true : undefined,
  )
  const before = await heightOf(node)
  const signer = spawnMooring(['--home', home, 'signer', 'serve'], devnet.folder)
  signer.stdout.resume()
  try {
    await eventually('blocks', 90_000, async () =>
      (await heightOf(node)) > before + 1 ? true : undefined,
    )
    assert.ok(!(await alarmsOf(node)).includes('signer_unreachable'))
    const status = await devnet.succeed(`--home ${home} signer status --json`)
    const { refused, signed } = JSON.parse(status.stdout)
    assert.equal(refused, 0)
    assert.ok(signed > 0)
  } finally {
    const ended = once(signer, 'exit')
    signer.kill('SIGTERM')
    await ended
  }
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
