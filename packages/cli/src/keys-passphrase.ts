// The passphrase of keys in a backup: from a file of its own, or from who sits at the terminal.

import { NodeError } from '@mooring/node/node-error'
import { PASSPHRASE_CHARACTERS_MIN } from '@mooring/records'
import type { Context } from './context.ts'
import { readSecretFile } from './secret-prompt.ts'

/** A new one is asked for twice, and must be long enough. */
export async function passphraseForKeys(
  context: Context,
  file: string | undefined,
  { isNew }: { isNew: boolean },
): Promise<string> {
  if (file !== undefined) {
    const passphrase = await readSecretFile(context, file)
    return isNew ? longEnough(passphrase) : passphrase
  }
  if (context.askSecret === undefined) {
    throw new NodeError('passphrase_missing', { path: 'The keys in a backup' })
  }
  const typed = await context.askSecret('Passphrase of the keys in the backup: ')
  if (!isNew) return typed
  if ((await context.askSecret('The same again: ')) !== longEnough(typed)) {
    throw new NodeError('passphrase_differs')
  }
  return typed
}

function longEnough(passphrase: string): string {
  const characters = Array.from(passphrase).length
  if (characters >= PASSPHRASE_CHARACTERS_MIN) return passphrase
  throw new NodeError('passphrase_short', { characters, least: PASSPHRASE_CHARACTERS_MIN })
}
