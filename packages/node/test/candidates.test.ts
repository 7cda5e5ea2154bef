// A hospital that asks to join, as itself and the members see it: a stranger, a candidate, a member.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { decodeTransaction } from '@mooring/ledger'
import { test } from 'uvu'
import { createDevnet, createNewcomer, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { homePaths } from '../src/home.ts'
import { readKeyFile } from '../src/keys.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { type RunningNode, startNode } from '../src/node.ts'
import { approvalOf, proposalOf } from './cluster-members.ts'

async function until<T>(read: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = Date.now() + 30_000
  while (Date.now() < end) {
    const value = await read()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited for ${what}`)
}

test('a newcomer says how far its admission is, follows the chain before it, and is a member after', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-candidate-'))
  const running: RunningNode[] = []
  try {
    const { basePort } = await findPortBlock(0, 5)
    const devnet = await createDevnet({ dir, basePort, nodes: 4, name: 'join', heartbeatMs: 300 })
    const { node, admission } = await createNewcomer(devnet, {
      index: 4,
      firstPort: basePort + 40,
    })
    await writeDevnetConfigs({ ...devnet, nodes: [...devnet.nodes, node] })
    const clients: ReturnType<typeof createClient>[] = []
    for (const { home } of [...devnet.nodes, node]) {
      const flags = { 'log.level': 'silent' }
      const started = await startNode(await loadNodeOptions({ home, flags, env: {} }))
      running.push(started)
      clients.push(createClient(started.api))
    }
    const [first, second, third, , newcomer] = clients
    assert.ok(first && second && third && newcomer)
    const said = async (words: RegExp) => {
      const { alarms, chain } = await newcomer.status()
      return alarms.some(({ detail }) => words.test(detail)) ? chain.height : undefined
    }
    const height = await until(
      () => said(/^hospital-4 is waiting for admission: no member has proposed it yet\. Send/),
      'a stranger to say so',
    )
    assert.equal(height, 0)

    const governance = (index: number) => {
      const { keys } = homePaths(join(dir, `hospital-${index}`))
      return readKeyFile(join(keys, 'governance.json'), 'governance')
    }
    const change = { kind: 'admit', body: admission } as const
    const proposal = proposalOf(devnet.genesisDigest, 'hospital-0', await governance(0), change)
    await first.submitTransaction(proposal, { waitMs: 10_000 })
    const { id } = decodeTransaction(proposal, devnet.genesisDigest)
    const approve = async (client: typeof first, index: number): Promise<void> => {
      const approval = approvalOf(
        devnet.genesisDigest,
        `hospital-${index}`,
        await governance(index),
        id,
      )
      await client.submitTransaction(approval, { waitMs: 10_000 })
    }
    const followed = await until(
      () => said(/waiting for admission: 1 of 3 approvals\. Given by hospital-0\.$/),
      'a candidate to count',
    )
    assert.ok(followed > 0)
    await approve(second, 1)
    await until(() => said(/waiting for admission: 2 of 3 approvals/), 'the second approval')
    assert.ok(!(await first.members()).items.some(({ id: member }) => member === 'hospital-4'))
    await approve(third, 2)
    await until(async () => {
      const { alarms } = await newcomer.status()
      const { items } = await newcomer.members()
      const isMember = items.some(({ id: member }) => member === 'hospital-4')
      return isMember && alarms.length === 0 ? true : undefined
    }, 'a member without an alarm')
  } finally {
    for (const each of running) await each.close()
    await rm(dir, { recursive: true, force: true })
  }
})

test.run()
