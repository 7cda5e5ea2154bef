// From the home of a signer to the one value that starts it: its consensus key, the genesis of the network
// for which it signs, and where it listens. It needs no other key and no chain.

import { resolve } from 'node:path'
import type { KeyPair } from '@mooring/crypto'
import { systemClock } from './clock.ts'
import { checkHome } from './home.ts'
import { finishResealing } from './home-secrets.ts'
import { readKeyFile } from './keys.ts'
import {
  keysPassphrase,
  type LoadSources,
  type NodeOptions,
  readConfiguration,
  readNetwork,
  refuseProblems,
} from './load-options.ts'
import { NodeError } from './node-error.ts'
import { partOptions } from './part-options.ts'
import { SeedLock } from './seed-lock.ts'
import {
  parseSignerAddress,
  parseSignerPlace,
  type SignerAddress,
  tlsFiles,
} from './signer-address.ts'
import { SignerLink } from './signer-link.ts'
import type { SignerInfo } from './signer-messages.ts'

export interface SignerOptions {
  home: string
  name: string
  networkId: string
  genesisDigest: Uint8Array
  key: KeyPair
  keyPath: string
  lock: SeedLock
  /** Where it listens, with what it shows there. */
  address: SignerAddress
  /** Names in certificates; only over TLS. */
  clients: readonly string[]
  dataDir: string
  guardDir: string
  marksPath: string | null
  log: NodeOptions['log']
}

/** @throws NodeError also when the passphrase of the key is missing or wrong. */
export async function loadSignerOptions(sources: LoadSources): Promise<SignerOptions> {
  const home = resolve(sources.home)
  await checkHome(home)
  await finishResealing(home)
  const configuration = await readConfiguration(sources)
  refuseProblems(configuration)
  const { values } = configuration
  const { genesisDigest, networkId } = await readNetwork(configuration)
  const lock = new SeedLock(keysPassphrase(home, values, sources))
  const keyPath = resolve(home, values.keys.consensus)
  const { storage, consensus, log } = partOptions(home, values)
  const { listen, tls_cert: cert, tls_key: key, client_ca: ca, clients } = values.signer
  const place = parseSignerPlace(home, listen)
  return {
    home,
    name: values.node.name,
    networkId,
    genesisDigest,
    key: await readKeyFile(keyPath, 'consensus', lock),
    keyPath,
    lock,
    address: place.kind === 'unix' ? place : { ...place, tls: tlsFiles(home, { cert, key, ca }) },
    clients,
    dataDir: storage.dir,
    guardDir: storage.guardDir,
    marksPath: consensus.marksPath,
    log,
  }
}

/** The signer that a home speaks of: the one its node asks, or else the one that serves from it. */
export async function findSigner(sources: LoadSources): Promise<SignerAddress> {
  const home = resolve(sources.home)
  const configuration = await readConfiguration(sources)
  refuseProblems(configuration)
  const { keys, signer } = configuration.values
  const asked = parseSignerAddress(home, keys)
  if (asked !== null) return asked
  const place = parseSignerPlace(home, signer.listen)
  if (place.kind === 'unix') return place
  const { signer_cert: cert, signer_key: key, signer_ca: ca } = keys
  return { ...place, tls: tlsFiles(home, { cert, key, ca }) }
}

/** @throws NodeError signer_unreachable, signer_strange */
export async function askSigner(address: SignerAddress): Promise<SignerInfo> {
  const link = await SignerLink.open(address, { clock: systemClock, onDown: () => undefined })
  try {
    const answer = await link.ask({ kind: 'info', body: {} })
    if (answer.kind === 'info') return answer.body
    const { text: signer } = address
    throw new NodeError('signer_strange', { signer, detail: `a ${answer.kind}` })
  } finally {
    link.close()
  }
}
