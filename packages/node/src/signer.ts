// One running signer, put together in start order and closed in reverse: the lock of its home, its key, its
// guard, its listener. It has no chain and no network, and needs neither.

import { lockHome } from '@mooring/storage'
import { systemClock } from './clock.ts'
import { openHomeDatabase } from './home-database.ts'
import type { RootLogger } from './logger.ts'
import { machineName } from './machine.ts'
import { SignerGuard } from './signer-guard.ts'
import type { SignerOptions } from './signer-options.ts'
import { startSignerServer } from './signer-server.ts'
import { SignerService } from './signer-service.ts'
import { readVersion } from './version.ts'

export interface RunningSigner {
  /** As a client names it. */
  address: string
  publicKey: Uint8Array
  /** Resolves with the reason when nothing may be signed any more; never when it was closed. */
  failed: Promise<unknown>
  close(): Promise<void>
}

/** @throws an error whose code is in the catalogue; then nothing is left open. */
export async function startSigner(
  options: SignerOptions,
  logger: RootLogger,
  { rejoin = false }: { rejoin?: boolean } = {},
): Promise<RunningSigner> {
  const closers: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne()
  }
  const failure = Promise.withResolvers<unknown>()
  try {
    const { home, name, key, keyPath, lock, genesisDigest, marksPath } = options
    // The kernel's lock on it says that no node and no second signer uses this home.
    const database = await openHomeDatabase(options, 'chain')
    closers.push(() => database.close())
    const user = await lockHome(home, { pid: process.pid, startedAt: Date.now(), name })
    closers.push(() => user.release())
    const { guard, keptAt } = await SignerGuard.open({
      directory: options.guardDir,
      machine: machineName(),
      rejoin,
      ...(marksPath === null ? {} : { marksPath }),
    })
    closers.push(() => guard.close())
    const log = logger.module('signer')
    if (keptAt !== null) log.warn('the old guard was put aside', { path: keptAt })
    const service = new SignerService(
      { version: readVersion(), genesisDigest, key, keyPath, lock },
      { guard, logger: log, now: () => Date.now() },
    )
    const server = await startSignerServer(options, {
      service,
      clock: systemClock,
      logger: log,
      onFatal: failure.resolve,
    })
    closers.push(() => server.close())
    return {
      address: server.address,
      publicKey: key.publicKey,
      failed: failure.promise,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
