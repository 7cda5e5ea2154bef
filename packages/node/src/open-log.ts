// The log of a node as its options say: where the lines go, in which form.

import type { NodeOptions } from './load-options.ts'
import { createLogger, type RootLogger } from './logger.ts'

export function openLog({ log, name }: Pick<NodeOptions, 'log' | 'name'>): RootLogger {
  const isTerminal = process.stdout.isTTY
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && isTerminal)
  const logger = createLogger({
    levels: log.levels,
    format: isPretty ? 'pretty' : 'json',
    ...(log.file === null ? {} : { destination: log.file }),
    redact: log.redact,
    colour: isTerminal && process.env['NO_COLOR'] === undefined,
  })
  logger.debug('node is starting', { name })
  return logger
}
