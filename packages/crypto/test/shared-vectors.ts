// Public test vectors that lie beside the project, if they are there.

import { existsSync, readdirSync, readFileSync } from 'node:fs'

const vectors = new URL('../../../../shared/data/vectors/', import.meta.url)

export function readVectors(path: string): unknown {
  const url = new URL(path, vectors)
  if (existsSync(url)) return JSON.parse(readFileSync(url, 'utf8'))
  process.stdout.write(`shared vectors ${path} are not here: built-in cases only\n`)
  return undefined
}

/** The text of every JSON file below a folder, by name. */
export function readVectorTexts(folder: string): [name: string, text: string][] {
  const url = new URL(folder, vectors)
  if (!existsSync(url)) {
    process.stdout.write(`shared vectors ${folder} are not here: built-in cases only\n`)
    return []
  }
  const names = readdirSync(url, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, readFileSync(new URL(name.replaceAll('%', '%25'), url), 'utf8')])
}
