// The peers that `--vs` knows, by name.

import { cometbft, findBinary, parseSettings } from './cometbft.ts'
import type { Engine } from './engine.ts'

export interface PeerOptions {
  /** Names, with commas between them. */
  readonly vs: string
  /** Its path; empty: on the PATH. */
  readonly cometbft: string
  /** The path of a build whose store checks signatures; empty: `cometbft-checking` on the PATH, if it is there. */
  readonly checking: string
  /** Settings beyond those that are known to be good. */
  readonly tune: string
}

export function peersNamed({ vs, cometbft: given, checking, tune }: PeerOptions): Engine[] {
  const names = vs.split(',').filter((name) => name !== '')
  return names.map((name) => {
    if (name !== 'cometbft') throw new RangeError(`no peer ${name}; there is: cometbft`)
    const binary = findBinary(name, given)
    if (binary === null)
      throw new Error('cometbft is not on the PATH; --cometbft <path> says where')
    return cometbft({
      binary,
      checking: findBinary(`${name}-checking`, checking),
      extra: parseSettings(tune),
    })
  })
}
