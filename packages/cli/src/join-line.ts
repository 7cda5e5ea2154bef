// The join line: what a newcomer mails to a member so that it can be proposed. One line of text with its
// entry (name, keys by duty), signed by its governance key for one network, and where its node listens.
// Nothing in it is secret, and nothing but the hint of the address can be changed on the way.

import {
  bytes,
  CodecError,
  decode,
  encode,
  equalBytes,
  type Infer,
  versioned,
} from '@mooring/codec'
import {
  CryptoError,
  decodeBase64url,
  encodeBase64url,
  formatPeerId,
  verify,
} from '@mooring/crypto'
import { addressesSchema, admissionBytes, admissionSchema, networkId } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'

const PREFIX = 'mooring-join-2.'
const BYTES_MAX = 16 * 1024

const joinSchema = versioned(1, {
  genesisDigest: bytes(32),
  admission: admissionSchema,
  /** Multiaddresses without the peer id, which is that of the transport key. */
  addresses: addressesSchema,
})

export type Join = Infer<typeof joinSchema>

export function formatJoinLine(join: Join): string {
  return `${PREFIX}${encodeBase64url(encode(joinSchema, join))}`
}

/** @throws NodeError when it is no join line, or not signed by the newcomer for its network. */
export function parseJoinLine(line: string): Join {
  const words = line.trim()
  if (!words.startsWith(PREFIX)) throw malformed(`It does not start with "${PREFIX}"`)
  const join = decodeJoin(words.slice(PREFIX.length))
  const { genesisDigest, admission } = join
  const { organisation, signature } = admission
  const message = admissionBytes(genesisDigest, organisation)
  if (verify(organisation.keys.governance, message, signature)) return join
  throw malformed('Its signature is not that of the governance key in it')
}

function decodeJoin(encoded: string): Join {
  try {
    return decode(joinSchema, decodeBase64url(encoded), BYTES_MAX)
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof CryptoError)) throw error
    throw malformed('It is damaged, or a part of it is missing')
  }
}

function malformed(detail: string): NodeError {
  return new NodeError('join_line_malformed', { detail })
}

/** The join line of this network, or an error that names both. */
export function checkJoinNetwork({ genesisDigest }: Join, ours: Uint8Array): void {
  if (equalBytes(genesisDigest, ours)) return
  const data = { theirs: networkId(genesisDigest), ours: networkId(ours) }
  throw new NodeError('join_line_foreign', data)
}

/** Addresses as they stand in `[p2p] peers` of the others. */
export function peerAddresses({ admission, addresses }: Join): string[] {
  const peerId = formatPeerId(admission.organisation.keys.transport)
  return addresses.map((address) => `${address.replace(/\/p2p\/.*$/, '')}/p2p/${peerId}`)
}
