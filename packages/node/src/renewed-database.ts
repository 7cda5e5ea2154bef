// A database written anew takes the place of the old one in two renames, and the power may fail between
// them. What is complete is therefore called so first, by a rename of its own; whoever opens the home next
// ends what was begun. Before that name the old one is in its place, whole as it was.

import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isThere, syncFolder } from './durable-files.ts'
import { moveToTrash } from './trash.ts'

const RENEWABLE = ['records', 'vault'] as const

export type RenewableName = (typeof RENEWABLE)[number]

/** Where the new one is written; what an earlier attempt left there goes. */
export async function beginRenewal(dataDir: string, name: RenewableName): Promise<string> {
  await finishRenewals(dataDir, new Date())
  const staging = join(dataDir, `${name}.renewing`)
  await rm(staging, { recursive: true, force: true })
  return staging
}

/** It is complete, and closed. Returns where the old one is. */
export async function endRenewal(
  dataDir: string,
  { name, now }: { name: RenewableName; now: Date },
): Promise<string> {
  await rename(join(dataDir, `${name}.renewing`), completeIn(dataDir, name))
  await syncFolder(dataDir)
  return await replace(dataDir, { name, now })
}

/** Ends what was cut short. For who holds the lock of the home, before these databases are opened. */
export async function finishRenewals(dataDir: string, now: Date): Promise<void> {
  for (const name of RENEWABLE) {
    if (!(await isThere(completeIn(dataDir, name)))) continue
    if (await isThere(join(dataDir, name))) await replace(dataDir, { name, now })
    else await putInPlace(dataDir, name)
  }
}

async function replace(
  dataDir: string,
  { name, now }: { name: RenewableName; now: Date },
): Promise<string> {
  const trash = await moveToTrash(dataDir, name, { name, now })
  await putInPlace(dataDir, name)
  return trash
}

async function putInPlace(dataDir: string, name: RenewableName): Promise<void> {
  await rename(completeIn(dataDir, name), join(dataDir, name))
  await syncFolder(dataDir)
}

function completeIn(dataDir: string, name: RenewableName): string {
  return join(dataDir, `${name}.renewed`)
}
