// How the commands of a devnet give orders to its nodes: over the admin socket in the home of each.

import { join } from 'node:path'
import type { Client } from '@mooring/api/client'
import { connectClient } from '@mooring/api/node-client'
import { asking } from '../remote-error.ts'
import type { DevnetNodeState } from './state.ts'

const ASK_MS = 10_000

export function ordering<T>(
  node: DevnetNodeState,
  work: (admin: Client['admin']) => Promise<T>,
): Promise<T> {
  const url = `unix:${join(node.home, 'run', 'admin.sock')}`
  const { admin } = connectClient(url, { timeoutMs: ASK_MS })
  return asking({ url, origin: node.name }, ASK_MS, work(admin))
}
