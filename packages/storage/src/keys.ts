// The whole schema of the three databases. A key is one letter and what follows it; heights, epochs,
// arrivals and sequences are eight bytes, big-endian, so that LevelDB's order is theirs. Every value carries
// its checksum (database.ts).

import { concatBytes, toHex, utf8Bytes } from '@mooring/codec'
import { readInteger, viewOf, writeInteger } from './integers.ts'

const PAGE_LETTER = 'P'.charCodeAt(0)
const SHARD_LETTER = 's'.charCodeAt(0)

/** In each: which database this is, and the version of its keys and values. */
export const formatKey = (): Uint8Array => key('F')

/** The last committed block. */
export const tipKey = (): Uint8Array => key('T')
/** Where the chain begins, and up to which height bodies were dropped. */
export const floorKey = (): Uint8Array => key('L')
/** Digest of the genesis this chain belongs to. */
export const genesisKey = (): Uint8Array => key('G')
/** Encoded block, by height. */
export const blockKey = (height: number): Uint8Array => numberKey('B', height)
/** Encoded header, by height. */
export const headerKey = (height: number): Uint8Array => numberKey('H', height)
/** Time and transaction ids of a block, and whether it has a finalization of its own. */
export const summaryKey = (height: number): Uint8Array => numberKey('S', height)
/** Encoded finalization, by height. */
export const finalizationKey = (height: number): Uint8Array => numberKey('C', height)
/** Encoded receipts, by height. */
export const receiptsKey = (height: number): Uint8Array => numberKey('R', height)
/** Height of a block, by digest. */
export const digestKey = (digest: Uint8Array): Uint8Array => key('D', digest)
/** Height and index of a transaction, by id. */
export const transactionKey = (id: Uint8Array): Uint8Array => key('X', id)
/** Root of a complete subtree of the history tree, by position in its level, and level. */
export const historyKey = (level: number, index: number): Uint8Array =>
  concatBytes(numberKey('N', index), Uint8Array.of(level))
/** Sealing block and next authority set of an epoch that is over, by epoch. */
export const epochKey = (epoch: number): Uint8Array => numberKey('E', epoch)
/** Page of the state tree, by its path in hex digits. */
export const pageKey = (path: string): Uint8Array => {
  const bytes = new Uint8Array(1 + path.length)
  bytes[0] = PAGE_LETTER
  for (let at = 0; at < path.length; at += 1) bytes[at + 1] = path.charCodeAt(at)
  return bytes
}
/** Value of the state, by its key. */
export const valueKey = (stateKey: Uint8Array): Uint8Array => key('V', stateKey)

/** A transaction that was accepted here and is not in a final block yet, by id. */
export const pendingTransactionKey = (id: Uint8Array): Uint8Array => key('M', id)

/** Evidence against an authority, by arrival. */
export const evidenceKey = (arrival: number): Uint8Array => numberKey('O', arrival)

/** Private store: a record's sealed metadata and its arrival, by id. */
export const recordKey = (id: Uint8Array): Uint8Array => key('r', id)
/** A record's shards as they wait for holders, sealed, by arrival. */
export const queuedKey = (arrival: number): Uint8Array => numberKey('w', arrival)
/** Whether a record that waits for holders is accepted, by arrival. */
export const openKey = (arrival: number): Uint8Array => numberKey('g', arrival)
/** Nothing; not every shard of this record is receipted, by arrival. */
export const shortKey = (arrival: number): Uint8Array => numberKey('m', arrival)
/** Who keeps the shards of a record, by arrival. */
export const holdersKey = (arrival: number): Uint8Array => numberKey('i', arrival)
/** Id of a record, by the keyed name of its set. */
export const setKey = (name: Uint8Array): Uint8Array => key('t', name)
/** Id of a record, by the keyed name of its account and its arrival. */
export const accountRecordKey = (account: Uint8Array, arrival: number): Uint8Array =>
  concatBytes(key('y', account), numberBytes(arrival))
/** Id of a record, by the name under which its account is counted and its number there. */
export const accountOrderKey = (account: Uint8Array, sequence: number): Uint8Array =>
  concatBytes(key('Y', account), numberBytes(sequence))
