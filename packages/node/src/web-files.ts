// The files of the pages that a browser opens, read once from the sources: types are stripped, and each
// import is replaced by the address of the module it means in a browser. Only what the first module
// reaches is there, so that nothing else of the disk can be asked for. A module at a time: the node has
// other things to do meanwhile.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PageFile } from '@mooring/api'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PAGES = join(ROOT, 'packages/web/page')
const FIRST = join(ROOT, 'packages/web/src/explorer.ts')
const CONDITIONS = ['browser', 'import', 'default']
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const SCRIPT = 'text/javascript; charset=utf-8'
/** Of a statement: in comments nothing begins a line like this. */
const IMPORT = /^(\s*(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*)(["'])([^"'\n]+)\2/gm

/** By path below the place where they are served; the empty path is the page itself. */
export async function readWebFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>()
  for (const name of await readdir(PAGES)) {
    const path = name === 'index.html' ? '' : name
    files.set(path, pageFile(TYPES[extname(name)] ?? SCRIPT, await readFile(join(PAGES, name))))
  }
  for (const [path, source] of await readModules(FIRST))
    files.set(addressOf(path), pageFile(SCRIPT, Buffer.from(source)))
  return files
}

function pageFile(type: string, bytes: Uint8Array): PageFile {
  const digest = createHash('sha256').update(bytes).digest('hex')
  return { type, bytes, etag: `"${digest}"` }
}

const addressOf = (file: string): string => `modules/${relative(ROOT, file).split(sep).join('/')}`

async function readModules(first: string): Promise<Map<string, string>> {
  const read = new Map<string, string>()
  const waiting = [first]
  for (const file of waiting) {
    if (read.has(file)) continue
    const source = await readFile(file, 'utf8')
    const script = file.endsWith('.ts') ? stripTypeScriptTypes(source) : source
    const placed = script.replaceAll(IMPORT, (_, before: string, quote: string, name: string) => {
      const target = resolve(name, file)
      waiting.push(target)
      return `${before}${quote}${addressBetween(file, target)}${quote}`
    })
    read.set(file, placed)
  }
  return read
}

/** Relative, so that the pages work below any path of a proxy. */
function addressBetween(from: string, to: string): string {
  const path = relative(dirname(addressOf(from)), addressOf(to))
    .split(sep)
    .join('/')
  return path.startsWith('.') ? path : `./${path}`
}

function resolve(name: string, from: string): string {
  if (name.startsWith('.')) return join(dirname(from), name)
  if (name.startsWith('#')) {
    const folder = packageAround(from)
    return join(folder, chosen(manifestOf(folder)['imports'], name))
  }
  const [scope = '', second = '', ...rest] = name.split('/')
  const isScoped = scope.startsWith('@')
  const packageName = isScoped ? `${scope}/${second}` : scope
  const inner = isScoped ? rest : [second, ...rest].filter((part) => part !== '')
  const folder = packageFolder(packageName, dirname(from))
  const manifest = manifestOf(folder)
  const { exports } = manifest
  const path = ['.', ...inner].join('/')
  if (exports === undefined) return join(folder, String(manifest['module'] ?? manifest['main']))
  return join(folder, typeof exports === 'string' ? exports : chosen(exports, path))
}

/** @throws when a browser has no such module: then the pages cannot be served at all. */
function chosen(table: unknown, name: string): string {
  let found: unknown = isTable(table) ? table[name] : undefined
  while (isTable(found)) {
    const branches: Record<string, unknown> = found
    const condition = CONDITIONS.find((each) => Object.hasOwn(branches, each))
    found = condition === undefined ? undefined : branches[condition]
  }
  if (typeof found !== 'string') throw new Error(`no module '${name}' for a browser`)
  return found
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function manifestOf(folder: string): Record<string, unknown> {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return isTable(manifest) ? manifest : {}
}

function packageAround(file: string): string {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** As Node looks for it: in the nearest node_modules above. Workspaces are links to their sources. */
function packageFolder(name: string, from: string): string {
  let folder = from
  for (;;) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
    const above = dirname(folder)
    if (above === folder) throw new Error(`package '${name}' is not installed`)
    folder = above
  }
}
