// The index of ended epochs: for each the height of its sealing block and the authority set that came
// after it.
//
// Who follows the chain from genesis needs exactly these blocks: each is final under the set of its
// epoch, and its header announces the next one. So the index is read whole when the chain is opened,
// and compared with the headers it speaks of. An epoch is as long as membership stands still; the
// index stays small.

import { bytesMax, decode, encode, equalBytes, type Infer, uint, versioned } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import type { FinalBlock, StoredHeader, Tip } from './chain-records.ts'
import type { Database, DatabaseOperation } from './database.ts'
import { StorageError } from './errors.ts'
import { epochKey, finalizationKey, formatDatabaseKey, headerKey } from './keys.ts'

const AUTHORITY_SET_BYTES_MAX = 64 << 10

const epochSchema = versioned(1, {
  height: uint(),
  authoritySet: bytesMax(AUTHORITY_SET_BYTES_MAX),
})

/** An epoch that is over: its sealing block, and the encoded set of the next one. */
export type EndedEpoch = { readonly epoch: number } & Readonly<Infer<typeof epochSchema>>

/** What the block ends; null for a block like most. */
export function endedBy(
  { nextAuthorities, finalization }: FinalBlock,
  { epoch, height, nextAuthoritySetDigest }: StoredHeader,
  current: number,
): EndedEpoch | null {
  const isAnnounced =
    nextAuthorities === null
      ? nextAuthoritySetDigest === null
      : nextAuthoritySetDigest !== null && isSetOf(nextAuthorities, nextAuthoritySetDigest)
  const isFinal = nextAuthorities === null || finalization !== null
  if (epoch !== current || !isAnnounced || !isFinal) {
    const fault = epoch !== current ? 'epoch' : isAnnounced ? 'finalization' : 'authority set'
    const message = 'the block does not belong to the epoch of the chain'
    throw new StorageError('out_of_order', message, { height, epoch: current, fault })
  }
  return nextAuthorities === null ? null : { epoch, height, authoritySet: nextAuthorities }
}

export function epochOperation({ epoch, height, authoritySet }: EndedEpoch): DatabaseOperation {
  return { type: 'put', key: epochKey(epoch), value: encode(epochSchema, { height, authoritySet }) }
}

/** All ended epochs, each compared with its sealing header, and the last with the tip. */
export function readEpochs(
  database: Pick<Database, 'getSync'>,
  decodeHeader: (encoded: Uint8Array) => StoredHeader,
  tip: Tip,
): EndedEpoch[] {
  const epochs: EndedEpoch[] = []
  let ended = readEnd(database, decodeHeader, 0)
  while (ended !== undefined) {
    const isLater = ended.height > (epochs.at(-1)?.height ?? 0) && ended.height <= tip.height
    if (!isLater) throw contradicted(ended.epoch)
    epochs.push(ended)
    ended = readEnd(database, decodeHeader, epochs.length)
  }
  const encoded = tip.height === 0 ? undefined : database.getSync(headerKey(tip.height))
  if (encoded === undefined) return epochs
  const { epoch, nextAuthoritySetDigest } = decodeHeader(encoded)
  if (epoch + (nextAuthoritySetDigest === null ? 0 : 1) !== epochs.length) throw contradicted(epoch)
  return epochs
}

/** An ended epoch, whose sealing block is there, final, and announces the set that is kept. */
export function readEnd(
  database: Pick<Database, 'getSync'>,
  decodeHeader: (encoded: Uint8Array) => StoredHeader,
  epoch: number,
): EndedEpoch | undefined {
  const stored = database.getSync(epochKey(epoch))
  if (stored === undefined) return undefined
  const { height, authoritySet } = decode(epochSchema, stored)
  const header = decodeHeader(present(database, headerKey(height)))
  present(database, finalizationKey(height))
  const announced = header.nextAuthoritySetDigest
  if (announced === null || header.epoch !== epoch || !isSetOf(authoritySet, announced)) {
    throw contradicted(epoch)
  }
  return { epoch, height, authoritySet }
}

function present(database: Pick<Database, 'getSync'>, key: Uint8Array): Uint8Array {
  const value = database.getSync(key)
  if (value !== undefined) return value
  throw new StorageError('missing', 'the sealing block of an epoch is gone', {
    key: formatDatabaseKey(key),
  })
}

function isSetOf(authoritySet: Uint8Array, digest: Uint8Array): boolean {
  return equalBytes(domainHash('authority-set', authoritySet), digest)
}

function contradicted(epoch: number): StorageError {
  return new StorageError('corrupt', 'the index of epochs contradicts the chain', {
    key: formatDatabaseKey(epochKey(epoch)),
  })
}
