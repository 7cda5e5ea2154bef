// What is kept of the measurements, in `docs/performance`: a file for each benchmark, with its newest result;
// and beside them, written by people, what was changed for speed and what the figures do not say by themselves.

import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CATALOGUE } from './catalogue.ts'
import { CHARTS, chartOf } from './charts.ts'
import type { BenchResult } from './figures.ts'
import { pageOf } from './page.ts'
import { drawChart } from './svg.ts'

/** One that was kept; figures of the same benchmark, on the same computer. */
export interface Optimisation {
  readonly what: string
  readonly measure: string
  readonly unit: string
  readonly before: number
  readonly after: number
  readonly command: string
}

export interface Saved {
  readonly results: readonly BenchResult[]
  readonly optimisations: readonly Optimisation[]
  /** By the name of a benchmark: paragraphs. */
  readonly remarks: Readonly<Record<string, readonly string[]>>
}

const RESULTS = 'results'

async function readJson<T>(file: string, otherwise: T): Promise<T> {
  if (!existsSync(file)) return otherwise
  const value: T = JSON.parse(await readFile(file, 'utf8'))
  return value
}

/** `docs` is the folder of the page; the rest is in `performance` below it. */
export async function readSaved(docs: string): Promise<Saved> {
  const folder = join(docs, 'performance')
  const names = existsSync(join(folder, RESULTS)) ? await readdir(join(folder, RESULTS)) : []
  const order = Object.keys(CATALOGUE)
  const found = await Promise.all(
    names.map((name) => readJson<BenchResult | null>(join(folder, RESULTS, name), null)),
  )
  return {
    results: found
      .filter((result) => result !== null)
      .toSorted((a, b) => order.indexOf(a.bench) - order.indexOf(b.bench)),
    optimisations: await readJson(join(folder, 'optimisations.json'), []),
    remarks: await readJson(join(folder, 'remarks.json'), {}),
  }
}

export async function keepResult(docs: string, result: BenchResult): Promise<void> {
  const folder = join(docs, 'performance', RESULTS)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${result.bench}.json`), `${JSON.stringify(result, null, 1)}\n`)
}

/** The page and the charts, by their path below `docs`. */
export function filesOf(saved: Saved): Map<string, string> {
  const files = new Map([['performance.md', pageOf(saved)]])
  for (const spec of CHARTS) {
    const chart = chartOf(spec, saved.results)
    if (chart !== null) files.set(`performance/${spec.name}.svg`, drawChart(chart))
  }
  return files
}

export async function writePage(docs: string): Promise<void> {
  await mkdir(join(docs, 'performance'), { recursive: true })
  for (const [path, text] of filesOf(await readSaved(docs))) await writeFile(join(docs, path), text)
}
