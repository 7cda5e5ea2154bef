/*
 * The floors, as a check: bottom floor first, and beside each package the whole of what its `src` may
 * import. A name allows its sub-paths; one that ends in `*`, everything that begins like it.
 *
 * Beyond the table: an import from outside is declared in the package's own package.json; a relative one
 * stays in the package; a sub-path of another package is a file that its `index.ts` re-exports from, or
 * one that its package.json names; `crypto/src/*-node.ts` may use Node and sodium-native, and is reached
 * only through a `#` name that has a browser branch; `api/src/client.ts` and `verify.ts`, with all that they
 * load, run in a browser; only `index.ts` re-exports, by name; only `cli` ends the process.
 *
 * Imports are found by a regular expression. It relies on single quotes (Biome) and on the ban of
 * dynamic import, which is checked here; those in LOADS_LATER say why they are free of it.
 */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

const list = (...names: string[]) => names.join(' ').split(' ')
const PURE = '@mooring/codec @mooring/crypto @mooring/ledger @mooring/consensus @mooring/records'
const IO = '@mooring/fhir @mooring/storage @mooring/network @mooring/api'

const ALLOWED: Record<string, string[]> = {
  codec: list('fflate'),
  crypto: list('@mooring/codec @noble/* @hpke/* @scure/*'),
  ledger: list('@mooring/codec @mooring/crypto'),
  consensus: list('@mooring/codec @mooring/crypto'),
  records: list('@mooring/codec @mooring/crypto'),
  fhir: list(PURE, 'fhir'),
  storage: list(PURE, 'node:* classic-level @aws-sdk/client-s3'),
  network: list(PURE, 'node:* libp2p @libp2p/* @chainsafe/libp2p-* @multiformats/* uint8arraylist'),
  api: list(PURE, 'node:* fastify @fastify/*'),
  node: list(
    PURE,
    IO,
    'node:* croner pino pino-pretty prom-client smol-toml tar-stream @opentelemetry/*',
  ),
  cli: list(PURE, '@mooring/node @mooring/api @mooring/fhir node:* commander uqr'),
  web: list(PURE, '@mooring/api/client @mooring/api/verify @mooring/fhir'),
}
const CRYPTO_IN_NODE = list('@mooring/codec @noble/* node:* sodium-native')
const LOADS_LATER = [
  'packages/cli/src/commands.ts',
  'packages/cli/src/commands/devnet-node.ts',
  'packages/cli/src/commands/token.ts',
  'packages/cli/src/devnet/up.ts',
  'packages/cli/src/load-node.ts',
  'packages/node/src/open-tracing.ts',
  'packages/storage/src/open-blob-store.ts',
]
const BROWSER_HALF = ['packages/api/src/client.ts', 'packages/api/src/verify.ts']
const IMPORT = /^\s*(import|export)\s+(type\s)?(?:([\w\s{},*$]*?)\sfrom\s+)?'([^']+)'/gm

type Import = { verb: string; isType: boolean; names: string; from: string }
type Manifest = {
  dependencies?: Record<string, string>
  exports?: Record<string, string>
  imports?: Record<string, { browser?: string }>
}

function importsOf(file: string): Import[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(
    ([, verb = '', type, names = '', from = '']) => ({ verb, isType: !!type, names, from }),
  )
}

/** These files and what they load; a type-only import loads nothing. */
function loadedWith(files: string[]): Set<string> {
  const seen = new Set(files.filter((file) => existsSync(file)))
  for (const file of seen)
    for (const { isType, from } of importsOf(file))
      if (!isType && from.startsWith('.')) seen.add(join(dirname(file), from))
  return seen
}

function manifestOf(name: string): Manifest {
  const file = join('packages', name, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

function matches(from: string, name: string): boolean {
  if (name.endsWith('*')) return from.startsWith(name.slice(0, -1))
  return from === name || from.startsWith(`${name}/`)
}

function checkRelative(file: string, folder: string, from: string): string | undefined {
  if (!join(dirname(file), from).startsWith(folder + sep)) return `'${from}' leaves the package`
  if (folder.endsWith('crypto') && from.endsWith('-node.ts') && !file.endsWith('-node.ts'))
    return `'${from}' without a # name`
  return undefined
}

/** One file of another package, for who would load too much with the whole of it. */
function isOffered(from: string): boolean {
  const [, name = '', file] = /^@mooring\/([^/]+)\/(.+)$/.exec(from) ?? []
  if (file === undefined) return true
  const { exports = {} } = manifestOf(name)
  if (exports[`./${file}`] !== undefined) return true
  const index = join('packages', name, 'src', 'index.ts')
  return existsSync(index) && importsOf(index).some((each) => each.from === `./${file}.ts`)
}

function checkOutside(from: string, allowed: string[], manifest: Manifest): string | undefined {
  if (!isOffered(from)) return `'${from}' is no part of what index.ts offers`
  if (from.startsWith('#')) {
    if (manifest.imports?.[from]?.browser !== undefined) return undefined
    return `'${from}' has no browser branch in the imports of package.json`
  }
  if (!allowed.some((name) => matches(from, name))) return `may not import '${from}'`
  const declared = ['node:*', ...Object.keys(manifest.dependencies ?? {})]
  if (declared.some((name) => matches(from, name.replace('@types/', '')))) return undefined
  return `'${from}' is not among the dependencies of package.json`
}

function* checkFile(file: string, name: string, manifest: Manifest): Generator<string> {
  let allowed = ALLOWED[name] ?? []
  if (name === 'crypto' && file.endsWith('-node.ts')) allowed = CRYPTO_IN_NODE
  if (browserHalf.has(file)) allowed = list(PURE)
  for (const { verb, names, from } of importsOf(file)) {
    const wrong = from.startsWith('.')
      ? checkRelative(file, join('packages', name), from)
      : checkOutside(from, allowed, manifest)
    if (wrong !== undefined) yield wrong
    if (verb === 'export' && (names.includes('*') || !file.endsWith(join('src', 'index.ts'))))
      yield `re-exports '${from}'; only index.ts does, by name`
  }
  const source = readFileSync(file, 'utf8')
  if (!LOADS_LATER.includes(file) && /\b(import|require)\((?!\))/.test(source))
    yield 'dynamic import'
  if (name !== 'cli' && source.includes('process.exit(')) yield 'process.exit outside cli'
}

process.chdir(process.argv[2] ?? '.')
const browserHalf = loadedWith(BROWSER_HALF)
const problems: string[] = []
let fileCount = 0
for (const name of readdirSync('packages').toSorted()) {
  if (ALLOWED[name] === undefined) problems.push(`packages/${name}: not in the table of floors`)
  const manifest = manifestOf(name)
  for (const file of globSync(`packages/${name}/src/**/*.ts`).toSorted()) {
    fileCount += 1
    for (const problem of checkFile(file, name, manifest)) problems.push(`${file}: ${problem}`)
  }
}
for (const problem of problems) console.error(problem)
console.log(`layers: ${fileCount} files, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
