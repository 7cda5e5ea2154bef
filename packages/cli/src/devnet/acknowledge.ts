// The memory of a devnet: whatever one of its nodes acknowledged is written beside it, so that `devnet
// check` can ask for all of it later.

import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Context } from '../context.ts'
import { appendAcknowledged, readDevnetState } from './state.ts'

export async function acknowledge(
  context: Context,
  url: string,
  records: readonly { id: string }[],
): Promise<void> {
  const folder = resolve(context.cwd, '.devnet')
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names) {
    const dir = join(folder, name)
    const state = await readDevnetState(dir)
    const node = state?.nodes.find((each) => each.api === url)
    if (node === undefined) continue
    const at = context.now().toISOString()
    await appendAcknowledged(
      dir,
      records.map(({ id }) => ({ id, node: node.name, at })),
    )
  }
}
