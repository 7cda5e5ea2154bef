// The log: a constant sentence and fields, `logger.info('block finalized', { height })`. JSON lines,
// or a readable form on a terminal. A module has its own level ("info,p2p=debug") and levels change
// while the node runs. What could open something is redacted, whoever passes it. `event` is what machines
// know a sentence by; see log-events.ts.

import { pino, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { LOG_EVENTS } from './log-events.ts'
import type { LogLevel, LogLevels } from './option-values.ts'
import { RecentLines } from './recent-lines.ts'

export type LogFields = Readonly<Record<string, unknown>>

export type WritableLevel = Exclude<LogLevel, 'silent'>

export type Logger = {
  trace(sentence: string, fields?: LogFields): void
  debug(sentence: string, fields?: LogFields): void
  info(sentence: string, fields?: LogFields): void
  warn(sentence: string, fields?: LogFields): void
  error(sentence: string, fields?: LogFields): void
  // For parts that are handed one function.
  log(level: WritableLevel, sentence: string, fields?: LogFields): void
  module(name: string): Logger
}

export type RootLogger = Logger & {
  levels(): LogLevels
  // Names of those that have logged or may, each once.
  modules(): string[]
  setLevels(levels: LogLevels): void
  // The last lines as JSON, whatever the form of the log; oldest first.
  recent(): string[]
  close(): void
}

export type LogSink = { write(line: string): void }

export type LoggerOptions = {
  levels: LogLevels
  format: 'pretty' | 'json'
  // A path, or where the lines go instead of standard output.
  destination?: string | LogSink
  colour?: boolean
  // Fields besides those that always are whose values no line shows.
  redact?: readonly string[]
}

const SECRET = [
  'seed',
  'secret',
  'secretKey',
  'privateKey',
  'token',
  'passphrase',
  'opening',
  'raw',
]

const REDACTED = [...SECRET.flatMap((key) => [key, `*.${key}`]), 'record.payload', '*.payload']

// An error with a code explains itself; one without is a bug, and its stack is what helps.
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error ? error.code : undefined
  const { name, message, stack } = error
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) }
  return code === undefined ? { name, message, stack, ...cause } : { name, code, message, ...cause }
}

type Sink = LogSink & { flushSync?: () => void; end?: () => void }

function openSink(options: LoggerOptions): Sink {
  const { destination } = options
  if (typeof destination === 'object') return destination
  return pino.destination({ dest: destination ?? 1, sync: true, mkdir: true, mode: 0o600 })
}

function readable(colour: boolean): (line: string) => string {
  const format = prettyFactory({
    colorize: colour,
    ignore: 'pid,hostname,module,event',
    messageKey: 'message',
    messageFormat: '{if module}{module}: {end}{message}',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return (line) => format(line)
}

function named(sentence: string, fields: LogFields): LogFields {
  const event = LOG_EVENTS.get(sentence)
  return event === undefined ? fields : { event, ...fields }
}

export function createLogger(options: LoggerOptions): RootLogger {
  let levels = options.levels
  const sink = openSink(options)
  const recent = new RecentLines()
  const shape =
    options.format === 'json' ? (line: string) => line : readable(options.colour ?? false)
  const write = (line: string): void => {
    recent.add(line)
    sink.write(shape(line))
  }
  const root = pino(
    {
      level: levels.base,
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: [...REDACTED, ...(options.redact ?? [])], censor: '[redacted]' },
      serializers: { error: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  )
  const children: { name: string; line: { level: string } }[] = []
  const levelOf = (name: string): LogLevel => levels.modules[name] ?? levels.base

  const wrap = (line: pino.Logger): Logger => {
    const log = (level: WritableLevel, sentence: string, fields: LogFields = {}) =>
      line[level](named(sentence, fields), sentence)
    return {
      trace: (sentence, fields) => log('trace', sentence, fields),
      debug: (sentence, fields) => log('debug', sentence, fields),
      info: (sentence, fields) => log('info', sentence, fields),
      warn: (sentence, fields) => log('warn', sentence, fields),
      error: (sentence, fields) => log('error', sentence, fields),
      log,
      module: (name) => {
        const child = root.child({ module: name }, { level: levelOf(name) })
        children.push({ name, line: child })
        return wrap(child)
      },
    }
  }

  return {
    ...wrap(root),
    levels: () => levels,
    modules: () => [...new Set(children.map(({ name }) => name))].toSorted(),
    recent: () => recent.list(),
    setLevels: (next) => {
      levels = next
      root.level = next.base
      for (const child of children) child.line.level = levelOf(child.name)
    },
    close: () => {
      root.flush()
      if (typeof options.destination === 'string') sink.end?.()
    },
  }
}
