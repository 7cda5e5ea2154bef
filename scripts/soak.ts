/*
 * A devnet at work for a long time, and what grows in it:
 *
 *   npm run soak -- --minutes 30 --rate 5/s
 *   npm run soak -- --minutes 2 --rate 20/s --dir .devnet/default      one that runs already
 *   npm run soak -- --minutes 30 --json soak.json
 *
 * Memory, descriptors and the lag of the event loop of every node are read from its metrics and its process,
 * the room on the disk from its home. Pages of databases that the system keeps in memory have no limit: they
 * go when others need the room. The slopes are those after a beginning in which caches fill. Ends with 1 when
 * something grows that must not, when records were lost, or when the promises of the network do not hold.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Sample, type Slope, slopeOf } from './slopes.ts'

type Node = { name: string; home: string; metrics: string; pid: number | null }

const FIGURES = [
  'memoryMib',
  'heapMib',
  'mappedMib',
  'descriptors',
  'loopP99Ms',
  'diskMib',
] as const

type Figure = (typeof FIGURES)[number]

type Row = { node: string; figure: Figure; slope: Slope; limitPerHour: number | null; ok: boolean }

const MAIN = fileURLToPath(new URL('../packages/cli/bin/mooring.js', import.meta.url))
const SAMPLES = 240
const SAMPLE_MS_MIN = 1_000
const SAMPLE_MS_MAX = 15_000
const MIB = 1024 ** 2
/** What a day may add to a node, in an hour; the disk keeps what it is given. */
const LIMITS: Record<Figure, number | null> = {
  memoryMib: 16,
  heapMib: 16,
  mappedMib: null,
  descriptors: 4,
  loopP99Ms: 10,
  diskMib: null,
}
/**
 * What the collector and the connections of a moment leave behind is no growth: memory is a saw of some 45 MiB,
 * as V8 takes room before it collects, so that only a run of hours tells a slope of it.
 */
const TOLERATED: Record<Figure, number> = {
  memoryMib: 48,
  heapMib: 12,
  mappedMib: 0,
  descriptors: 3,
  loopP99Ms: 15,
  diskMib: 0,
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '5/s' },
    nodes: { type: 'string', default: '4' },
    dir: { type: 'string' },
    json: { type: 'string' },
  },
})

