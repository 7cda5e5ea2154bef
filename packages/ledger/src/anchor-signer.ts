// What an organisation's service puts on the chain, by itself or for a patient, is signed by its anchor key.

import { equalBytes } from '@mooring/codec'
import type { Facts, InvalidTransaction } from './transaction-kind.ts'

export function checkAnchorSigner({
  organisation: { id, keys },
  signer,
}: Pick<Facts, 'organisation' | 'signer'>): InvalidTransaction | undefined {
  const expected = keys.anchor
  if (equalBytes(signer, expected)) return undefined
  return { code: 'wrong_signer', organisation: id, duty: 'anchor', expected, got: signer }
}
