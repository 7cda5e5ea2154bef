// Every failure of a disk ends as one StorageError: a code that the node turns into a text for
// people, the details that text needs, and the cause. A missing value is only an error where the
// chain says that it must exist; elsewhere reads return undefined.

export type StorageErrorCode =
  /** Another process has the database open. */
  | 'locked'
  /** Stored bytes are not the bytes that were written. */
  | 'corrupt'
  /** A value that must exist is not there. */
  | 'missing'
  /** It was here once, or never had to be: what is kept begins later. */
  | 'pruned'
  /** The disk is full. */
  | 'full'
  /** The operating system refused a read or a write. */
  | 'io'
  /** The file system takes no writes. */
  | 'read_only'
  /** Written by an older version, or another kind of database. */
  | 'format'
  /** Written by a version after this one. */
  | 'format_newer'
  /** The database belongs to another network. */
  | 'wrong_network'
  /** Commits must extend the tip one height at a time. */
  | 'out_of_order'
  /** A view of the state that finality has overtaken. */
  | 'stale_view'
  /** A record of this id is stored already. */
  | 'duplicate'
  /** The vote journal or its marks are damaged where a crash cannot have done it. */
  | 'guard_corrupt'
  /** Journal and marks are not of the same age: one was lost, wiped or restored. */
  | 'guard_behind'
  /** The guard is a copy, or was moved or restored: it is not where it was made. */
  | 'guard_moved'
  /** The caller wanted to lower a mark, or to keep a vote that no mark covers. */
  | 'guard_regression'
  /** An earlier write of the journal failed; nothing may be signed until the node restarts. */
  | 'guard_stopped'

  /** A blob, or what was handed in as one, is not the bytes of its id. */
  | 'blob_corrupt'
  /** There is no blob of this id. */
  | 'blob_missing'
  /** The bucket did not answer, or not in time, or had an error of its own. */
  | 'bucket_unreachable'
  /** The bucket answered that it will not. */
  | 'bucket_refused'

export type StorageErrorDetails = Readonly<Record<string, string | number>>

export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode
  readonly details: StorageErrorDetails

  constructor(
    code: StorageErrorCode,
    message: string,
    details: StorageErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** What the operating system or LevelDB threw, as a StorageError. */
export function storageErrorOf(cause: unknown, message: string, path: string): StorageError {
  if (cause instanceof StorageError) return cause
  const system = causeCodes(cause)
  const text = causesOf(cause)
    .map((each) => each.message)
    .join(' ')
  const details = { path, system: system.join(' ') }
  if (system.includes('LEVEL_LOCKED'))
    return new StorageError('locked', message, details, { cause })
  if (system.includes('LEVEL_CORRUPTION')) {
    return new StorageError('corrupt', message, details, { cause })
  }
  const isFull =
    system.includes('ENOSPC') || system.includes('EDQUOT') || /no space left/i.test(text)
  if (isFull) return new StorageError('full', message, details, { cause })
  const isReadOnly = system.includes('EROFS') || /read-only file system/i.test(text)
  return new StorageError(isReadOnly ? 'read_only' : 'io', message, details, { cause })
}

/** What is read, or this where the disk has damaged it. */
export function unlessDamaged<T>(read: () => T, otherwise?: T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof StorageError && error.code === 'corrupt') return otherwise
    throw error
  }
}

function causeCodes(error: unknown): string[] {
  return causesOf(error).flatMap((each) =>
    'code' in each && typeof each.code === 'string' ? [each.code] : [],
  )
}

/** LevelDB says what the system refused in the innermost one. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let e: unknown = error; e instanceof Error && causes.length < 8; e = e.cause) causes.push(e)
  return causes
}
