// Which reference pages there are, by their path below docs/reference.

import { apiPage } from './reference-api.ts'
import { commandPage } from './reference-commands.ts'
import { configurationPage } from './reference-configuration.ts'
import { errorPage } from './reference-errors.ts'
import { metricPage } from './reference-metrics.ts'

export function referencePages(): Map<string, string> {
  const pages = new Map([
    ['cli.md', commandPage()],
    ['configuration.md', configurationPage()],
    ['errors.md', errorPage()],
    ['metrics.md', metricPage()],
    ['api.md', apiPage()],
  ])
  return new Map([...pages].map(([path, text]) => [path, `${text.trimEnd()}\n`]))
}
