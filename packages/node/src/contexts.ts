// Nodes that a person administers from this computer, by name: contexts.toml holds how to reach each.
//
//   [st-mary]
//   endpoint = "https://st-mary.example:7421"
//   token_file = "st-mary.token"

import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { NodeError } from './node-error.ts'
import { nearest } from './option-values.ts'

const FIELDS = ['endpoint', 'token_file', 'cacert', 'cert', 'key', 'home'] as const
const TEXT_MAX = 64 * 1024

export type ContextField = (typeof FIELDS)[number]

export type NodeContext = Readonly<Partial<Record<ContextField, string>>>

async function readTree(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  })
  if (text.length > TEXT_MAX) {
    throw new NodeError('contexts_invalid', { path, detail: 'it is too large' })
  }
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [what = ''] = error.message.replace('Invalid TOML document: ', '').split('\n')
    const detail = `${error.line}:${error.column} ${what}`
    throw new NodeError('contexts_invalid', { path, detail }, { cause: error })
  }
}

function fieldsOf(path: string, name: string, table: object): NodeContext {
  const fields: Partial<Record<ContextField, string>> = {}
  for (const [key, value] of Object.entries(table)) {
    const field = FIELDS.find((each) => each === key)
    if (field === undefined || typeof value !== 'string') {
      const near = field === undefined ? nearest(key, FIELDS) : undefined
      const meant = near === undefined ? '' : `, did you mean "${near}"?`
      const detail = `[${name}] ${key} is ${field ? 'no text' : `unknown${meant}`}`
      throw new NodeError('contexts_invalid', { path, detail })
    }
    fields[field] = field === 'endpoint' ? value : resolve(dirname(path), value)
  }
  return fields
}

/** Paths are made absolute, from the folder of the file. */
export async function readContext(path: string, name: string): Promise<NodeContext> {
  const tree = await readTree(path)
  const table = tree[name]
  if (typeof table === 'object' && table !== null) return fieldsOf(path, name, table)
  const near = nearest(name, Object.keys(tree))
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`
  throw new NodeError('context_unknown', { name, path, meant })
}