/** The newest version of a resource and its number, by the keyed name of the resource. */
export const newestVersionKey = (resource: Uint8Array): Uint8Array => key('W', resource)
/** A sealed account, by its keyed name. */
export const accountKey = (name: Uint8Array): Uint8Array => key('x', name)
/** Keyed name of an account, by another keyed name of it. */
export const accountAliasKey = (alias: Uint8Array): Uint8Array => key('l', alias)
/** Sealed class keys on their way to holders, by number. */
export const queuedKeysKey = (number: number): Uint8Array => numberKey('e', number)
/** Id of the record submitted under a deduplication key. */
export const duplicateKey = (dedupeKey: Uint8Array): Uint8Array => key('d', dedupeKey)
/** Id of a record, by arrival. */
export const arrivalKey = (arrival: number): Uint8Array => numberKey('a', arrival)
/** Id of a record that is accepted and in no batch yet, by arrival. */
export const pendingKey = (arrival: number): Uint8Array => numberKey('q', arrival)
/** Batch and position in it, by record id. */
export const placeKey = (id: Uint8Array): Uint8Array => key('p', id)
/** A batch's bytes, by sequence. */
export const batchKey = (sequence: number): Uint8Array => numberKey('b', sequence)
/** Arrival of a record that was erased, by id. */
export const erasedKey = (id: Uint8Array): Uint8Array => key('Q', id)
/** Nothing; the batch of this sequence is not anchored yet. */
export const unanchoredKey = (sequence: number): Uint8Array => numberKey('u', sequence)
/** Nothing; not every holder of the leaves of this batch has them, by sequence. */
export const undepositedKey = (sequence: number): Uint8Array => numberKey('U', sequence)
/** What anchored the batch, by sequence. */
export const anchorKey = (sequence: number): Uint8Array => numberKey('c', sequence)

/** Private store: a small sealed thing of one kind, by its namespace and its key there. */
export const privateValueKey = (namespace: string, name: Uint8Array): Uint8Array =>
  ownedKey('K', namespace, name)

/** Vault: a shard that is kept for a custodian, by its set and its number in the set. */
export const shardKey = (setId: Uint8Array, index: number): Uint8Array => {
  const bytes = new Uint8Array(2 + setId.length)
  bytes[0] = SHARD_LETTER
  bytes.set(setId, 1)
  bytes[1 + setId.length] = index
  return bytes
}
/** What travels beside the shard (set, manifest, holders), by custodian, set and number. */
export const shardHeadKey = (custodian: string, setId: Uint8Array, index: number): Uint8Array =>
  ownedKey('h', custodian, setId, index)
/** Class keys that a custodian deposited, sealed to their owners, by custodian and id. */
export const keyDepositKey = (custodian: string, id: Uint8Array): Uint8Array =>
  ownedKey('k', custodian, id)
/** How many shards and bytes are kept for a custodian. */
export const usageKey = (custodian: string): Uint8Array => ownedKey('n', custodian)
/** Nothing; the shard of this name is in the blob of this id. */
export const blobShardKey = (blob: Uint8Array, setId: Uint8Array, index: number): Uint8Array =>
  concatBytes(key('o', blob), setId, Uint8Array.of(index))
/** Number of the shard that a legal group was helped to, by set and group. */
export const helpedKey = (setId: Uint8Array, legalGroup: string): Uint8Array =>
  concatBytes(key('I', setId), new TextEncoder().encode(legalGroup))
/** Vault: that a set was erased, or is restricted, by custodian and name. */
export const setMarkKey = (custodian: string, setId: Uint8Array): Uint8Array =>
  ownedKey('J', custodian, setId)
/** Vault: an entry of the access log, sealed, by arrival; its leaf waits for a batch as a record does. */
export const accessKey = (arrival: number): Uint8Array => numberKey('f', arrival)
/** Arrival of the entry of a leaf. */
export const accessArrivalKey = (leaf: Uint8Array): Uint8Array => key('v', leaf)

/** Nothing; an access entry is about records of this custodian, by its keyed name and arrival. */
export const accessAboutKey = (custodian: Uint8Array, arrival: number): Uint8Array =>
  concatBytes(key('Z', custodian), numberBytes(arrival))

/** Vault: leaves of an anchored batch, by custodian and root. */
export const keptBatchKey = (custodian: string, root: Uint8Array): Uint8Array =>
  ownedKey('z', custodian, root)
/** Root of the batch of a leaf and its place in it, by custodian and leaf. */
export const leafKey = (custodian: string, leaf: Uint8Array): Uint8Array =>
  ownedKey('A', custodian, leaf)

/** A record that may be read elsewhere, or a class key to it, by scope (one patient at one custodian). */
export const libraryKey = (scope: Uint8Array, name: Uint8Array): Uint8Array =>
  concatBytes(key('j', scope), name)

/** Behind every key of this custodian that begins with the letter. */
export function afterOwned(
  letter: 'h' | 'k' | 'n' | 'z' | 'A' | 'J',
  custodian: string,
): Uint8Array {
  const end = ownedKey(letter, custodian)
  end[end.length - 1] = 1
  return end
}

