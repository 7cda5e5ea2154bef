// A member whose machine somebody else has, and who knows the protocol `records`: the transport, anchor and
// seal keys of its home, a libp2p node of its own, and questions that no node of ours would ask. Its real
// node is off meanwhile: a member has one connection.

import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { concatBytes, fromHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { defaultLimits } from '@mooring/network'
import { readKeyFile } from '@mooring/node'
import {
  decodeVaultAnswer,
  encodeVaultRequest,
  VAULT_MESSAGE_BYTES_MAX,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFrame, writeFrame } from '../../packages/network/src/frames.ts'
import { createInstance, offerHello } from '../../packages/network/src/hello.ts'
import type { Devnet, DevnetNode } from './devnet.ts'

export type HostileReader = {
  name: string
  anchorKey: KeyPair
  sealKey: KeyPair
  ask: (holder: DevnetNode, request: VaultRequest) => Promise<VaultAnswer>
  close: () => Promise<void>
}

const RECORDS = '/mooring/records/1'
const PROTOCOLS = ['/mooring/urgent/1', '/mooring/bulk/1', '/meshsub/1.2.0']
const ASK_MS = 60_000
const HELLO_MS = 20_000
const WRITE_BYTES_MAX = 64 * 1024

export async function becomeMember(devnet: Devnet, member: DevnetNode): Promise<HostileReader> {
  const key = (duty: 'transport' | 'anchor' | 'seal') =>
    readKeyFile(join(member.home, 'keys', `${duty}.json`), duty)
  const node = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', (await key('transport')).seed),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  for (const protocol of PROTOCOLS) await node.handle(protocol, () => undefined)
  const addresses = await addressesOf(member)
  const connections = new Map<string, Connection>()
  const connect = async (holder: DevnetNode): Promise<Connection> => {
    const open = connections.get(holder.name)
    if (open?.status === 'open') return open
    const connection = await node.dial(multiaddr(addresses.get(holder.peerId) ?? ''))
    const signal = AbortSignal.timeout(HELLO_MS)
    await offerHello(connection, helloOf(devnet), { limits: defaultLimits, signal })
    connections.set(holder.name, connection)
    return connection
  }
  return {
    name: member.name,
    anchorKey: await key('anchor'),
    sealKey: await key('seal'),
    ask: async (holder, request) => await askOver(await connect(holder), request),
    close: async () => await node.stop(),
  }
}

async function askOver(connection: Connection, request: VaultRequest): Promise<VaultAnswer> {
  const signal = AbortSignal.timeout(ASK_MS)
  const stream = await connection.newStream(RECORDS, { signal })
  const limits = { writeBytesMax: WRITE_BYTES_MAX, signal }
  await writeFrame(stream, encodeVaultRequest(request), limits)
  const answer = await readFrame(stream, VAULT_MESSAGE_BYTES_MAX + 1, signal)
  await stream.close({ signal })
  if (answer[0] === 0) return decodeVaultAnswer(answer.subarray(1))
  const code = new TextDecoder().decode(answer.subarray(1))
  return { kind: 'refusal', body: { code, retryAfterMs: 0 } }
}

async function addressesOf({ home }: DevnetNode): Promise<Map<string, string>> {
  const config = await readFile(join(home, 'config', 'mooring.toml'), 'utf8')
  const found = config.matchAll(/\/ip4\/[^"]+\/p2p\/(\w+)/g)
  return new Map([...found].map(([address, peerId = '']) => [peerId, address]))
}

function helloOf({ genesisDigest }: Devnet) {
  const digest = fromHex(genesisDigest)
  return {
    networkId: networkId(digest),
    genesisDigest: concatBytes(digest),
    protocolVersions: [1],
    instance: createInstance(),
    height: 1,
  }
}
