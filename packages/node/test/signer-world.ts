// Signers in this process, each in a home of its own, and connections to them as nodes have them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UnsignedVote, VoteKind } from '@mooring/consensus'
import { type KeyPair, keyPairFromSeed } from '@mooring/crypto'
import { systemClock } from '../src/clock.ts'
import { makeFirstGuard } from '../src/first-guard.ts'
import { createHome } from '../src/home.ts'
import { writeKeyFile } from '../src/keys.ts'
import { createLogger } from '../src/logger.ts'
import { SignerConnection } from '../src/remote-signer.ts'
import { noPassphrase } from '../src/seed-lock.ts'
import { type RunningSigner, startSigner } from '../src/signer.ts'
import type { SignerAddress } from '../src/signer-address.ts'
import type { SignerOptions } from '../src/signer-options.ts'

export const NETWORK = new Uint8Array(32).fill(3)
export const KEY = keyPairFromSeed(new Uint8Array(32).fill(4))

const silent = () => createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })

export interface SignerHome {
  home: string
  options: SignerOptions
}

export class SignerWorld {
  readonly folder: string
  readonly #closers: (() => Promise<void> | void)[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(scenario: (world: SignerWorld) => Promise<void>): Promise<void> {
    // Short: the path of a unix socket has room for some hundred bytes.
    const world = new SignerWorld(await mkdtemp(join(tmpdir(), 'ms-')))
    try {
      await scenario(world)
    } finally {
      for (const close of world.#closers.toReversed()) await close()
      await rm(world.folder, { recursive: true, force: true })
    }
  }

  /** A home with a key that was made now, unless its guard is another matter. */
  async home(name: string, how: HomeHow = {}): Promise<SignerHome> {
    const { key = KEY, network = NETWORK, hasGuard = true, address, clients = [] } = how
    const home = join(this.folder, name)
    const paths = await createHome(home)
    const keyPath = join(paths.keys, 'consensus.json')
    await writeKeyFile(keyPath, 'consensus', key, { created: new Date() })
    if (hasGuard) await makeFirstGuard(paths.guard)
    const options: SignerOptions = {
      home,
      name,
      networkId: 'moor-03030303',
      genesisDigest: network,
      key,
      keyPath,
      lock: noPassphrase(),
      address: address ?? unixAddress(join(paths.run, 'signer.sock')),
      clients,
      dataDir: paths.data,
      guardDir: paths.guard,
      marksPath: null,
      log: { levels: { base: 'silent', modules: {} }, format: 'json', file: null, redact: [] },
    }
    return { home, options }
  }

  async start({ options }: SignerHome, how: { rejoin?: boolean } = {}): Promise<RunningSigner> {
    const logger = silent()
    const signer = await startSigner(options, logger, how)
    this.#closers.push(() => signer.close())
    return signer
  }

  connect(address: SignerAddress, how: ConnectHow = {}): SignerConnection {
    const { network = NETWORK, onRefused } = how
    const connection = new SignerConnection(
      { address, genesisDigest: network },
      { clock: systemClock, logger: silent().module('signer'), ...(onRefused && { onRefused }) },
    )
    this.#closers.push(() => connection.close())
    return connection
  }
}

interface HomeHow {
  key?: KeyPair
  network?: Uint8Array
  hasGuard?: boolean
  address?: SignerAddress
  clients?: readonly string[]
}

interface ConnectHow {
  network?: Uint8Array
  onRefused?: (code: string) => void
}

export function unixAddress(path: string): SignerAddress {
  return { kind: 'unix', path, text: `unix:${path}` }
}

export function voteFor(kind: VoteKind, view: number, block = 'a'): UnsignedVote {
  const subject =
    kind === 'nullify'
      ? { epoch: 0, view, parentView: 0, height: 0, digest: '0'.repeat(64) }
      : { epoch: 0, view, parentView: view - 1, height: view, digest: block.repeat(64) }
  return { kind, subject, signer: 1 }
}

export const always = () => true

export async function eventually(isSo: () => boolean, what: string, timeoutMs = 15_000) {
  const until = Date.now() + timeoutMs
  while (!isSo()) {
    if (Date.now() > until) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
