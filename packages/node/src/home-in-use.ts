import { StorageError } from '@mooring/storage/errors'

/** Whether a home cannot be opened because its node runs. */
export function isHomeInUse(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'locked'
}
