// Where a node keeps large shards, from its options. The credentials of a bucket are in a file that its
// owner alone reads, and nowhere else: not among the options, the variables or the flags, which
// others on a computer can see.

import { join, resolve } from 'node:path'
import type { BlobPlace } from '@mooring/storage'
import { parseOwnJson, readOwnFile } from './keys.ts'
import { NodeError } from './node-error.ts'
import type { OptionValues } from './options.ts'

type Credentials = { accessKeyId: string; secretAccessKey: string }

/** @throws NodeError */
export async function readBlobPlace(
  home: string,
  dataDir: string,
  { node, vault }: OptionValues,
): Promise<BlobPlace> {
  if (vault.blobs === 'local') return { kind: 'local', directory: join(dataDir, 'blobs') }
  const { bucket, endpoint, region, prefix, credentials } = vault
  return {
    kind: 's3',
    bucket,
    endpoint,
    region,
    prefix: prefix === '' ? `${node.name}/` : prefix,
    credentials: await readCredentials(resolve(home, credentials)),
  }
}

async function readCredentials(path: string): Promise<Credentials> {
  const text = await readOwnFile(path, 'bucket', '[vault] credentials = "…"')
  const content = parseOwnJson(path, text)
  if (!isCredentials(content)) {
    const detail = 'it is not {"accessKeyId": "…", "secretAccessKey": "…"}'
    throw new NodeError('key_malformed', { path, detail })
  }
  const { accessKeyId, secretAccessKey } = content
  return { accessKeyId, secretAccessKey }
}

function isCredentials(content: unknown): content is Credentials {
  if (typeof content !== 'object' || content === null) return false
  const { accessKeyId, secretAccessKey }: Partial<Record<keyof Credentials, unknown>> = content
  return [accessKeyId, secretAccessKey].every((text) => typeof text === 'string' && text !== '')
}
