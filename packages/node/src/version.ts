import { existsSync, readFileSync } from 'node:fs'

/** The version of Mooring: all packages of the repository have one. */
export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const manifest: { version: string } = JSON.parse(text)
  return manifest.version
}

const REPOSITORY = new URL('../../../.git/', import.meta.url)

/** What is checked out, in 12 digits; unknown where the sources came without their history. */
export function readCommit(repository: URL = REPOSITORY): string {
  const head = readLine(new URL('HEAD', repository))
  const [, reference] = /^ref: (refs\/[\w./-]+)$/.exec(head) ?? []
  const commit = reference === undefined ? head : referenced(repository, reference)
  return /^[0-9a-f]{40}/.test(commit) ? commit.slice(0, 12) : 'unknown'
}

function referenced(repository: URL, reference: string): string {
  const loose = readLine(new URL(reference, repository))
  if (loose !== '') return loose
  const packed = new URL('packed-refs', repository)
  if (!existsSync(packed)) return ''
  const lines = readFileSync(packed, 'utf8').split('\n')
  return lines.find((line) => line.endsWith(` ${reference}`)) ?? ''
}

/** Empty when there is no such file. */
function readLine(file: URL): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}
