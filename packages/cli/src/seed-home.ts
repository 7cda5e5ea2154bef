// The first container of a pod: makes the home on a new volume, and brings the keys that it does not have yet
// from a folder that can only be read. What is there stays, for the network may have renewed it since. No guard
// is made: a node without one asks the others before it votes, also where a volume was lost.
//
//   node packages/cli/src/seed-home.ts <folder with keys/>

import { constants } from 'node:fs'
import { chmod, copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createHome } from '@mooring/node'

export async function seedHome(home: string, seed: string): Promise<string[]> {
  const { keys } = await createHome(home)
  const brought: string[] = []
  // A mounted secret has entries of its own besides, which begin with a dot.
  const names = (await readdir(join(seed, 'keys'))).filter((name) => !name.startsWith('.'))
  for (const name of names.toSorted()) {
    const target = join(keys, name)
    try {
      await copyFile(join(seed, 'keys', name), target, constants.COPYFILE_EXCL)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue
      throw error
    }
    await chmod(target, 0o600)
    brought.push(name)
  }
  return brought
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
