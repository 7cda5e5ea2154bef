// Every metric, in the order in which a node declares it.

import { createMetrics } from '@mooring/node'
import { code, GENERATED, markdownTable, paragraphs, plain } from './markdown.ts'

export function metricPage(): string {
  const metrics = createMetrics()
  const rows = metrics
    .catalogue()
    .map(({ name, type, labels, help }) => [
      code(name),
      type,
      labels.map(code).join(' '),
      plain(help),
    ])
  const own = new Set(metrics.catalogue().map(({ name }) => name))
  const others = metrics.names().filter(({ name }) => !own.has(name))
  metrics.close()
  return paragraphs(
    GENERATED,
    '# Metrics',
    `Served at ${code('/metrics')} of the metrics listener (${code('[metrics] listen')}), in the text format of Prometheus.
A label ${code('peer')}, ${code('holder')} or ${code('authority')} is the name of a member; all other labels are fixed words, so that
their number does not grow with what a stranger sends. No metric names a patient, a record or a grant.`,
    markdownTable(['metric', 'type', 'labels', 'what it says'], rows),
    '## Of the process',
    `Also there, as every program of Node has them: ${others.map(({ name }) => code(name)).join(', ')}.`,
  )
}
