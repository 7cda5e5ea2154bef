// Tokens of a home whose node is stopped.

import { systemClock } from './clock.ts'
import type { HomeOptions } from './load-options.ts'
import { inStoppedHome } from './stopped-home.ts'
import { Tokens } from './tokens.ts'

/** @throws StorageError locked when the node runs */
export function changeTokens<T>(
  options: HomeOptions,
  work: (tokens: Tokens, now: number) => Promise<T>,
): Promise<T> {
  return inStoppedHome({ home: options.home, dataDir: options.storage.dir }, async () => {
    const tokens = await Tokens.open(options.home, () => systemClock.wall())
    return await work(tokens, systemClock.wall())
  })
}
