// The first container of a pod: makes the home on a new volume, and brings the keys that it does not have yet
// from a folder that can only be read. What is there stays, for the network may have renewed it since. No guard
// is made: a node without one asks the others before it votes, also where a volume was lost.
// A key gets its name once all of it is on disk: what was stopped half-way is brought the next time.
//
//   node packages/cli/src/seed-home.ts <folder with keys/>

import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder, writeNewFile } from '@mooring/node/durable-files'
import { createHome } from '@mooring/node/home'

export async function seedHome(home: string, seed: string): Promise<string[]> {
  const { keys } = await createHome(home)
  const brought: string[] = []
  const there = new Set(await readdir(keys))
  // A mounted secret has entries of its own besides, which begin with a dot.
  const names = (await readdir(join(seed, 'keys'))).filter((name) => !name.startsWith('.'))
  for (const name of names.toSorted()) {
    if (there.has(name)) continue
    await bring(join(seed, 'keys', name), join(keys, name))
    brought.push(name)
  }
  return brought
}

async function bring(source: string, target: string): Promise<void> {
  const bytes = await readFile(source)
  const draft = `${target}.part`
  await rm(draft, { force: true })
  await writeNewFile(draft, bytes)
  await rename(draft, target)
  await syncFolder(dirname(target))
}

if (import.meta.main) {
  const home = process.env['MOORING_HOME'] ?? ''
  const seed = process.argv[2] ?? ''
  if (home === '' || seed === '') throw new TypeError('MOORING_HOME and a folder are needed')
  const brought = await seedHome(home, seed)
  process.stdout.write(
    `${home}: ${brought.length === 0 ? 'nothing' : brought.join(', ')} brought\n`,
  )
}
