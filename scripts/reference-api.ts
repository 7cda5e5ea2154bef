// What can be asked over HTTP. The contract itself is the OpenAPI document; this is its overview.

import { readFileSync } from 'node:fs'
import { code, GENERATED, markdownTable, paragraphs, plain } from './markdown.ts'

type Operation = {
  operationId: string
  summary: string
  tags: string[]
  responses: Record<string, unknown>
}

type Document = {
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
}

const CONTRACT = new URL('../packages/api/openapi.json', import.meta.url)

export function apiPage(): string {
  const { tags, paths }: Document = JSON.parse(readFileSync(CONTRACT, 'utf8'))
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  return paragraphs(
    GENERATED,
    '# HTTP API',
    `The contract is the OpenAPI 3.1 document that a node serves at ${code('/openapi.json')}; a copy is
[packages/api/openapi.json](../../packages/api/openapi.json). Bodies are JSON in camelCase, times RFC 3339 in UTC, digests
lower-case hexadecimal. Every answer that is not 2xx is a problem document (RFC 9457): ${code('type')} names an entry of
[errors.md](errors.md), ${code('code')} is for programs, ${code('instance')} finds the line in the log.`,
    ...tags.flatMap(({ name, description }) => {
      const within = operations.filter(({ operation }) => operation.tags.includes(name))
      if (within.length === 0) return []
      const rows = within.map(({ path, method, operation }) => [
        code(`${method.toUpperCase()} ${path}`),
        plain(operation.summary),
        Object.keys(operation.responses).join(' '),
      ])
      return [`## ${description}`, markdownTable(['route', 'what it does', 'answers'], rows)]
    }),
  )
}
