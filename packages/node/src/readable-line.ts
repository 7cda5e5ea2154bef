// A line of the log for people, from the one for programs:
//
//   [21:58:03.120] WARN: p2p: peer not connected {"peer":"riverside"}
//
// and under it the stacks of an error that nobody expected and of its causes. What was redacted
// stays so.

import { styleText } from 'node:util'

type Colour = Parameters<typeof styleText>[0]

type Line = { time: string; level: string; module?: string; message: string; error?: unknown }

const COLOURS: Readonly<Record<string, Colour>> = {
  trace: 'gray',
  debug: 'blue',
  info: 'green',
  warn: 'yellow',
  error: 'red',
}

export function formatReadable(json: string, isColoured: boolean): string {
  const line: Line = JSON.parse(json)
  const { time, level, module, message, ...fields } = line
  const paint = (colour: Colour, text: string) =>
    isColoured ? styleText(colour, text, { validateStream: false }) : text
  const stacks: string[] = []
  const rest = JSON.stringify({ ...fields, error: withoutStacks(fields.error, stacks) })
  const head = [
    `[${localTime(time)}]`,
    `${paint(COLOURS[level] ?? 'red', level.toUpperCase())}:`,
    paint('cyan', module === undefined ? message : `${module}: ${message}`),
    ...(rest === '{}' ? [] : [paint('gray', rest)]),
  ]
  const below = stacks.flatMap((stack) => stack.split('\n')).map((text) => `    ${text}\n`)
  return `${head.join(' ')}\n${below.join('')}`
}

function localTime(time: string): string {
  const date = new Date(time)
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function withoutStacks(error: unknown, stacks: string[]): unknown {
  if (typeof error !== 'object' || error === null) return error
  const { stack, cause, ...rest }: { stack?: unknown; cause?: unknown } = error
  if (typeof stack === 'string') stacks.push(stack)
  return cause === undefined ? rest : { ...rest, cause: withoutStacks(cause, stacks) }
}