const NAMES: Record<string, { name: string; rest: 'number' | 'hex' | 'text' | 'hidden' }> = {
  F: { name: 'format', rest: 'hidden' },
  T: { name: 'tip', rest: 'hidden' },
  L: { name: 'beginning of the chain', rest: 'hidden' },
  G: { name: 'genesis digest', rest: 'hidden' },
  B: { name: 'block', rest: 'number' },
  H: { name: 'header', rest: 'number' },
  S: { name: 'block summary', rest: 'number' },
  C: { name: 'finalization', rest: 'number' },
  R: { name: 'receipts', rest: 'number' },
  D: { name: 'height of block', rest: 'hex' },
  X: { name: 'position of transaction', rest: 'hex' },
  N: { name: 'history node', rest: 'hex' },
  E: { name: 'end of epoch', rest: 'number' },
  P: { name: 'state page', rest: 'text' },
  V: { name: 'state value', rest: 'hex' },
  M: { name: 'pending transaction', rest: 'hex' },
  O: { name: 'evidence', rest: 'number' },
  f: { name: 'access entry', rest: 'number' },
  Z: { name: 'access entry about a custodian', rest: 'hidden' },
  v: { name: 'arrival of an access entry', rest: 'hidden' },
  r: { name: 'record', rest: 'hidden' },
  w: { name: 'queued record', rest: 'number' },
  g: { name: 'state of a queued record', rest: 'number' },
  m: { name: 'record that lacks a shard', rest: 'number' },
  i: { name: 'holders of a record', rest: 'number' },
  t: { name: 'set', rest: 'hidden' },
  y: { name: 'record of an account', rest: 'hidden' },
  Y: { name: 'number of a record in its account', rest: 'hidden' },
  W: { name: 'newest version of a resource', rest: 'hidden' },
  x: { name: 'account', rest: 'hidden' },
  l: { name: 'name of an account', rest: 'hidden' },
  e: { name: 'queued class keys', rest: 'number' },
  d: { name: 'deduplication key', rest: 'hidden' },
  a: { name: 'arrival', rest: 'number' },
  q: { name: 'pending record', rest: 'number' },
  p: { name: 'place of a record', rest: 'hidden' },
  b: { name: 'batch', rest: 'number' },
  u: { name: 'unanchored batch', rest: 'number' },
  c: { name: 'anchor of batch', rest: 'number' },
  s: { name: 'shard', rest: 'hidden' },
  h: { name: 'head of a shard', rest: 'hidden' },
  k: { name: 'deposit of keys', rest: 'hidden' },
  n: { name: 'usage of a custodian', rest: 'hidden' },
  o: { name: 'shard in a blob', rest: 'hidden' },
  I: { name: 'shard that a group was helped to', rest: 'hidden' },
  j: { name: 'record of the library', rest: 'hidden' },
  z: { name: 'leaves of a batch', rest: 'hidden' },
  A: { name: 'leaf of a batch', rest: 'hidden' },
  K: { name: 'private value', rest: 'hidden' },
  J: { name: 'mark of a set', rest: 'hidden' },
  Q: { name: 'erased record', rest: 'hidden' },
  U: { name: 'batch whose leaves are not deposited', rest: 'number' },
}

/** A key in words, for error texts; what could name a patient's record is left out. */
export function formatDatabaseKey(databaseKey: Uint8Array): string {
  const space = NAMES[String.fromCharCode(...databaseKey.subarray(0, 1))]
  if (space === undefined) return 'unknown key'
  const rest = databaseKey.subarray(1)
  switch (space.rest) {
    case 'hidden':
      return space.name
    case 'number':
      return rest.length === 8 ? `${space.name} ${numberOf(databaseKey)}` : space.name
    case 'text':
      return `${space.name} '${new TextDecoder().decode(rest)}'`
    case 'hex':
      return `${space.name} ${toHex(rest)}`
  }
}

/** What kind of thing a key is of. */
export function spaceOf(databaseKey: Uint8Array): string {
  return NAMES[String.fromCharCode(...databaseKey.subarray(0, 1))]?.name ?? 'unknown key'
}

/** The height, arrival or sequence of a key. */
export function numberOf(databaseKey: Uint8Array): number {
  return readInteger(viewOf(databaseKey), 1)
}

/** The number that a key ends in. */
export function lastNumberOf(databaseKey: Uint8Array): number {
  return readInteger(viewOf(databaseKey), databaseKey.length - 8)
}

function key(letter: string, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(1 + rest.length)
  bytes[0] = letter.charCodeAt(0)
  bytes.set(rest, 1)
  return bytes
}

/** A name ends with a zero byte, which is in no name: none is the beginning of another. */
function ownedKey(
  letter: string,
  custodian: string,
  rest: Uint8Array = new Uint8Array(0),
  index: number | null = null,
): Uint8Array {
  const name = utf8Bytes(custodian)
  const end = 2 + name.length + rest.length
  const bytes = new Uint8Array(index === null ? end : end + 1)
  bytes[0] = letter.charCodeAt(0)
  bytes.set(name, 1)
  bytes.set(rest, 2 + name.length)
  if (index !== null) bytes[end] = index
  return bytes
}

/** The custodian that such a key names. */
export function ownerOf(databaseKey: Uint8Array): string {
  return new TextDecoder().decode(databaseKey.subarray(1, databaseKey.indexOf(0)))
}

function numberKey(letter: string, value: number): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = letter.charCodeAt(0)
  writeInteger(viewOf(bytes), 1, value)
  return bytes
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeInteger(viewOf(bytes), 0, value)
  return bytes
}
