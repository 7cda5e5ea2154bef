// The home of a node: what is where, who may read it. Made by `init`, checked at every start, so that
// a key that others can read is found before it is used.

import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeError } from './node-error.ts'

export type HomePaths = {
  home: string
  config: string
  configFile: string
  genesisFile: string
  // The line by which the organisation asked to be admitted.
  joinFile: string
  keys: string
  data: string
  // Beside data/, not inside it: the vote journal survives every reset of the databases.
  guard: string
  snapshots: string
  run: string
  logs: string
}

export function homePaths(home: string): HomePaths {
  return {
    home,
    config: join(home, 'config'),
    configFile: join(home, 'config', 'mooring.toml'),
    genesisFile: join(home, 'config', 'genesis.json'),
    joinFile: join(home, 'config', 'join.txt'),
    keys: join(home, 'keys'),
    data: join(home, 'data'),
    guard: join(home, 'guard'),
    snapshots: join(home, 'snapshots'),
    run: join(home, 'run'),
    logs: join(home, 'logs'),
  }
}

export async function createHome(home: string): Promise<HomePaths> {
  const paths = homePaths(home)
  const folders = [home, paths.config, paths.keys, paths.data, paths.guard, paths.run, paths.logs]
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 })
  return paths
}

async function modeOf(path: string): Promise<{ mode: number; uid: number } | undefined> {
  try {
    const { mode, uid } = await lstat(path)
    return { mode: mode & 0o777, uid }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

// A group may look into the home itself, which images install as 0750; keys and guard are ours alone.
export async function checkHome(home: string): Promise<void> {
  const paths = homePaths(home)
  const limits: [path: string, forbidden: number][] = [
    [paths.home, 0o027],
    [paths.keys, 0o077],
    [paths.guard, 0o077],
  ]
  const ownUid = process.getuid?.()
  for (const [path, forbidden] of limits) {
    const found = await modeOf(path)
    if (found === undefined) {
      if (path === paths.home) throw new NodeError('home_missing', { home })
      continue
    }
    if (ownUid !== undefined && ownUid !== 0 && found.uid !== ownUid) {
      throw new NodeError('home_foreign', { path, owner: found.uid, uid: ownUid })
    }
    if ((found.mode & forbidden) !== 0) {
      const wanted = (found.mode & ~forbidden) | 0o700
      const mode = found.mode.toString(8).padStart(4, '0')
      throw new NodeError('home_open', { path, mode, wanted: wanted.toString(8).padStart(4, '0') })
    }
  }
}
