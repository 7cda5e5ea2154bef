// The log: a constant sentence and fields, `logger.info('block finalized', { height })`. JSON lines,
// or a readable form on a terminal. A module has its own level ("info,p2p=debug") and levels change
// while the node runs. What could open something is redacted, whoever passes it.

import { pino, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { LogLevel, LogLevels } from './option-values.ts'

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
  setLevels(levels: LogLevels): void
  close(): void
}

export type LogSink = { write(line: string): void }

export type LoggerOptions = {
  levels: LogLevels
  format: 'pretty' | 'json'
  // A path, or where the lines go instead of standard output.
  destination?: string | LogSink
  colour?: boolean
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

function readable(sink: LogSink, colour: boolean): LogSink {
  const format = prettyFactory({
    colorize: colour,
    ignore: 'pid,hostname,module',
    messageKey: 'message',
    messageFormat: '{if module}{module}: {end}{message}',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return { write: (line) => sink.write(format(line)) }
}

export function createLogger(options: LoggerOptions): RootLogger {
  let levels = options.levels
  const sink = openSink(options)
  const root = pino(
    {
      level: levels.base,
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: '[redacted]' },
      serializers: { error: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format === 'json' ? sink : readable(sink, options.colour ?? false),
  )
  const children: { name: string; line: { level: string } }[] = []
  const levelOf = (name: string): LogLevel => levels.modules[name] ?? levels.base

  const wrap = (line: pino.Logger): Logger => {
    const log = (level: WritableLevel, sentence: string, fields: LogFields = {}) =>
      line[level](fields, sentence)
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
