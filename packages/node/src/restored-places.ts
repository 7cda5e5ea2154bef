// A restored home has everything in its own folders, as `init` makes them. Where its old configuration says
// that databases or keys were elsewhere, it would start with whatever lies there now: those lines are set to
// the folders of the home, and told. A key keeps the name of its file where that file is among the restored.

import { posix } from 'node:path'
import { parseConfigFile } from './config-file.ts'
import { setInConfig } from './edit-config.ts'
import { OPTION_ENTRIES } from './options.ts'

const KEYS = ['keys.consensus', 'keys.transport', 'keys.anchor', 'keys.seal']
const PLACES = ['storage.dir', ...KEYS]

export interface ChangedPlace {
  name: string
  was: string
  is: string
}

/** A text that is no TOML stays as it is, for the start to say where. @throws NodeError config_not_editable */
export function withOwnPlaces(
  text: string,
  keyFiles: readonly string[],
): { text: string; changed: ChangedPlace[] } {
  const { settings } = parseConfigFile(text)
  const changed: ChangedPlace[] = []
  let edited = text
  for (const entry of OPTION_ENTRIES.filter(({ name }) => PLACES.includes(name))) {
    const found = settings.get(entry.name)
    if (found === undefined) continue
    const was = String(found.value)
    const name = posix.basename(was)
    const isKept = KEYS.includes(entry.name) && keyFiles.includes(name)
    const is = isKept ? `keys/${name}` : String(entry.default)
    if (is === was) continue
    edited = setInConfig(edited, entry, is)
    changed.push({ name: entry.name, was, is })
  }
  return { text: edited, changed }
}
