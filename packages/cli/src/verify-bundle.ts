// An exported timeline, checked offline: every resource against the proof that its Provenance carries.

import { createRecordVerifier } from '@mooring/api/verify'
import { toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { NodeError } from '@mooring/node/node-error'
import { type ProvenResource, readTimelineBundle, RecordsError } from '@mooring/records'
import { formatAmount, formatTime, type Output } from './output.ts'

type Proven = { fullUrl: string; organisation: string; height: number; blockTime: number }

const START = /^\s*\{\s*"resourceType"\s*:\s*"Bundle"/

export function isBundle(bytes: Uint8Array): boolean {
  return START.test(new TextDecoder().decode(bytes.subarray(0, 256)))
}

export function verifyBundle(
  bytes: Uint8Array,
  { path, genesisDigest }: { path: string; genesisDigest: Uint8Array },
  output: Output,
): void {
  const invalid = (detail: string, cause?: unknown) =>
    new NodeError('timeline_bundle_invalid', { path, detail }, { cause })
  const resources = read(bytes, invalid)
  const verify = createRecordVerifier({ genesisDigest })
  const anchors = new Map<string, Uint8Array>()
  const proven: Proven[] = []
  const waiting: string[] = []
  for (const { fullUrl, raw, proof } of resources) {
    if (proof === null) {
      waiting.push(fullUrl)
      continue
    }
    // Many share one, and the same bytes are checked once.
    const name = toHex(sha256(proof.anchor))
    const anchor = anchors.get(name) ?? proof.anchor
    anchors.set(name, anchor)
    const result = verify({ ...proof, anchor }, raw)
    if (!result.ok) throw invalid(`${fullUrl}, ${result.failed.name}: ${result.failed.code}`)
    const { height, blockTime } = result
    const organisation = result.anchor?.organisation ?? ''
    proven.push({ fullUrl, organisation, height, blockTime })
  }
  if (output.isJson) {
    output.json({ schema: 'mooring/bundle-verification/v1', ok: true, proven, waiting })
    return
  }
  const hospitals = new Set(proven.map(({ organisation }) => organisation)).size
  const latest = Math.max(0, ...proven.map(({ blockTime }) => blockTime))
  const many = `${formatAmount(proven.length, 'record')} of ${formatAmount(hospitals, 'hospital')}`
  output.text(`${output.good('VERIFIED')}  ${many}, the newest final on ${formatTime(latest)}`)
  if (waiting.length > 0)
    output.note(`${formatAmount(waiting.length, 'record')} waited for a block, and have no proof`)
}

function read(
  bytes: Uint8Array,
  invalid: (detail: string, cause: unknown) => NodeError,
): ProvenResource[] {
  try {
    return readTimelineBundle(bytes)
  } catch (error) {
    if (error instanceof RecordsError) throw invalid(error.message, error)
    throw error
  }
}
