// The end of every help: examples that work as they stand, and the exit codes of that command.

import { parseDuration } from '@mooring/node/option-values'
import { type Command, InvalidArgumentError, Option } from 'commander'

export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'unexpected failure',
  2: 'usage error',
  3: 'configuration or genesis invalid',
  4: 'node unreachable, or no answer in time',
  5: 'not authenticated, not allowed',
  6: 'not found',
  7: 'conflict: it exists, or differs',
  8: 'verification failed',
  9: 'not final, or not ready, within the time-out',
  10: 'home in use by another process',
  11: 'database corrupt, data missing, or disk full',
  12: 'the guard against double signing refused',
  13: 'incompatible version, or another network',
  14: 'this organisation was removed from the network',
  130: 'interrupted before the orderly stop was complete (143 by SIGTERM)',
}

export type Help = {
  examples: readonly string[]
  // Besides 0, 1 and 2.
  exits: readonly number[]
}

function formatHelpEnd({ examples, exits }: Help): string {
  const codes = [0, 1, 2, ...exits].map((code) => `  ${code}`.padEnd(7) + (EXIT_CODES[code] ?? ''))
  const lines = ['', 'Examples:', ...examples.map((line) => `  ${line}`), '', 'Exit codes:']
  return [...lines, ...codes].join('\n')
}

const HELPS = new WeakMap<Command, Help>()

// What `withHelp` was given for it.
export function helpOf(command: Command): Help {
  const help = HELPS.get(command)
  if (help === undefined) throw new TypeError(`"${command.name()}" has no help of its own`)
  return help
}

export function withHelp(command: Command, help: Help): Command {
  HELPS.set(command, help)
  return command.addHelpText('after', formatHelpEnd(help))
}

export function durationArgument(text: string): number {
  const parsed = parseDuration(text)
  if ('value' in parsed) return parsed.value
  throw new InvalidArgumentError(`${parsed.expected}.`)
}

export function countArgument(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number.')
}

export function timeoutOption(text: string, ms: number): Option {
  return new Option('--timeout <duration>', 'how long an answer may take')
    .argParser(durationArgument)
    .default(ms, text)
}

const WATCHABLE = new WeakSet<Command>()

export const isWatchable = (command: Command): boolean => WATCHABLE.has(command)

// Lists and states, which `watching.ts` runs again and again.
export function watchable(command: Command): Command {
  WATCHABLE.add(command)
  return command
    .option('--watch', 'again and again, until Ctrl-C')
    .addOption(
      new Option('--interval <duration>', 'with --watch')
        .argParser(durationArgument)
        .default(2_000, '2s'),
    )
}

const isBelowGroup = ({ parent }: Command) => parent !== null && parent.parent !== null

// For commands that ask a node.
export function remote(command: Command): Command {
  const isState = ['list', 'status'].includes(command.name()) && isBelowGroup(command)
  const timed = command.addOption(timeoutOption('10s', 10_000))
  return isState ? watchable(timed) : timed
}
