// The home of a hospital that is alone in its network, with some blocks, stopped.

import assert from 'node:assert/strict'
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import {
  createDevnet,
  findPortBlock,
  loadNodeOptions,
  startNode,
  writeDevnetConfigs,
} from '@mooring/node'
import { inWorld, type Ran, type World } from './world.ts'

export interface Home extends World {
  home: string
  start: () => Promise<Awaited<ReturnType<typeof startNode>>>
}

export function answer(ran: Ran): Record<string, unknown> {
  assert.equal(ran.code, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

/** A hospital alone with some blocks, stopped. */
export function withHome(scenario: (home: Home) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const { basePort } = await findPortBlock(0, 1)
    const devnet = await createDevnet({
      dir: join(world.folder, 'net'),
      nodes: 1,
      basePort,
      name: 'alone',
      heartbeatMs: 50,
      parameters: { expiryWindowMs: 1_500, snapshotInterval: 1_000_000 },
    })
    await writeDevnetConfigs(devnet)
    const home = devnet.nodes[0]?.home ?? ''
    const start = async () =>
      startNode(await loadNodeOptions({ home, flags: { 'log.level': 'error' }, env: {} }))
    await reach(start, 45)
    await scenario({ ...world, home, start })
  })
}

/** A copy of a folder is as open as the user's other files are. */
export function copyHome(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  for (const folder of [to, join(to, 'keys'), join(to, 'guard')]) chmodSync(folder, 0o700)
}

export async function reach(start: Home['start'], height: number): Promise<void> {
  const node = await start()
  const until = Date.now() + 30_000
  while (node.height() < height && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20))
  await node.close()
}
