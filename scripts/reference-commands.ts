// Every command with its options, examples and exit codes.

import { allNotes, type CommandNote, EXIT_CODES, type OptionNote, programNote } from '@mooring/cli'
import { block, code, GENERATED, markdownTable, paragraphs, plain } from './markdown.ts'

export async function commandPage(): Promise<string> {
  const program = await programNote()
  const groups = [...new Set(program.children.map(({ group }) => group))]
  const exits = Object.entries(EXIT_CODES).map(([number, name]) => [number, name])
  return paragraphs(
    GENERATED,
    '# Commands',
    `Data goes to stdout, everything else to stderr. With ${code('--json')} a command prints one JSON document (a stream
prints one a line) whose ${code('schema')} names a JSON Schema of [schemas](schemas); an error is then a problem document on
stderr. Nothing asks where no terminal is.`,
    '## Global options',
    optionTable(program.options),
    '## Exit codes',
    markdownTable(['code', 'meaning'], exits),
    ...groups.flatMap((group) => [
      `## ${group}`,
      ...program.children
        .filter((note) => note.group === group)
        .flatMap(allNotes)
        .map(describe),
    ]),
  )
}

const SETTINGS = 'Settings'

function optionTable(options: readonly OptionNote[]): string {
  const rows = options.map(({ flags, description, fallback, choices }) => [
    code(flags),
    [
      plain(description),
      choices.length === 0 ? '' : `one of ${choices.map(code).join(', ')}`,
      fallback === undefined ? '' : `default ${code(fallback)}`,
    ]
      .filter((part) => part !== '')
      .join('. '),
  ])
  return rows.length === 0 ? '' : markdownTable(['option', ''], rows)
}

function describe(note: CommandNote): string {
  const { path, aliases, usage, description, help } = note
  const own = note.options.filter(({ group }) => group !== SETTINGS)
  const hasSettings = own.length < note.options.length
  const rows = note.arguments.map((each) => [code(each.name), plain(each.description)])
  return paragraphs(
    `### mooring ${path}`,
    `${plain(description)}${aliases.length === 0 ? '' : `. Also ${aliases.map(code).join(', ')}`}`,
    block([usage]),
    rows.length === 0 ? undefined : markdownTable(['argument', ''], rows),
    optionTable(own),
    hasSettings
      ? 'Every [option of the configuration](configuration.md) is a flag too.'
      : undefined,
    block(help.examples),
    `Exit codes 0, 1, 2${help.exits.map((exit) => `, ${exit}`).join('')}.`,
  )
}
