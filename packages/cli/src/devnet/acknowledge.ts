// The memory of a devnet: whatever one of its nodes acknowledged is written beside it, so that `devnet
// check` can ask for all of it later. Whose node an address is, is known for the devnets of this folder
// and for the one that the home of the command belongs to.

import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import type { Endpoint } from '../endpoint.ts'
import { appendAcknowledged, type DevnetNodeState, readDevnetState } from './state.ts'

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).map((name) => join(folder, name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export async function acknowledge(
  context: Context,
  options: GlobalOptions,
  { endpoint, records }: { endpoint: Endpoint; records: readonly { id: string }[] },
): Promise<void> {
  const folders = await foldersIn(resolve(context.cwd, '.devnet'))
  const ofHome = dirname(resolve(context.cwd, homeOf(context, options)))
  for (const dir of new Set([...folders, ofHome])) {
    const state = await readDevnetState(dir)
    const node = state?.nodes.find((each) => isAt(each, endpoint))
    if (node !== undefined) await remember(context, dir, node, records)
  }
}

function isAt({ api, home }: DevnetNodeState, { url, web }: Endpoint): boolean {
  return api === web || url === `unix:${join(home, 'run', 'admin.sock')}`
}

export async function remember(
  context: Context,
  dir: string,
  { name }: DevnetNodeState,
  records: readonly { id: string }[],
): Promise<void> {
  const at = context.now().toISOString()
  await appendAcknowledged(
    dir,
    records.map(({ id }) => ({ id, node: name, at })),
  )
}
