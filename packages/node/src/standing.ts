// The parts of a node that hang on its place among the members: the keys it starts with, what it says of
// its readiness, and what the end of an epoch means for itself.

import type { Network } from '@mooring/network'
import type { Agreement } from './agreement.ts'
import { AuthoritySets } from './authority-sets.ts'
import { systemClock } from './clock.ts'
import { checkGuardCovers } from './guard-cover.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger, RootLogger } from './logger.ts'
import { MembershipWatch } from './membership-watch.ts'
import { catalogEntry } from './errors.ts'
import { findNextKey } from './next-keys.ts'
import { consensusKeyNamed, ownIdOf, refuseRemoved, takeNamedKeys } from './own-place.ts'
import { refuseUnspoken } from './protocol.ts'
import { Readiness } from './readiness.ts'
import type { RemoteSigner } from './remote-signer.ts'
import type { Stores } from './stores.ts'

/** Be known by the next transport key, which the chain here does not name yet. */
export type NextTransport = 'next' | undefined

/**
 * With the keys that the chain names; refuses what may not or cannot go on.
 *
 * @throws NodeError, StorageError
 */
export async function ownOptions(
  given: NodeOptions,
  { stores, logger, transport }: { stores: Stores; logger: Logger; transport: NextTransport },
): Promise<NodeOptions> {
  const state = stores.chain.state()
  const { height } = stores.chain.tip
  const options = { ...given, name: ownIdOf(state, given) }
  for (const path of unsealedKeys(options)) {
    const mor = catalogEntry('key_unsealed')?.mor ?? null
    logger.warn('a key lies on the disk in plain text', { code: 'key_unsealed', mor, path })
  }
  refuseRemoved(state, options.name, height)
  refuseUnspoken(state, height + 1)
  const keys = await takeNamedKeys(options, state, logger)
  const next =
    transport === 'next'
      ? await findNextKey(options.keyPaths.transport, 'transport', options.lock)
      : undefined
  const own = { ...options, keys: { ...keys, transport: next ?? keys.transport } }
  checkGuard(own, stores, logger)
  return own
}

/** Of a node that is no trial: the files whose secret half anybody reads who has the disk. */
export function unsealedKeys({
  profile,
  halves,
  keyPaths,
}: Pick<NodeOptions, 'profile' | 'halves' | 'keyPaths'>): string[] {
  if (profile !== 'prod') return []
  return (['consensus', 'transport', 'anchor', 'seal'] as const)
    .filter((duty) => halves[duty].form === 'plain')
    .map((duty) => keyPaths[duty])
}

/** Whoever has lost votes and knows it observes; whoever does not know it must not start. */
function checkGuard(options: NodeOptions, stores: Stores, logger: Logger): void {
  const { amnesia, chain, guard, guardKeptAt, remembered } = stores
  if (guardKeptAt !== null) logger.warn('the old guard was put aside', { path: guardKeptAt })
  const { memory } = amnesia
  if (memory === 'lost' || (memory === 'new' && !amnesia.isUnused)) return
  const known = { marks: remembered.marks, floor: guard.floor }
  const sets = new AuthoritySets(options.genesis, chain)
  checkGuardCovers(chain, known, options.keys.consensus.publicKey, sets)
}

export interface StandingModules {
  agreement: Agreement
  network: Network
  logger: RootLogger
  /** Null where the node has its consensus key itself. */
  signer: Pick<RemoteSigner, 'ready'> | null
  /** The node stops, for this reason. */
  fail: (reason: unknown) => void
}

export interface Standing {
  watch: MembershipWatch
  close(): Promise<void>
}

export function startStanding(
  options: NodeOptions,
  { agreement, network, logger, signer, fail }: StandingModules,
): Standing {
  const { execution, committer, mempool } = agreement
  const shared = { clock: systemClock, logger: logger.module('membership'), onFatal: fail }
  const watch = new MembershipWatch(options, { ...shared, execution, network, onStop: fail })
  const readiness = new Readiness(
    { organisation: options.name, genesisDigest: options.genesisDigest },
    {
      ...shared,
      execution,
      committer,
      mempool,
      bestKnownHeight: () => agreement.bestKnownHeight(),
      connectedOf: (names) =>
        network.peers().filter(({ name, connected }) => connected && names.includes(name)).length,
      keyNamed: (publicKey) => consensusKeyNamed(publicKey, options),
      ...(signer && { signer }),
    },
  )
  const close = async (): Promise<void> => {
    watch.close()
    await readiness.close()
  }
  return { watch, close }
}