async function soak(): Promise<boolean> {
  const minutes = Number(values.minutes)
  if (!(minutes > 0 && minutes <= 7 * 24 * 60)) throw new TypeError('--minutes: 0.1 to 10080')
  const isOwn = values.dir === undefined
  const folder = isOwn ? await mkdtemp(join(tmpdir(), 'mooring-soak-')) : undefined
  const dir = folder === undefined ? resolve(values.dir ?? '') : join(folder, 'devnet')
  try {
    if (isOwn) {
      const size = ['-n', values.nodes, '--base-port', '0', '--timeout', '120s']
      await mooring(['devnet', 'up', '--detach', '--quiet', '--dir', dir, ...size])
    }
    return await watch(dir, minutes)
  } finally {
    if (isOwn) await mooring(['devnet', 'rm', '--yes', '--quiet', '--dir', dir])
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

async function watch(dir: string, minutes: number): Promise<boolean> {
  const board: { nodes: Node[] } = JSON.parse(
    await mooring(['devnet', 'status', '--dir', dir, '--json']),
  )
  const ms = minutes * 60_000
  const load = startLoad(dir, ms)
  const series = new Map<string, Map<Figure, Sample[]>>()
  const startedAt = performance.now()
  const every = Math.min(SAMPLE_MS_MAX, Math.max(SAMPLE_MS_MIN, ms / SAMPLES))
  while (performance.now() - startedAt < ms) {
    await Promise.all(board.nodes.map((node) => note(series, node, performance.now() - startedAt)))
    await pause(every)
  }
  const report: unknown = JSON.parse(await load)
  const check = await mooring(['devnet', 'check', '--dir', dir, '--json']).then(
    () => null,
    (error: unknown) => String(error),
  )
  const rows = [...series].flatMap(([node, figures]) => rowsOf(node, figures))
  const problems = problemsOf(rows, report, check)
  tell(rows, report, problems, minutes)
  if (values.json !== undefined) {
    const document = {
      schema: 'mooring/soak/v1',
      minutes,
      rate: values.rate,
      rows,
      load: report,
      series: Object.fromEntries(
        [...series].map(([node, figures]) => [node, Object.fromEntries(figures)]),
      ),
      problems,
    }
    await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`)
  }
  return problems.length === 0
}

async function note(
  series: Map<string, Map<Figure, Sample[]>>,
  node: Node,
  atMs: number,
): Promise<void> {
  const figures = series.get(node.name) ?? new Map<Figure, Sample[]>()
  series.set(node.name, figures)
  const text = await (await fetch(`${node.metrics}/metrics`)).text()
  const read = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  const found: Record<Figure, number> = {
    ...(await memoryOf(node, read('process_resident_memory_bytes') / MIB)),
    heapMib: read('nodejs_heap_size_used_bytes') / MIB,
    descriptors: read('process_open_fds'),
    loopP99Ms: read('nodejs_eventloop_lag_p99_seconds') * 1_000,
    diskMib: (await kibibytesOf(node.home)) / 1_024,
  }
  for (const figure of FIGURES) {
    const value = found[figure]
    if (!Number.isFinite(value)) continue
    const samples = figures.get(figure) ?? []
    samples.push({ atMs, value })
    figures.set(figure, samples)
  }
}

// What is resident is memory of the process, and pages of its databases that the system holds for it
// while there is room: only Linux tells them apart.
async function memoryOf({ pid }: Node, residentMib: number) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1])
  const ownMib = kib('RssAnon') / 1_024
  if (!Number.isFinite(ownMib)) return { memoryMib: residentMib, mappedMib: Number.NaN }
  return { memoryMib: ownMib, mappedMib: (kib('RssFile') + kib('RssShmem')) / 1_024 }
}

function rowsOf(node: string, figures: Map<Figure, Sample[]>): Row[] {
  return [...figures].flatMap(([figure, samples]) => {
    const slope = slopeOf(samples)
    if (slope === null) return []
    const limitPerHour = LIMITS[figure]
    const isWithin =
      limitPerHour === null ||
      slope.perHour - slope.errorPerHour <= limitPerHour ||
      slope.last - slope.first <= TOLERATED[figure]
    return [{ node, figure, slope, limitPerHour, ok: isWithin }]
  })
}

function problemsOf(rows: readonly Row[], report: unknown, check: string | null): string[] {
  const growing = rows
    .filter(({ ok }) => !ok)
    .map(
      ({ node, figure, slope }) => `${figure} of ${node} grows by ${format(slope.perHour)} an hour`,
    )
  const final = memberOf(report, 'final')
  const open = memberOf(report, 'open')
  return [
    ...(rows.length === 0 ? ['nothing could be measured'] : growing),
    ...(final > 0 ? [] : ['nothing became final']),
    ...(open > 0 ? [`${open} records were accepted and did not become final within 30 s`] : []),
    ...(check === null ? [] : [check]),
  ]
}

function memberOf(value: unknown, name: string): number {
  return Number(typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined)
}

function tell(rows: readonly Row[], report: unknown, problems: string[], minutes: number): void {
  const lines = rows.map(({ node, figure, slope, limitPerHour, ok }) => {
    const { first, last, perHour, errorPerHour } = slope
    const limit = limitPerHour === null ? 'none' : String(limitPerHour)
    const cells = [
      node,
      figure,
      format(first),
      format(last),
      format(perHour),
      `±${format(errorPerHour)}`,
      limit,
    ]
    return [...cells, ok ? 'ok' : 'GROWS'].map((cell) => cell.padStart(12)).join('')
  })
  const title = ['node', 'figure', 'at first', 'at last', 'an hour', '', 'limit', '']
  const head = title.map((cell) => cell.padStart(12)).join('')
  const verdict = problems.length === 0 ? 'HOLDS' : `DOES NOT HOLD: ${problems.join('; ')}`
  process.stdout.write(`${[head, ...lines].join('\n')}\n\n`)
  process.stdout.write(
    `${minutes} minutes at ${values.rate}: ${JSON.stringify(report)}\n${verdict}\n`,
  )
}

function format(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 0)
}

function startLoad(dir: string, ms: number): Promise<string> {
  const terms = ['--rate', values.rate, '--duration', `${Math.round(ms)}ms`, '--json', '--quiet']
  return mooring(['devnet', 'load', '--dir', dir, ...terms])
}

const children = new Set<ChildProcess>()

function run(command: string, words: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    children.add(child)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
    })
    child.once('error', failed)
    child.once('close', (code) => {
      children.delete(child)
      if (code === 0) done(stdout)
      else
        failed(new Error(`${words.slice(0, 3).join(' ')} ended with ${code}: ${stderr}${stdout}`))
    })
  })
}

const mooring = (words: readonly string[]) => run(process.execPath, [MAIN, ...words])

async function kibibytesOf(home: string): Promise<number> {
  const text = await run('du', ['-sk', home]).catch(() => '')
  return Number(/^\d+/.exec(text)?.[0] ?? Number.NaN)
}

process.exitCode = (await soak()) ? 0 : 1
