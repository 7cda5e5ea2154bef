/*
 * Figures on this computer, one benchmark after the other:
 *
 *   npm run bench                          all of them
 *   npm run bench -- consensus sync        some; `npm run bench -- --help` lists them
 *   npm run bench -- sync --runs 5 --json  one document for programs, on standard output alone
 *   npm run bench -- --quick               a smoke test of each, in seconds
 *   npm run bench -- consensus --plot      measure, keep the results, write docs/performance.md and its charts
 *   npm run bench -- --write               write them again from the results that are kept
 *
 * `--out <folder>` takes the place of `docs`. Words after the names that are not known here go to the programs
 * (`consensus --nodes 7`). Each benchmark is a program of its own beside the package that it measures. Nothing
 * is asserted here: a figure is to be read, and a busy computer gives other figures.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CATALOGUE } from './bench/catalogue.ts'
import type { BenchResult } from './bench/figures.ts'
import { keepResult, writePage } from './bench/saved.ts'
import { tableOf } from './bench/table.ts'

const { names, flags, passed, out } = readWords(process.argv.slice(2))
const docs = out ?? fileURLToPath(new URL('../docs', import.meta.url))
const unknown = names.filter((name) => CATALOGUE[name] === undefined)
if (flags.has('help') || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no benchmark ${unknown.join(', ')}; there are:`)
  for (const [name, { what }] of Object.entries(CATALOGUE)) {
    console.error(`  ${name.padEnd(14)}${what}`)
  }
  process.exit(unknown.length > 0 ? 2 : 0)
}

if (flags.has('plot') && passed.includes('--quick') && out === null) {
  console.error('a smoke test is no measurement: --out <folder> keeps it elsewhere')
  process.exit(2)
}
if (flags.has('write')) {
  await writePage(docs)
  process.exit(0)
}

const results: BenchResult[] = []
let failed = 0
for (const name of names.length > 0 ? names : Object.keys(CATALOGUE)) {
  const output = await measure(name)
  if (output === null) {
    failed += 1
    continue
  }
  const result = readResult(output)
  if (result === null) process.stdout.write(`\n== ${name}\n${output}`)
  else results.push(result)
  if (result !== null && !flags.has('json')) process.stdout.write(`\n${tableOf(result)}\n`)
  if (result !== null && flags.has('plot')) await keepResult(docs, result)
}
if (flags.has('plot')) await writePage(docs)
if (flags.has('json')) process.stdout.write(`${JSON.stringify({ results })}\n`)
process.exitCode = failed === 0 ? 0 : 1

async function measure(name: string): Promise<string | null> {
  const file = CATALOGUE[name]?.file ?? ''
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const words = [path, '--json', ...passed]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code === 0) return output
  console.error(`${name}: exit ${String(code)}`)
  return null
}

function readResult(output: string): BenchResult | null {
  try {
    const result: BenchResult = JSON.parse(output)
    return Array.isArray(result.figures) ? result : null
  } catch {
    return null
  }
}

interface Words {
  names: string[]
  flags: Set<string>
  passed: string[]
  out: string | null
}

function readWords(words: readonly string[]): Words {
  const own = new Set(['help', 'json', 'plot', 'write'])
  const found: Words = { names: [], flags: new Set(), passed: [], out: null }
  const left = words.values()
  let isPassed = false
  for (const word of left) {
    const name = word.startsWith('--') ? word.slice(2) : null
    if (name === 'out') found.out = left.next().value ?? null
    else if (name !== null && own.has(name)) found.flags.add(name)
    else if (name !== null || isPassed) {
      isPassed = name !== 'quick'
      found.passed.push(word)
    } else found.names.push(word)
  }
  return found
}
