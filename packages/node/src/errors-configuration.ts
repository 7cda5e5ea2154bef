// Texts for what goes wrong when somebody looks at, or changes, the configuration from the command line.

import { type CatalogEntry, entry } from './error-entry.ts'

export type ConfigurationErrorCode =
  | 'option_unknown'
  | 'option_value_invalid'
  | 'config_not_editable'
  | 'config_newer'
  | 'config_version_strange'
  | 'config_not_valid_after'
  | 'context_unknown'
  | 'contexts_invalid'
  | 'answer_needed'
  | 'not_confirmed'
  | 'command_unknown'

export const CONFIGURATION_TEXTS: Record<ConfigurationErrorCode, CatalogEntry> = {
  option_unknown: entry(1100, 6, 404)(
    'There is no such option',
    'No option is called "{name}".{meant}',
    'List all of them with their values:   mooring config show --origins',
  ),
  option_value_invalid: entry(1101, 2, 400)(
    'An option cannot have this value',
    '{name} = {value}: {expected}.',
    'See what it may be:   mooring config schema',
  ),
  config_not_editable: entry(1102, 7, 409)(
    'The configuration file is written in a way that only a person can change',
    '{name} stands in an inline table, or somewhere else than a line of its own; nothing was written.',
    'Change the file in an editor, then:   mooring config validate',
  ),
  config_newer: entry(1103, 13)(
    'The configuration file is of a newer version',
    'It has config_version {version}; this program reads {own}.',
    'Install the version that wrote it, or take the .bak that its migration left.',
  ),
  config_version_strange: entry(1104, 3)(
    'The version of the configuration file cannot be read',
    'config_version at {place} is no whole number.',
    'Write config_version = 1 as the first line.',
  ),
  config_not_valid_after: entry(1105, 7, 409)(
    'The configuration would not be valid with this value',
    '{name} = {value} was not written: {detail}.',
    'Change what contradicts it first, or both in an editor, then:   mooring config validate',
  ),
  context_unknown: entry(1106, 6, 404)(
    'There is no such context',
    '{path} has no [{name}].{meant}',
    'Add one there: [{name}] and below it endpoint = "https://…", and token_file, cacert, cert, key where needed.',
  ),
  contexts_invalid: entry(1107, 3)(
    'The contexts cannot be used',
    '{path}: {detail}.',
    'Each context is a table [name] with endpoint, token_file, cacert, cert, key, home.',
  ),
  answer_needed: entry(1108, 2, 400)(
    'Nobody is there to answer',
    'This asks before it acts ({question}), and there is no terminal.',
    'Say yes on the command line:   {flag}',
  ),
  command_unknown: entry(1110, 6, 404)(
    'There is no such command',
    'No command is called "mooring {command}".',
    'See them all:   mooring --help',
  ),
  not_confirmed: entry(1109, 7, 409)(
    'It was not confirmed',
    'The answer was another one than "{expected}": nothing was done.',
    'Run it again, and type {expected}; or say yes on the command line:   --yes',
  ),
}
