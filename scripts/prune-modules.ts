/*
 * Leaves in node_modules what a running node opens, and the licences: no source maps, no TypeScript and its
 * declarations, no second builds for browsers and bundlers, no tests and pages of packages, no native files of
 * other platforms.
 *
 *   node scripts/prune-modules.ts [<folder that holds node_modules>]
 *
 * It runs where an image is built, after `npm ci`. The workspaces are links into packages/, and nothing is
 * followed through a link: our own TypeScript is what runs.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

type Platform = { os: string; cpu: string }

const LICENCE = /^(licen[cs]e|copying|notice|patents|authors)/i
const LOADED = /(?<![.-]min)\.([cm]?js|json|node|wasm)$/i
const SIDE_FOLDERS = /^(tests?|spec|benchmarks?|bench|examples?|docs?|coverage|deps|man)$/
const SECOND_BUILDS = [join('build', 'esm'), join('build', 'esnext'), 'dist-es', 'dist-types']
const NOT_FOR_NODE = ['browser', 'module', 'react-native', 'types', 'deno', 'bun', 'worker']

type Manifest = { main?: unknown; exports?: unknown; bin?: unknown; imports?: unknown }

/** The files that Node may enter a package through, by its package.json. */
function entriesOf(value: unknown): string[] {
  if (typeof value === 'string') return [join(value)]
  if (Array.isArray(value)) return value.flatMap(entriesOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([condition, inner]) =>
    NOT_FOR_NODE.includes(condition) ? [] : entriesOf(inner),
  )
}

function isEntered(folder: string, entries: string[]): boolean {
  return entries.some((entry) => entry === folder || entry.startsWith(folder + sep))
}

/** prebuilds/linux-x64/name.node, darwin-x64+arm64, linux-arm64/name.armv8.node, name.musl.node */
function isForeign(folder: string, file: string, { os, cpu }: Platform): boolean {
  const [wantedOs, cpus = ''] = folder.split('-')
  if (wantedOs !== os || !cpus.split('+').includes(cpu)) return true
  return file.includes('.musl.')
}

function isKept(file: string): boolean {
  return LICENCE.test(file) || (LOADED.test(file) && !file.startsWith('.'))
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

function prunePackage(root: string, platform: Platform): void {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = [manifest.main, manifest.exports, manifest.bin, manifest.imports].flatMap(
    entriesOf,
  )
  for (const { name } of readdirSync(root, { withFileTypes: true })) {
    if (SIDE_FOLDERS.test(name) && !isEntered(name, entries)) remove(join(root, name))
  }
  for (const folder of SECOND_BUILDS) {
    if (entries.length > 0 && !isEntered(folder, entries)) remove(join(root, folder))
  }
  pruneFolder(root, platform)
}

function pruneFolder(folder: string, platform: Platform): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isSymbolicLink()) continue
    if (entry.isDirectory()) {
      if (entry.name === 'node_modules') pruneModules(path, platform)
      else if (entry.name === 'prebuilds') prunePrebuilds(path, platform)
      else pruneFolder(path, platform)
    } else if (!isKept(entry.name)) remove(path)
  }
  if (readdirSync(folder).length === 0) remove(folder)
}

function prunePrebuilds(folder: string, platform: Platform): void {
  for (const target of readdirSync(folder)) {
    const place = join(folder, target)
    for (const file of readdirSync(place)) {
      if (isForeign(target, file, platform) || !isKept(file)) remove(join(place, file))
    }
    if (readdirSync(place).length === 0) remove(place)
  }
}

export function pruneModules(folder: string, platform: Platform): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isSymbolicLink() || !entry.isDirectory() || entry.name === '.bin') continue
    if (entry.name.startsWith('@')) pruneModules(path, platform)
    else if (existsSync(join(path, 'package.json'))) prunePackage(path, platform)
  }
}

export function sizeOf(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return bytes
}

const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`

if (import.meta.main) {
  const modules = join(process.argv[2] ?? '.', 'node_modules')
  const before = sizeOf(modules)
  pruneModules(modules, { os: process.platform, cpu: process.arch })
  const place = relative(process.cwd(), modules)
  console.log(`${place}: ${mebibytes(before)} before, ${mebibytes(sizeOf(modules))} after`)
}
