// The account of a patient as it is kept: its keys, the class keys, and who was given them.
//
// The keys of an account are hosted until a wallet of the patient's own enrols: then that wallet's. Keys
// that were retired stay known, for the records under them stay where they are. A class key belongs to
// the patient key it was made for. It is used for new records as long as everybody that it was given to
// may read them: after a grant has ended in any way, or a key was retired, the next record has the key of
// a new epoch, and who was shut out cannot open it.

import {
  bool,
  bytes,
  bytesMax,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  text,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import {
  CLASS_KEY_WRAPS_MAX,
  type ClassKeyContent,
  KEY_DEPOSIT_BYTES_MAX,
  organisationIdSchema,
  recordClassSchema,
} from '@mooring/records'

export const REFERENCE_BYTES_MAX = 256
/** The newest; so an account stays small. */
const GRANTED_MAX = 1_024
/** Copies of one class key for grants. */
const COPIES_MAX = 250
/** The last one is used on when there are so many: that many grants ended between two records. */
const CLASS_KEYS_MAX = 512
export const FORMER_MAX = 64

const depositSchema = struct({
  /** As holders have it. */
  deposit: bytesMax(KEY_DEPOSIT_BYTES_MAX),
  /** The organisations whose copy is in it, beside the custodian. */
  readers: list(organisationIdSchema, CLASS_KEY_WRAPS_MAX),
})

const classKeySchema = struct({
  /** Under which its records stand. */
  patientKey: bytes(32),
  class: recordClassSchema,
  epoch: uint(0xffff_ffff),
  key: bytes(32),
  /** Never for a new record again. */
  isClosed: bool(),
  deposits: list(depositSchema, COPIES_MAX + 6),
})

const grantedSchema = struct({
  /** Of the grant and of what it rests on; it ends with the first that does. */
  handles: list(bytes(32), 8),
  recipient: organisationIdSchema,
  classes: list(text(64), 64),
  expiresAt: uint(),
})

export const accountSchema = versioned(2, {
  reference: text(REFERENCE_BYTES_MAX),
  /** The keys that are hosted follow from it. */
  seed: bytes(32),
  /** Keys of a wallet of the patient's own; null while they are hosted. */
  wallet: nullable(
    struct({ patientKey: bytes(32), logKey: bytes(32), recoveryCommit: nullable(bytes(32)) }),
  ),
  /** Keys that were retired, oldest first. */
  former: list(bytes(32), FORMER_MAX),
  classKeys: list(classKeySchema, CLASS_KEYS_MAX + 1),
  /** Grants of whole classes, whose recipients are given class keys. */
  granted: list(grantedSchema, GRANTED_MAX),
})

export type StoredAccount = Infer<typeof accountSchema>
export type StoredClassKey = StoredAccount['classKeys'][number]
export type KeptDeposit = StoredClassKey['deposits'][number]
export type Granted = StoredAccount['granted'][number]
export type WalletKeys = NonNullable<StoredAccount['wallet']>

/** Whether a grant is in force, by what the chain says of its handles now. */
export type IsLive = (granted: Granted) => boolean

/** Organisations that may read records of this class that come in now. */
export function recipientsOf(account: StoredAccount, name: string, isLive: IsLive): string[] {
  const found = account.granted
    .filter((granted) => granted.classes.includes(name) && isLive(granted))
    .map(({ recipient }) => recipient)
  return [...new Set(found)]
}

/** What new records of the class are sealed with; undefined when a new key has to be made. */
export function currentClassKey(
  account: StoredAccount,
  { patientKey, class: name }: { patientKey: Uint8Array; class: string },
  isLive: IsLive,
): StoredClassKey | undefined {
  const newest = newestOf(account, name)
  if (newest === undefined || newest.isClosed) return undefined
  if (!equalBytes(newest.patientKey, patientKey)) return undefined
  if (account.classKeys.length >= CLASS_KEYS_MAX) return newest
  const allowed = recipientsOf(account, name, isLive)
  const isOpenToOthers = newest.deposits.some(({ readers }) =>
    readers.some((reader) => !allowed.includes(reader)),
  )
  return isOpenToOthers ? undefined : newest
}

export function nextEpochOf(account: StoredAccount, name: string): number {
  return (newestOf(account, name)?.epoch ?? 0) + 1
}

function newestOf({ classKeys }: StoredAccount, name: string): StoredClassKey | undefined {
  return classKeys.findLast((each) => each.class === name)
}

export function withClassKey(account: StoredAccount, added: StoredClassKey): StoredAccount {
  return { ...account, classKeys: [...account.classKeys, added] }
}

/** With another copy; the first one, of the custodian and the patient, is always kept. */
export function withDeposit(
  account: StoredAccount,
  { class: name, epoch, patientKey }: Pick<StoredClassKey, 'class' | 'epoch' | 'patientKey'>,
  added: KeptDeposit,
): StoredAccount {
  const classKeys = account.classKeys.map((each) => {
    const isIt =
      each.class === name && each.epoch === epoch && equalBytes(each.patientKey, patientKey)
    if (!isIt) return each
    const [first, ...copies] = each.deposits
    const kept = [...copies, added].slice(-COPIES_MAX)
    return { ...each, deposits: first === undefined ? kept : [first, ...kept] }
  })
  return { ...account, classKeys }
}

/** Beside the others that are in force; the oldest go when there are too many. */
export function withGranted(account: StoredAccount, added: Granted, isLive: IsLive): StoredAccount {
  const name = nameOf(added)
  const others = account.granted.filter((each) => isLive(each) && nameOf(each) !== name)
  return { ...account, granted: [...others, added].slice(-GRANTED_MAX) }
}

/** Without copies for those who may not read any more. They have the key, so it seals nothing from now on. */
export function withoutDeadCopies(account: StoredAccount, isLive: IsLive): StoredAccount {
  const classKeys = account.classKeys.map((each) => {
    const allowed = recipientsOf(account, each.class, isLive)
    const [first, ...copies] = each.deposits
    const kept = copies.filter(({ readers }) => readers.some((name) => allowed.includes(name)))
    if (first === undefined || kept.length === copies.length) return each
    return { ...each, isClosed: true, deposits: [first, ...kept] }
  })
  return { ...account, classKeys }
}

function nameOf({ handles }: Granted): string {
  return handles.map(toHex).join()
}

/** Deposits in which there is a copy for this organisation, of classes that it may read. */
export function depositsFor(
  account: StoredAccount,
  recipient: string,
  isLive: IsLive,
): Uint8Array[] {
  return account.classKeys
    .filter((each) => recipientsOf(account, each.class, isLive).includes(recipient))
    .flatMap(({ deposits }) => deposits.filter(({ readers }) => readers.includes(recipient)))
    .map(({ deposit }) => deposit)
}

/**
 * With a class key that came back from holders. Who else has it is not known any more: it seals nothing
 * new. `current` is the key of the account so far.
 */
export function withRestored(
  account: StoredAccount,
  {
    content,
    deposit,
    current,
    isInForce,
  }: { content: ClassKeyContent; deposit: Uint8Array; current: Uint8Array; isInForce: boolean },
): StoredAccount {
  const { class: name, epoch, patientKey, logKey, classKey: key } = content
  const isKnown = account.classKeys.some((each) => each.class === name && each.epoch === epoch)
  const restored = { patientKey, class: name, epoch, key, isClosed: true }
  const added = { ...restored, deposits: [{ deposit, readers: [] }] }
  const classKeys = isKnown ? account.classKeys : [...account.classKeys, added]
  const inOrder = classKeys.toSorted((a, b) => a.epoch - b.epoch)
  const kept = { ...account, classKeys: inOrder }
  if (equalBytes(patientKey, current)) return kept
  if (isInForce)
    return {
      ...kept,
      wallet: { patientKey, logKey, recoveryCommit: null },
      former: withKey(account.former, current),
    }
  return { ...kept, former: withKey(account.former, patientKey) }
}

function withKey(former: readonly Uint8Array[], key: Uint8Array): Uint8Array[] {
  return former.some((each) => equalBytes(each, key)) ? [...former] : [...former, key]
}
