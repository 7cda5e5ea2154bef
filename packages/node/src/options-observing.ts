// What a node shows of itself: metrics, probes, log.

import { address, choice, levels, list, path, text } from './option-kinds.ts'

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

export const TRACING_OPTIONS = {
  otlp_endpoint: text(
    {
      default: '',
      description: 'Where traces go, by OTLP over HTTP; empty: nothing is traced.',
    },
    {
      pattern: '^(https?://[^\\s/?#@]+(/[^\\s#@]*)?)?$',
      hint: 'expected a URL, for example "http://collector:4318/v1/traces"',
      examples: ['http://127.0.0.1:4318/v1/traces', 'https://collector.example/v1/traces'],
    },
  ),
  sample: text(
    {
      default: '0.01',
      description: 'Share of the requests that are traced; those whose caller traces always are.',
    },
    {
      pattern: '^(0(\\.[0-9]{1,6})?|1(\\.0{1,6})?)$',
      hint: 'expected a share from "0" to "1"',
      examples: ['0.01', '1'],
    },
  ),
}
