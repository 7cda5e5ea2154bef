// The files of a founding, read with errors that name the file and every place in it.

import { toHex } from '@mooring/codec'
import {
  checkGenesis,
  type Founder,
  type FoundingTerms,
  type Genesis,
  genesisDigest,
  LedgerError,
  parseFounderJson,
  parseTermsJson,
} from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import type { Context } from './context.ts'
import { readInput } from './read-input.ts'

const FILE_BYTES_MAX = 256 * 1024

async function readDocumentFile<T>(
  context: Context,
  path: string,
  { what, parse }: { what: string; parse: (text: string) => T },
): Promise<T> {
  const text = new TextDecoder().decode(await readInput(context, path, FILE_BYTES_MAX))
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    const rows = rowsOf(error)
    throw new NodeError('founding_file_invalid', { path, what }, { rows, cause: error })
  }
}

export function rowsOf({ problems }: LedgerError): string[] {
  return problems.map(({ path, detail }) => `${path === '' ? 'document' : path}: ${detail}`)
}

export function readTerms(context: Context, path: string): Promise<FoundingTerms> {
  return readDocumentFile(context, path, { what: 'the terms of a network', parse: parseTermsJson })
}

export function readFounder(context: Context, path: string): Promise<Founder> {
  const what = 'the signed entry of an organisation'
  return readDocumentFile(context, path, { what, parse: parseFounderJson })
}

/** @throws NodeError genesis_invalid with every reason. */
export function refuseUnfit(genesis: Genesis, path: string): void {
  const problems = checkGenesis(genesis)
  if (problems.length === 0) return
  const rows = problems.map((problem) => `${problem.path}: ${problem.detail}`)
  throw new NodeError('genesis_invalid', { path, detail: 'it cannot start a network' }, { rows })
}

/** @throws NodeError genesis_other */
export function refuseOtherDigest(
  genesis: Genesis,
  expected: string | undefined,
  source: string,
): void {
  const digest = toHex(genesisDigest(genesis))
  if (expected === undefined || expected.toLowerCase() === digest) return
  throw new NodeError('genesis_other', { source, digest, expected })
}
