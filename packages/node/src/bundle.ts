// A debug bundle: what somebody who helps from afar needs to see, as one archive with a manifest that says
// what is in it, by digest, and what was left out and why. Each part is small and bounded; one that cannot be
// had is named with the reason, and keeps nothing else out.

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'

const PART_BYTES_MAX = 16 * 1024 * 1024

export interface BundlePart {
  name: string
  /** Text is redacted; a document becomes JSON. */
  read: () => unknown
}

export interface LeftOut {
  what: string
  why: string
}

export interface BundleTerms {
  node: string
  version: string
  madeAt: string
  leftOut: readonly LeftOut[]
  /** Null: as it is. */
  redact: ((text: string) => string) | null
}

interface Packed {
  name: string
  text: string
}

const REDACTED_TOO: LeftOut = {
  what: 'addresses, names of computers and folders, keys, tokens, identifiers',
  why: 'replaced in every file; --no-redact keeps them',
}

export async function* createBundle(
  parts: readonly BundlePart[],
  terms: BundleTerms,
): AsyncGenerator<Uint8Array> {
  const packed: Packed[] = []
  const missing: { name: string; reason: string }[] = []
  for (const part of parts) {
    try {
      packed.push({ name: part.name, text: shown(textOf(await part.read()), terms) })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      missing.push({ name: part.name, reason: shown(reason, terms) })
    }
  }
  yield* archived([{ name: 'manifest.json', text: manifestOf(packed, missing, terms) }, ...packed])
}

function manifestOf(
  packed: readonly Packed[],
  missing: readonly { name: string; reason: string }[],
  { node, version, madeAt, leftOut, redact }: BundleTerms,
): string {
  const files = packed.map(({ name, text }) => ({
    name,
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  }))
  return textOf({
    schema: 'mooring/bundle/v1',
    node,
    version,
    madeAt,
    redacted: redact !== null,
    files,
    missing,
    leftOut: redact === null ? leftOut : [...leftOut, REDACTED_TOO],
  })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`
}

function shown(text: string, { redact }: BundleTerms): string {
  const cut = text.length > PART_BYTES_MAX ? text.slice(-PART_BYTES_MAX) : text
  return redact === null ? cut : redact(cut)
}

async function* archived(files: readonly Packed[]): AsyncGenerator<Uint8Array> {
  const archive = pack()
  for (const { name, text } of files) archive.entry({ name: `mooring/${name}`, mode: 0o600 }, text)
  archive.finalize()
  yield* Readable.from(archive).pipe(createGzip())
}
