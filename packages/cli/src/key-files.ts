// Key files of a home as commands make, copy and take over: where they lie, and what seals them.

import { resolve } from 'node:path'
import { homePaths } from '@mooring/node/home'
import { findHomeSecrets, finishResealing } from '@mooring/node/home-secrets'
import { readKeyFile, readPublicHalf, type KeyDuty } from '@mooring/node/keys'
import { readConfigFile } from '@mooring/node/load-options'
import { nextKeyPath } from '@mooring/node/next-keys'
import { NodeError } from '@mooring/node/node-error'
import { resolveOptions } from '@mooring/node/resolve-options'
import type { Profile, SeedLock } from '@mooring/node'
import { type Context, configOf, homeOf } from './context.ts'
import { governanceKeyPath } from './governance.ts'
import { homeLock, type LockOptions, newLock, passphraseFileOf } from './keys-lock.ts'

export type KeyFileOptions = LockOptions & {
  type: KeyDuty
  next?: boolean
  governanceKey?: string
  // False when --no-encrypt was given.
  encrypt?: boolean
}

export type KeyHome = {
  home: string
  profile: Profile
  dataDir: string
  guardDir: string
  // Null: in the guard.
  marksPath: string | null
  paths: Readonly<Record<KeyDuty, string>>
}

/** Also of a home whose configuration is not there yet. */
export async function openKeyHome(
  context: Context,
  options: LockOptions & { governanceKey?: string },
): Promise<KeyHome> {
  const home = homeOf(context, options)
  await finishResealing(home)
  const places = homePaths(home)
  const file = await readConfigFile(configOf(context, options) ?? places.configFile)
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  const { consensus, transport, anchor, seal } = values.keys
  const { signer_state: marks } = values.consensus
  return {
    home,
    profile: values.node.profile,
    dataDir: resolve(home, values.storage.dir),
    guardDir: places.guard,
    marksPath: marks === '' ? null : resolve(home, marks),
    paths: {
      governance: governanceKeyPath(context, options),
      consensus: resolve(home, consensus),
      transport: resolve(home, transport),
      anchor: resolve(home, anchor),
      seal: resolve(home, seal),
    },
  }
}

export function keyPathOf({ paths }: KeyHome, { type, next }: KeyFileOptions): string {
  return next === true ? nextKeyPath(paths[type]) : paths[type]
}

/**
 * What seals a key that comes into the home: the passphrase of the keys that are there, or a new one; null
 * when it is to lie open, which real nodes do not do.
 */
export async function sealingLock(
  context: Context,
  keyHome: KeyHome,
  options: KeyFileOptions,
): Promise<SeedLock | null> {
  const lock = await homeLock(context, options)
  for (const { path, what } of await findHomeSecrets(keyHome.home, keyHome.paths)) {
    if (what === 'records' || (await readPublicHalf(path, what)).form !== 'sealed') continue
    // Opened, so that the passphrase is known to be that of the others.
    await readKeyFile(path, what, lock)
    return lock
  }
  const { profile } = keyHome
  if (options.encrypt !== false) {
    const made = newLock(context, await passphraseFileOf(context, options))
    await made.prepare()
    return made
  }
  if (profile === 'prod') throw new NodeError('keys_must_be_sealed', { profile })
  return null
}
