// The first thing two peers tell each other: which network, which genesis, which protocol versions.
//
// The dialler sends its hello and the other side answers with its own, also when they do not match:
// both then know both sides and can say so in one sentence. Nothing else is read from a connection
// before this. `instance` is drawn at start; a connection of another instance belongs to a process
// that is gone.

import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import {
  bytes,
  decode,
  encode,
  equalBytes,
  type Infer,
  list,
  refine,
  text,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import { messageOf, NetworkError } from './errors.ts'
import { readFrame, writeFrame } from './frames.ts'
import type { Limits } from './limits.ts'
import type { PeerHello } from './types.ts'

export const HELLO_PROTOCOL = '/mooring/hello/1'

const INSTANCE_BYTES = 16

/** Goes into logs and onto terminals when it is another network's. */
const networkIdSchema = refine(
  text(64),
  (id) => /^[a-z0-9-]+$/.test(id),
  'a network id of a-z, 0-9 and -',
)

const helloSchema = versioned(1, {
  networkId: networkIdSchema,
  genesisDigest: bytes(32),
  protocolVersions: list(uint(0xffff), 16),
  instance: bytes(INSTANCE_BYTES),
  height: uint(),
})

export type Hello = Infer<typeof helloSchema> & PeerHello

interface Exchange {
  limits: Limits
  signal: AbortSignal
}

export function createInstance(): Uint8Array {
  return new Uint8Array(randomBytes(INSTANCE_BYTES))
}

/** Why these two do not belong together, with both sides named. */
export function checkHello(own: Hello, other: Hello, peer: string): NetworkError | undefined {
  const ownGenesis = toHex(own.genesisDigest)
  const otherGenesis = toHex(other.genesisDigest)
  if (own.networkId !== other.networkId || !equalBytes(own.genesisDigest, other.genesisDigest)) {
    const theirs = `${other.networkId} (genesis ${otherGenesis.slice(0, 16)})`
    const ours = `${own.networkId} (genesis ${ownGenesis.slice(0, 16)})`
    return new NetworkError(
      'wrong_network',
      `${peer} is on network ${theirs}, this node is on ${ours}`,
      { peer, ownNetwork: own.networkId, otherNetwork: other.networkId, ownGenesis, otherGenesis },
    )
  }
  if (!other.protocolVersions.some((version) => own.protocolVersions.includes(version))) {
    const ownVersions = own.protocolVersions.join(', ')
    const otherVersions = other.protocolVersions.join(', ')
    return new NetworkError(
      'wrong_protocol_version',
      `${peer} speaks protocol ${otherVersions || 'none'}, this node speaks ${ownVersions}`,
      { peer, ownVersions, otherVersions },
    )
  }
  return undefined
}

export async function offerHello(
  connection: Connection,
  own: Hello,
  options: Exchange,
): Promise<Hello> {
  const stream = await connection.newStream(HELLO_PROTOCOL, { signal: options.signal })
  await writeHello(stream, own, options)
  const other = await readHello(stream, options)
  await stream.close({ signal: options.signal })
  return other
}

export async function answerHello(stream: Stream, own: Hello, options: Exchange): Promise<Hello> {
  const other = await readHello(stream, options)
  await writeHello(stream, own, options)
  await stream.close({ signal: options.signal })
  return other
}

export function encodeHello(hello: Hello): Uint8Array {
  return encode(helloSchema, hello)
}

export function decodeHello(encoded: Uint8Array, bytesMax: number): Hello {
  try {
    return decode(helloSchema, encoded, bytesMax)
  } catch (error) {
    const message = `the hello is not one of ours: ${messageOf(error)}`
    throw new NetworkError('hello_malformed', message, {}, { cause: error })
  }
}

async function readHello(stream: Stream, { limits, signal }: Exchange): Promise<Hello> {
  const { helloBytesMax } = limits
  return decodeHello(await readFrame(stream, helloBytesMax, signal), helloBytesMax)
}

function writeHello(stream: Stream, own: Hello, { limits, signal }: Exchange): Promise<void> {
  const { writeBytesMax } = limits
  return writeFrame(stream, encodeHello(own), { writeBytesMax, signal })
}
