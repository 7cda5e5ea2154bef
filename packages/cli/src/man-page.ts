// A page of the manual for each command, from the same tree as its help.

import { EXIT_CODES } from './command-help.ts'
import { allNotes, type CommandNote, type OptionNote } from './command-tree.ts'

// A line that begins with a dot or a quote would be a request, and a hyphen would be typeset; what is not ASCII is
// spelt by its number, which every troff knows.
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-')
  const plain = escaped.replaceAll(
    /[^\x20-\x7e\n]/gu,
    (letter) => `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
  )
  return /^[.']/.test(plain) ? `\\&${plain}` : plain
}

export const manName = (path: string) => ['mooring', ...path.split(' ')].filter(Boolean).join('-')

function optionLines({ flags, description, fallback, choices }: OptionNote): string[] {
  const more = [
    choices.length === 0 ? '' : `One of ${choices.join(', ')}.`,
    fallback === undefined ? '' : `Default: ${fallback}.`,
  ]
  return ['.TP', `\\fB${roff(flags)}\\fR`, roff([`${description}.`, ...more].join(' ').trim())]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines]
}

export function manPage(note: CommandNote, program: CommandNote): string {
  const name = manName(note.path)
  const globals = note === program ? [] : program.options
  const children = note.children.map((child) => [
    '.TP',
    `\\fB${roff(child.path.split(' ').at(-1) ?? '')}\\fR`,
    roff(child.description),
  ])
  const exits = [0, 1, 2, ...note.help.exits].map((code) => [
    '.TP',
    `\\fB${code}\\fR`,
    roff(EXIT_CODES[code] ?? ''),
  ])
  const above = note === program ? [] : [manName(note.path.split(' ').slice(0, -1).join(' '))]
  const see = [...above, ...note.children.map((child) => manName(child.path))]
  const lines = [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 1 "" mooring "Mooring"`,
    ...section('NAME', [`${roff(name)} \\- ${roff(note.description)}`]),
    ...section('SYNOPSIS', [`.B ${roff(note.usage)}`]),
    ...section('COMMANDS', children.flat()),
    ...section(
      'ARGUMENTS',
      note.arguments.flatMap((each) => ['.TP', roff(each.name), roff(each.description)]),
    ),
    ...section('OPTIONS', note.options.flatMap(optionLines)),
    ...section('GLOBAL OPTIONS', globals.flatMap(optionLines)),
    ...section('EXIT STATUS', exits.flat()),
    ...section('EXAMPLES', ['.nf', ...note.help.examples.map(roff), '.fi']),
    ...section('SEE ALSO', [see.map((each) => `.BR ${roff(each)} (1)`).join('\n')].filter(Boolean)),
  ]
  return `${lines.join('\n')}\n`
}

export function manPages(program: CommandNote): Map<string, string> {
  return new Map(
    allNotes(program).map((note) => [`${manName(note.path)}.1`, manPage(note, program)]),
  )
}
