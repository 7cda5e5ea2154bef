// Every secret file of a home, and their passing from one passphrase to another.
//
// All of them change or none does: the new files are written beside the old ones, a marker says that they
// are complete, and then each takes the place of the old one. A crash before the marker leaves drafts that
// nobody reads; after it, whoever reads keys next finishes the moves, which takes no passphrase.

import { readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isThere, syncFolder, writeNewFile } from './durable-files.ts'
import { homePaths } from './home.ts'
import { type KeyDuty, keyFileName, readKeyFile, readPublicHalf, writeKeyFile } from './keys.ts'
import { findLocalSecret, keepLocalSecret, recordsSecretPath } from './local-secret.ts'
import { nextKeyPath, retiredKeyPaths } from './next-keys.ts'
import { NodeError } from './node-error.ts'
import type { SeedLock } from './seed-lock.ts'

export interface HomeSecret {
  path: string
  what: KeyDuty | 'records'
}

const MARKER = 'resealing.json'
const resealed = (path: string) => `${path}.resealed`

/** @param keyPaths of the key in use of each duty; those that follow or came before lie beside it. */
export async function findHomeSecrets(
  home: string,
  keyPaths: Readonly<Partial<Record<KeyDuty, string>>>,
): Promise<HomeSecret[]> {
  const { keys } = homePaths(home)
  const paths = { governance: join(keys, keyFileName('governance')), ...keyPaths }
  const found: HomeSecret[] = []
  for (const what of ['governance', 'consensus', 'transport', 'anchor', 'seal'] as const) {
    const path = paths[what]
    if (path === undefined) continue
    const before = (await isThere(dirname(path))) ? await retiredKeyPaths(path) : []
    for (const each of [path, nextKeyPath(path), ...before]) {
      if (await hasSecret(each, what)) found.push({ path: each, what })
    }
  }
  const records = recordsSecretPath(home)
  if (await isThere(records)) found.push({ path: records, what: 'records' })
  return found
}

/**
 * Seals all of these files anew. @returns how many of them lay open before
 * @throws NodeError when the old passphrase is wrong; then nothing has changed
 */
export async function resealSecrets(
  home: string,
  secrets: readonly HomeSecret[],
  { from, to }: { from: SeedLock; to: SeedLock },
): Promise<{ sealedBefore: number }> {
  await finishResealing(home)
  let sealedBefore = 0
  for (const { path, what } of secrets) {
    const draft = resealed(path)
    await rm(draft, { force: true })
    if (what === 'records') {
      const secret = await findLocalSecret(path, from)
      if (secret !== undefined) await keepLocalSecret(draft, secret, to)
      sealedBefore += (await readFile(path, 'utf8')).startsWith('{') ? 1 : 0
      continue
    }
    const { form, created } = await readPublicHalf(path, what)
    const key = await readKeyFile(path, what, from)
    await writeKeyFile(draft, what, key, { created: new Date(created), lock: to })
    if (form === 'sealed') sealedBefore += 1
  }
  const marker = markerPath(home)
  await writeNewFile(`${marker}.new`, JSON.stringify(secrets.map(({ path }) => path)))
  await rename(`${marker}.new`, marker)
  await syncFolder(dirname(marker))
  await finishResealing(home)
  return { sealedBefore }
}

/** What a crash has left half-done. */
export async function finishResealing(home: string): Promise<void> {
  const marker = markerPath(home)
  await rm(`${marker}.new`, { force: true })
  if (!(await isThere(marker))) return
  const paths: unknown = JSON.parse(await readFile(marker, 'utf8'))
  if (!Array.isArray(paths)) {
    throw new NodeError('key_malformed', { path: marker, detail: 'it is no list of files' })
  }
  for (const path of paths.map(String)) {
    if (!(await isThere(resealed(path)))) continue
    await rename(resealed(path), path)
    await syncFolder(dirname(path))
  }
  await rm(marker, { force: true })
  await syncFolder(dirname(marker))
}

async function hasSecret(path: string, duty: KeyDuty): Promise<boolean> {
  if (!(await isThere(path))) return false
  return (await readPublicHalf(path, duty)).form !== 'elsewhere'
}

const markerPath = (home: string) => join(homePaths(home).keys, MARKER)
