/*
 * Runs test files, each in a process of its own, and takes none at its word.
 *
 *   node scripts/test.ts <folder or file>... [--name <pattern>] [--first <pattern>] [--jobs <n>] [--timeout <seconds>]
 *
 * uvu exits 0 when a hook throws, when `test.run()` is forgotten, when a test throws null or a
 * string, when `.only` is left in, and it waits for ever on an open socket. So a file is green only if
 * its process ended by itself with code 0, its last summary says that every test ran and passed, and
 * its text leaves no test out. A summary that a test imitates comes before the real one.
 *
 * Every folder named must hold a test file: one that was renamed would otherwise take its tests out of
 * the run in silence. The pattern then narrows the files by path and must leave at least one.
 *
 * A green file says nothing but what it has measured: its lines `figure: <text>`.
 *
 * What Node makes of the sources is kept between files, except where coverage is measured: most of the time
 * of a small file is stripping the types of what it imports.
 *
 * A file under test/host may exit 77 after printing `skip: <reason>`; it counts as neither and is listed
 * at the end. The last line, `N passed, N failed`, counts tests; a file that is red for another reason
 * than a failing test, and a folder without tests, count as one failure.
 */
import { globSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { type Ended, killAllOnSignal, runProcess } from './run-process.ts'

type Verdict = { passed: number; failed: number; skip?: string; reason?: string }

const FIGURE = /figure: (.+)$/gm
const SUMMARY = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm

function findTests(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  if (found.isFile()) return [join(path)]
  const names = globSync('**/*.test.ts', { cwd: path, exclude: ['**/node_modules'] })
  return names.map((name) => join(path, name))
}

function leftOut(source: string): string | undefined {
  if (/^\s*\w+\.(only|skip)\(/m.test(source)) return '.only or .skip was left in'
  const suites = [...source.matchAll(/^const (\w+) = suite\(/gm)].map(([, name]) => name)
  for (const name of ['test', ...suites]) {
    const lastTest = [...source.matchAll(new RegExp(`(?<![.\\w])${name}\\(`, 'g'))].pop()?.index
    if (lastTest !== undefined && source.lastIndexOf(`${name}.run()`) < lastTest)
      return `no ${name}.run() after the last ${name}()`
  }
  return undefined
}

function judge(file: string, ended: Ended, timeoutMs: number): Verdict {
  const summary = [...ended.stdout.matchAll(SUMMARY)].pop() ?? []
  const [total = 0, passed = 0, skipped = 0] = summary.slice(1).map(Number)
  const skip = /^skip: (.+)$/m.exec(ended.stdout)?.[1]
  const failed = Math.max(1, total - passed)
  const red = (reason: string): Verdict => ({ passed, failed, reason })
  if (ended.timedOut) return red(`not finished after ${timeoutMs / 1000} s`)
  if (ended.signal !== null) return red(`killed by ${ended.signal}`)
  if (ended.code === 77) {
    if (!file.startsWith(join('test', 'host', sep))) return red('exit code 77 outside test/host')
    if (skip === undefined) return red('exit code 77 without a line "skip: <reason>"')
    return { passed: 0, failed: 0, skip }
  }
  if (total === 0) return red('no test ran: test.run() is missing, or it ended early')
  if (passed !== total) return red(`${total - passed} of ${total} tests failed`)
  if (skipped !== 0) return red(`${skipped} tests skipped`)
  if (ended.code !== 0) return red(`exit code ${ended.code} after green tests`)
  const reason = leftOut(readFileSync(file, 'utf8'))
  return reason === undefined ? { passed, failed: 0 } : red(reason)
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new RangeError(`--${name} needs a whole number from 1, not "${text}"`)
}

killAllOnSignal()
if (process.env['NODE_V8_COVERAGE'] === undefined)
  process.env['NODE_COMPILE_CACHE'] ??= join(process.cwd(), 'node_modules', '.cache', 'tests')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: '' },
    first: { type: 'string', default: '$^' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    timeout: { type: 'string', default: process.env['CI'] === 'true' ? '120' : '60' },
  },
})
const jobs = wholeNumber('jobs', values.jobs)
const timeoutMs = wholeNumber('timeout', values.timeout) * 1000

const totals = { passed: 0, failed: 0 }
const skips: string[] = []
const files = new Set<string>()
for (const path of positionals) {
  const found = findTests(path)
  for (const file of found) files.add(file)
  if (found.length > 0) continue
  console.log(`FAIL  ${path}  holds no test file`)
  totals.failed += 1
}
const named = [...files].filter((file) => new RegExp(values.name).test(file)).toSorted()
// Begun last, a long one would run alone in the end.
const isLong = (file: string) => new RegExp(values.first).test(file)
const queue = [...named.filter(isLong), ...named.filter((file) => !isLong(file))]
if (queue.length === 0 && totals.failed === 0) {
  console.log(`FAIL  no test file matches ${[...positionals, values.name].join(' ')}`)
  totals.failed += 1
}

async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const start = performance.now()
    const ended = await runProcess(process.execPath, [file], timeoutMs)
    const verdict = judge(file, ended, timeoutMs)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    totals.passed += verdict.passed
    totals.failed += verdict.failed
    if (verdict.skip !== undefined) skips.push(`skip  ${file}  ${verdict.skip}`)
    else if (verdict.reason === undefined) {
      console.log(`ok    ${file}  ${verdict.passed}  ${seconds} s`)
      for (const [, figure] of ended.stdout.matchAll(FIGURE)) console.log(`      ${figure}`)
    } else console.log(`FAIL  ${file}  ${verdict.reason}  ${seconds} s\n${ended.output}`)
  }
}
await Promise.all(Array.from({ length: jobs }, work))

for (const line of skips.toSorted()) console.log(line)
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed === 0 ? 0 : 1
