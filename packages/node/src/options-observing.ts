// What a node shows of itself: metrics, probes, log.

import { address, choice, levels, list, path } from './option-kinds.ts'

export const METRICS_OPTIONS = {
  listen: address({
    default: '127.0.0.1:7423',
    description: 'Address of /metrics, /livez and /readyz; empty turns it off.',
    profiles: { test: '127.0.0.1:0' },
  }),
}

export const LOG_OPTIONS = {
  level: levels({
    default: 'info',
    description: 'Level, and levels of single modules: "info,p2p=debug".',
    profiles: { test: 'warn' },
  }),
  format: choice(['auto', 'pretty', 'json'], {
    default: 'auto',
    description: 'Form of the log lines; auto is pretty on a terminal.',
  }),
  file: path({
    default: '',
    description: 'File for the log, relative to the home; empty: stdout.',
  }),
  redact: list(
    {
      default: [],
      description: 'Fields besides those that always are whose values no line shows: "*.address".',
    },
    {
      pattern: '^(\\*|[A-Za-z_][A-Za-z0-9_]{0,63})(\\.(\\*|[A-Za-z_][A-Za-z0-9_]{0,63})){0,3}$',
      hint: 'expected the path of a field, such as "peer" or "*.address"',
      examples: ['peer', '*.address'],
    },
  ),
}
