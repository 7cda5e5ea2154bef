// Completion of bash, zsh and fish. A script knows the whole tree of commands by itself, so that most keys
// start no process; names that only a node or a home knows come from `mooring __complete`, which answers
// within a moment or not at all.

import { allNotes, type CommandNote, type OptionNote } from './command-tree.ts'
import { COMPLETED_COMMANDS } from './complete-names.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

function flagsOf(options: readonly OptionNote[]): string[] {
  return options.flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined))
}

// What may come after these words: commands below, else flags of this one and of all.
function wordsAt(note: CommandNote, globals: readonly OptionNote[]): string {
  const children = note.children.flatMap(({ path, aliases }) => [
    path.split(' ').at(-1) ?? '',
    ...aliases,
  ])
  const choices = note.arguments.flatMap((argument) => argument.choices)
  return [...children, ...choices, ...flagsOf(note.options), ...flagsOf(globals), '--help'].join(
    ' ',
  )
}

// Words that lead to each command, its aliases among them.
function waysTo(notes: readonly CommandNote[]): [way: string, path: string][] {
  const ways: [string, string][] = []
  for (const { path, aliases } of notes) {
    const [last = '', ...before] = path.split(' ').toReversed()
    const parent = before.toReversed().join(' ')
    for (const name of [last, ...aliases]) ways.push([`${parent} ${name}`.trim(), path])
  }
  return ways
}

type Choices = { path: string; flags: string[]; values: readonly string[] }

function choicesOf(notes: readonly CommandNote[]): Choices[] {
  return notes.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map((option) => ({ path, flags: flagsOf([option]), values: option.choices })),
  )
}

// Functions that bash and zsh both read.
function sharedFunctions(program: CommandNote): string[] {
  const [root, ...notes] = allNotes(program)
  const globals = root?.options ?? []
  return [
    '# Where the words lead so far.',
    '_mooring_step() {',
    '  case "$1" in',
    ...waysTo(notes).map(([way, path]) => `    ${quoted(way)}) echo ${quoted(path)} ;;`),
    '    *) return 1 ;;',
    '  esac',
    '}',
    '_mooring_words() {',
    '  case "$1" in',
    ...[program, ...notes].map(
      (note) => `    ${quoted(note.path)}) echo ${quoted(wordsAt(note, globals))} ;;`,
    ),
    '  esac',
    '}',
    '_mooring_values() {',
    '  case "$1" in',
    ...choicesOf([program, ...notes]).flatMap(({ path, flags, values }) =>
      flags.map(
        (flag) => `    ${quoted(`${path} ${flag}`.trim())}) echo ${quoted(values.join(' '))} ;;`,
      ),
    ),
    '    *) return 1 ;;',
    '  esac',
    '}',
    '_mooring_asks() {',
    '  case "$1" in',
    `    ${COMPLETED_COMMANDS.map(quoted).join('|')}) return 0 ;;`,
    '  esac',
    '  return 1',
    '}',
  ]
}

const walk = (first: string, last: string) => [
  "  local at='' next word index",
  `  for ((index = ${first}; index < ${last}; index++)); do`,
]

function bashScript(program: CommandNote): string[] {
  return [
    '# Completion of mooring for bash:   source <(mooring completion bash)',
    ...sharedFunctions(program),
    '_mooring() {',
    ...walk('1', 'COMP_CWORD'),
    '    next=$(_mooring_step "$at${at:+ }${COMP_WORDS[index]}") && at=$next',
    '  done',
    '  word=${COMP_WORDS[COMP_CWORD]}',
    '  local previous=${COMP_WORDS[COMP_CWORD-1]} known',
    '  if known=$(_mooring_values "$at${at:+ }$previous"); then',
    '    COMPREPLY=($(compgen -W "$known" -- "$word"))',
    '    return',
    '  fi',
    '  known=$(_mooring_words "$at")',
    '  if [[ $word != -* ]] && _mooring_asks "$at"; then',
    '    known+=" $(mooring __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)"',
    '  fi',
    '  COMPREPLY=($(compgen -W "$known" -- "$word"))',
    '}',
    'complete -o default -F _mooring mooring',
  ]
}

function zshScript(program: CommandNote): string[] {
  return [
    '#compdef mooring',
    '# Completion of mooring for zsh:   source <(mooring completion zsh)',
    ...sharedFunctions(program),
    '_mooring() {',
    ...walk('2', 'CURRENT'),
    '    next=$(_mooring_step "$at${at:+ }${words[index]}") && at=$next',
    '  done',
    '  local known',
    '  if known=$(_mooring_values "$at${at:+ }${words[CURRENT-1]}"); then',
    '    compadd -- ${=known}',
    '    return',
    '  fi',
    '  known=$(_mooring_words "$at")',
    '  if [[ ${words[CURRENT]} != -* ]] && _mooring_asks "$at"; then',
    '    known+=" $(mooring __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"',
    '  fi',
    '  compadd -- ${=known} || _files',
    '}',
    'if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mooring "$@"; else compdef _mooring mooring; fi',
  ]
}

function fishOption({ long, short, description, choices, takesValue }: OptionNote): string {
  const parts = [
    long === undefined ? '' : `-l ${long.slice(2)}`,
    short === undefined ? '' : `-s ${short.slice(1)}`,
    takesValue ? '-r' : '',
    choices.length === 0 ? '' : `-f -a ${quoted(choices.join(' '))}`,
    `-d ${quoted(description)}`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

const fishAt = (path: string) => `complete -c mooring -n ${quoted(`__mooring_at ${quoted(path)}`)}`

function fishScript(program: CommandNote): string[] {
  const [root, ...notes] = allNotes(program)
  return [
    '# Completion of mooring for fish:   mooring completion fish | source',
    'function __mooring_path',
    "  set -l at ''",
    '  for word in (commandline -opc)[2..]',
    '    switch (string trim -- "$at $word")',
    ...waysTo(notes).map(([way, path]) => `      case ${quoted(way)}; set at ${quoted(path)}`),
    '    end',
    '  end',
    '  echo $at',
    'end',
    'function __mooring_at',
    '  test (__mooring_path) = "$argv[1]"',
    'end',
    ...(root?.options ?? []).map((option) => `complete -c mooring ${fishOption(option)}`),
    ...[program, ...notes].flatMap((note) => [
      ...note.children.map((child) => {
        const name = child.path.split(' ').at(-1) ?? ''
        return `${fishAt(note.path)} -f -a ${name} -d ${quoted(child.description)}`
      }),
      ...(note.path === '' ? [] : note.options).map(
        (option) => `${fishAt(note.path)} ${fishOption(option)}`,
      ),
    ]),
    ...COMPLETED_COMMANDS.map(
      (path) =>
        `${fishAt(path)} -f -a '(mooring __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
    ),
  ]
}

const SCRIPTS: Record<Shell, (program: CommandNote) => string[]> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

export function completionScript(shell: Shell, program: CommandNote): string {
  return `${SCRIPTS[shell](program).join('\n')}\n`
}
