// Which reference pages there are, by their path below docs/reference.

import { apiPage } from './reference-api.ts'
import { commandPage } from './reference-commands.ts'
import { configurationPage } from './reference-configuration.ts'
import { errorPage } from './reference-errors.ts'
import { licencePage } from './reference-licences.ts'
import { metricPage } from './reference-metrics.ts'
import { schemaPages } from './reference-schemas.ts'

export async function referencePages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>([
    ['cli.md', await commandPage()],
    ['configuration.md', configurationPage()],
    ['errors.md', errorPage()],
    ['metrics.md', metricPage()],
    ['api.md', apiPage()],
    ['licences.md', licencePage()],
    ...schemaPages(),
  ])
  return new Map([...pages].map(([path, text]) => [path, `${text.trimEnd()}\n`]))
}
