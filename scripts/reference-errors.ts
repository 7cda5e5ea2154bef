// Every error, under the number that the commands and the problem documents of the API show.

import { allErrors, type Explanation } from '@mooring/node'
import { code, GENERATED, paragraphs, plain } from './markdown.ts'

const RANGES: readonly [first: string, title: string][] = [
  ['1', 'Configuration, home, database'],
  ['2', 'Connections, identities, membership'],
  ['3', 'Agreement'],
  ['4', 'API and access'],
  ['5', 'Records, proofs, backups, patients'],
  ['6', 'Upgrades'],
]

export function errorPage(): string {
  const errors = allErrors()
  return paragraphs(
    GENERATED,
    '# Errors',
    `What went wrong has a number. It is in what a command prints, in the ${code('type')} and ${code('mor')} of a
problem document of the API (${code('/errors/MOR-1010')}), in alarms and in the log; ${code('mooring explain MOR-1010')} prints
the same text as this page. Words in ${code('<angle brackets>')} are filled in where it happens.`,
    ...RANGES.flatMap(([first, title]) => {
      const within = errors.filter(({ entry }) => entry.mor.startsWith(`MOR-${first}`))
      return within.length === 0 ? [] : [`## ${title}`, ...within.map(describe)]
    }),
  )
}

const shown = (text: string) => plain(text.replaceAll(/\{(\w+)\}/g, '<$1>'))

function describe({ entry, codes }: Explanation): string {
  const fix = entry.fix.map((text) => {
    const [reason = '', ...commands] = text.split('   ')
    const command = commands.join('   ').replaceAll(/\{(\w+)\}/g, '<$1>')
    return `- ${shown(reason)}${command === '' ? '' : ` ${code(command)}`}`
  })
  return paragraphs(
    `### ${entry.mor}`,
    `**${plain(entry.title)}.** ${shown(entry.meaning).replaceAll('\n', ' ')}`,
    fix.join('\n'),
    `Exit code ${entry.exitCode}, HTTP status ${entry.status}, codes ${codes.map(code).join(' ')}.`,
  )
}
