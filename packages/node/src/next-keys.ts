// The key that comes after the one in use: made and fsynced beside it before anybody is told of it, and
// put in its place only once the chain names it.
//
//   keys/consensus.json        in use
//   keys/consensus.next.json   proposed, or about to be
//
// A crash between any two steps leaves both keys; whoever comes next finds the same next key again, so
// that a proposal made twice asks for the same thing. A key that is replaced is gone for good, as a key
// that is retired should be. Only the seal key is kept: it still opens what was sealed to it. A next key is
// sealed where the one before it is.

import { copyFile, link, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { isThere, syncFolder } from './durable-files.ts'
import {
  createKeyPair,
  type FoundKey,
  type KeyDuty,
  type PublicHalf,
  randomSeed,
  readKeyFile,
  readPublicHalf,
  writeKeyFile,
} from './keys.ts'
import type { SeedLock } from './seed-lock.ts'

const SUFFIX = /(?:\.json)?$/
const RETIRED = /^\.[0-9a-f]{8}\.json$/

export function nextKeyPath(path: string): string {
  return path.replace(SUFFIX, '.next.json')
}

function retiredKeyPath(path: string, { publicKey }: PublicHalf): string {
  return path.replace(SUFFIX, `.${toHex(publicKey.subarray(0, 4))}.json`)
}

/** Keys that were in use at `path` and are kept. */
export async function findRetiredKeys(
  path: string,
  duty: KeyDuty,
  lock?: SeedLock,
): Promise<KeyPair[]> {
  const found: KeyPair[] = []
  for (const file of await retiredKeyPaths(path)) found.push(await readKeyFile(file, duty, lock))
  return found
}

export async function retiredKeyPaths(path: string): Promise<string[]> {
  const folder = dirname(path)
  const name = basename(path).replace(SUFFIX, '')
  return (await readdir(folder))
    .filter((file) => file.startsWith(name) && RETIRED.test(file.slice(name.length)))
    .toSorted()
    .map((file) => join(folder, file))
}

/** The next key that waits beside the key file `path`, if there is one. */
export async function findNextKey(
  path: string,
  duty: KeyDuty,
  lock?: SeedLock,
): Promise<KeyPair | undefined> {
  const next = nextKeyPath(path)
  return (await isThere(next)) ? readKeyFile(next, duty, lock) : undefined
}

/** What can be seen of it without its passphrase. */
export async function findNextHalf(path: string, duty: KeyDuty): Promise<FoundKey | undefined> {
  const next = nextKeyPath(path)
  return (await isThere(next)) ? readPublicHalf(next, duty) : undefined
}

/** The next key, made unless it waits already; durable when this returns. */
export async function prepareNextKey(
  path: string,
  duty: KeyDuty,
  { created, lock }: { created: Date; lock?: SeedLock },
): Promise<{ keyPair: KeyPair; isNew: boolean }> {
  const found = await findNextKey(path, duty, lock)
  if (found !== undefined) return { keyPair: found, isNew: false }
  // Opened, so that a wrong passphrase is found before anything is made with it.
  if (await isThere(path)) await readKeyFile(path, duty, lock)
  const next = nextKeyPath(path)
  const draft = `${next}.new`
  // What a crash left half-written was shown to nobody.
  await rm(draft, { force: true })
  const keyPair = createKeyPair(duty, randomSeed())
  const sealing = lock?.isUsed === true ? lock : null
  await writeKeyFile(draft, duty, keyPair, { created, lock: sealing })
  await rename(draft, next)
  await syncFolder(dirname(next))
  return { keyPair, isNew: true }
}

/** The next key becomes the key, in one step; for when the chain names it. */
export async function adoptNextKey(path: string, duty: KeyDuty, lock?: SeedLock): Promise<KeyPair> {
  const keyPair = await readKeyFile(nextKeyPath(path), duty, lock)
  await promoteNextKey(path, duty)
  return keyPair
}

/** The same for whoever needs its file alone. */
export async function promoteNextKey(path: string, duty: KeyDuty): Promise<void> {
  if (duty === 'seal' && (await isThere(path))) await retire(path, duty)
  await rename(nextKeyPath(path), path)
  await syncFolder(dirname(path))
}

async function retire(path: string, duty: KeyDuty): Promise<void> {
  const retired = retiredKeyPath(path, await readPublicHalf(path, duty))
  if (await isThere(retired)) return
  try {
    await link(path, retired)
  } catch {
    // A file system without hard links.
    await copyFile(path, retired)
  }
}
