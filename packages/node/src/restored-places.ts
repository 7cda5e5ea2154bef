// A restored home has everything in its own folders, as `init` makes them. Where its old configuration says
// that databases or keys were elsewhere, it would start with whatever lies there now: those lines are set to
// the folders of the home, and told.

import { parseConfigFile } from './config-file.ts'
import { setInConfig } from './edit-config.ts'
import { OPTION_ENTRIES } from './options.ts'

const PLACES = ['storage.dir', 'keys.consensus', 'keys.transport', 'keys.anchor', 'keys.seal']

export interface ChangedPlace {
  name: string
  was: string
  is: string
}

/** A text that is no TOML stays as it is, for the start to say where. @throws NodeError config_not_editable */
export function withOwnPlaces(text: string): { text: string; changed: ChangedPlace[] } {
  const { settings } = parseConfigFile(text)
  const changed: ChangedPlace[] = []
  let edited = text
  for (const entry of OPTION_ENTRIES.filter(({ name }) => PLACES.includes(name))) {
    const found = settings.get(entry.name)
    if (found === undefined || found.value === entry.default) continue
    edited = setInConfig(edited, entry, entry.default)
    changed.push({ name: entry.name, was: String(found.value), is: String(entry.default) })
  }
  return { text: edited, changed }
}
