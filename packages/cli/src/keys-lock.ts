// What opens the key files that a command reads: the passphrase of the home, from where its options say,
// and that of the governance key, which may lie elsewhere under another one.

import { resolve } from 'node:path'
import { homePaths } from '@mooring/node/home'
import { readConfigFile } from '@mooring/node/load-options'
import { newPassphraseFrom, passphraseFrom } from '@mooring/node/passphrase-source'
import { resolveOptions } from '@mooring/node/resolve-options'
import { SeedLock } from '@mooring/node/seed-lock'
import { type Context, configOf, type GlobalOptions, homeOf } from './context.ts'

export type LockOptions = GlobalOptions & { passphraseFile?: string }

export type GovernanceLockOptions = LockOptions & { governancePassphraseFile?: string }

/** Of the keys of the home. */
export async function homeLock(context: Context, options: LockOptions): Promise<SeedLock> {
  const file = await passphraseFileOf(context, options)
  return new SeedLock(passphraseFrom({ ...context, file }), context.passphraseCost)
}

/** Of the governance key: the same, unless another file is named for it. */
export async function governanceLock(
  context: Context,
  options: GovernanceLockOptions,
): Promise<SeedLock> {
  const { governancePassphraseFile: named } = options
  if (named === undefined) return homeLock(context, options)
  const file = resolve(context.cwd, named)
  return new SeedLock(passphraseFrom({ ...context, file }), context.passphraseCost)
}

/** For keys that are made now. */
export function newLock(context: Context, file: string | null): SeedLock {
  return new SeedLock(newPassphraseFrom({ ...context, file }), context.passphraseCost)
}

/** Null when no option names one. */
export async function passphraseFileOf(
  context: Context,
  options: LockOptions,
): Promise<string | null> {
  if (options.passphraseFile !== undefined) return resolve(context.cwd, options.passphraseFile)
  const home = homeOf(context, options)
  const file = await readConfigFile(configOf(context, options) ?? homePaths(home).configFile)
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  const { passphrase_file: named } = values.keys
  return named === '' ? null : resolve(home, named)
}
