// What a network is joined by: a bundle or a bare genesis, from a file or from an address. What comes over
// the wire is bounded, and proves nothing by itself: whoever forges a bundle names the key in its genesis that
// signs it. Only what was told by another way, the digest or the key of the signer, says which network it is.

import { encodeBase58, decodeBase58, CryptoError } from '@mooring/crypto'
import {
  BUNDLE_BYTES_MAX,
  checkBundle,
  type Genesis,
  LedgerError,
  type NetworkBundle,
  parseBundleJson,
  parseGenesisJson,
} from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import type { Context } from './context.ts'
import { refuseOtherDigest, refuseUnfit, rowsOf } from './founding-files.ts'
import { readInput } from './read-input.ts'

const FETCH_MS = 10_000

export type SourceOptions = { genesisDigest?: string; signer?: string }

export type NetworkSource = {
  genesis: Genesis
  peers: string[]
  ca: string | null
  // Who signed the bundle; null for a bare genesis.
  signer: string | null
  // By its digest or the key of its signer, told by another way.
  isTold: boolean
}

export function sourceOptions(command: Command): Command {
  return command
    .option('--genesis-digest <hex>', 'the digest that the genesis must have; ask a member for it')
    .option('--signer <key>', 'key that must have signed the bundle, when its signer joined later')
}

/** @throws NodeError when it cannot be read, does not hold, or is another network than expected. */
export async function readNetworkSource(
  context: Context,
  source: string,
  options: SourceOptions,
): Promise<NetworkSource> {
  const isFetched = /^https?:\/\//.test(source)
  const text = isFetched
    ? await fetchText(source)
    : new TextDecoder().decode(await readInput(context, source, BUNDLE_BYTES_MAX))
  const found = readSource(text, source)
  refuseUnfit(found.genesis, source)
  refuseOtherDigest(found.genesis, options.genesisDigest, source)
  const isSigned = 'signature' in found
  if (isSigned) refuseUnsigned(found, source, options)
  const isTold = options.genesisDigest !== undefined || (isSigned && options.signer !== undefined)
  if (isFetched && !isTold) throw new NodeError('network_not_told', { source })
  if (!isSigned) return { ...found, peers: [], ca: null, signer: null, isTold }
  const { genesis, hints, signer } = found
  return { genesis, peers: hints.peers, ca: hints.ca, signer: signer.organisation, isTold }
}

function readSource(text: string, source: string): NetworkBundle | { genesis: Genesis } {
  const isBundle = /"signer"\s*:/.test(text)
  try {
    return isBundle ? parseBundleJson(text) : { genesis: parseGenesisJson(text) }
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    const rows = rowsOf(error)
    if (isBundle)
      throw new NodeError('bundle_invalid', { source, detail: 'it cannot be read' }, { rows })
    const data = { path: source, detail: 'it cannot be read' }
    throw new NodeError('genesis_invalid', data, { rows, cause: error })
  }
}

function refuseUnsigned(bundle: NetworkBundle, source: string, options: SourceOptions): void {
  const told = options.signer === undefined ? null : parseSigner(options.signer)
  const problem = checkBundle(bundle, told)
  if (problem === undefined) return
  if (problem === 'bad_signature') {
    const detail = `it is not as ${bundle.signer.organisation} signed it`
    throw new NodeError('bundle_invalid', { source, detail })
  }
  const { organisation, key } = bundle.signer
  throw new NodeError('bundle_signer_unknown', { source, organisation, key: encodeBase58(key) })
}

function parseSigner(word: string): Uint8Array {
  try {
    const key = decodeBase58(word)
    if (key.length === 32) return key
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
  }
  throw new NodeError('usage', { detail: `"${word}" is no key.`, command: 'network join ' })
}

async function fetchText(source: string): Promise<string> {
  const unreachable = (detail: string, cause?: unknown) =>
    new NodeError('bundle_unreachable', { source, detail }, { cause })
  let response: Response
  try {
    response = await fetch(source, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' })
  } catch (error) {
    throw unreachable('nobody answers in time', error)
  }
  if (!response.ok || response.body === null) throw unreachable(`the answer is ${response.status}`)
  const pieces: Uint8Array[] = []
  let size = 0
  try {
    for await (const piece of response.body) {
      size += piece.length
      if (size > BUNDLE_BYTES_MAX) break
      pieces.push(piece)
    }
  } catch (error) {
    throw unreachable('the answer broke off', error)
  }
  if (size > BUNDLE_BYTES_MAX) throw unreachable('the answer is larger than any bundle')
  return new TextDecoder().decode(Buffer.concat(pieces))
}
