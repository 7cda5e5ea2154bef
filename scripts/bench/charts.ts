// Which figures are drawn along which label. A chart whose figures nobody has measured is not drawn.

import { type BenchResult, type Figure, type Labels, summaryOf } from './figures.ts'
import type { Axis, Chart, Line, Point } from './svg.ts'

interface LineSpec {
  readonly name: string
  readonly figure: string
  /** The other labels of the figure; all of them. */
  readonly where: Labels
}

export interface ChartSpec {
  /** Of the file, and of nothing else. */
  readonly name: string
  readonly title: string
  readonly bench: string
  /** The label along which it is drawn. */
  readonly along: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly LineSpec[]
}

const FOUR = { authorities: 4 }
const PEER = { authorities: 4, engine: 'cometbft' }
const OFFERED: Axis = {
  label: 'offered, as a multiple of the saturated throughput',
  scale: 'linear',
}
const PERCENTILES = ['p50', 'p95', 'p99'] as const

const lines = (names: readonly string[], where: Labels, prefix = 'final, '): LineSpec[] =>
  names.map((name) => ({ name, figure: `${prefix}${name}`, where }))

export const CHARTS: readonly ChartSpec[] = [
  {
    name: 'finality',
    title: 'From due to final, by rate: four authorities',
    bench: 'consensus',
    along: 'rate',
    x: { label: 'transactions a second', scale: 'log' },
    y: { label: 'milliseconds', scale: 'log' },
    lines: [
      ...lines(PERCENTILES, FOUR),
      { name: 'CometBFT, p50', figure: 'final, p50', where: PEER },
      { name: 'CometBFT, p99', figure: 'final, p99', where: PEER },
    ],
  },
  {
    name: 'saturation',
    title: 'Committed, by what is offered: four authorities',
    bench: 'consensus',
    along: 'load',
    x: OFFERED,
    y: { label: 'transactions a second', scale: 'linear' },
    lines: [
      { name: 'committed', figure: 'committed under load', where: FOUR },
      { name: 'offered', figure: 'offered', where: FOUR },
    ],
  },
  {
    name: 'overload-latency',
    title: 'From due to final, by what is offered: four authorities',
    bench: 'consensus',
    along: 'load',
    x: OFFERED,
    y: { label: 'milliseconds', scale: 'log' },
    lines: lines(PERCENTILES, FOUR),
  },
  {
    name: 'overload-memory',
    title: 'Memory of a node, by what is offered: four authorities',
    bench: 'consensus',
    along: 'load',
    x: OFFERED,
    y: { label: 'peak RSS, MiB', scale: 'linear' },
    lines: [{ name: 'largest node', figure: 'peak RSS of a node', where: FOUR }],
  },
  {
    name: 'authorities',
    title: 'CPU time of a node for a transaction, by authorities on the same cores',
    bench: 'consensus',
    along: 'authorities',
    x: { label: 'authorities', scale: 'linear' },
    y: { label: 'microseconds', scale: 'linear' },
    lines: [{ name: 'one node', figure: 'CPU a transaction and node', where: {} }],
  },
  {
    name: 'restart',
    title: 'From the command to the first new final block, by length of the chain',
    bench: 'restart',
    along: 'transactions',
    x: { label: 'transactions in the chain', scale: 'log' },
    y: { label: 'milliseconds', scale: 'linear' },
    lines: ['stopped', 'killed', 'all killed'].map((how) => ({
      name: how,
      figure: 'start to a new final block',
      where: { how },
    })),
  },
]

export function chartOf(spec: ChartSpec, results: readonly BenchResult[]): Chart | null {
  const result = results.find(({ bench }) => bench === spec.bench)
  if (result === undefined) return null
  const drawn = spec.lines
    .map(({ name, figure, where }): Line => {
      const found = result.figures.filter(
        (each) => each.name === figure && isAlong(each, spec.along, where),
      )
      return { name, points: found.map((each) => pointOf(each, spec.along)) }
    })
    .filter(({ points }) => points.length > 1)
  if (drawn.length === 0) return null
  const { title, x, y } = spec
  return { title, x, y, lines: drawn }
}

function isAlong({ at }: Figure, along: string, where: Labels): boolean {
  const others = Object.keys(at).filter((name) => name !== along)
  return (
    typeof at[along] === 'number' &&
    others.length === Object.keys(where).length &&
    others.every((name) => at[name] === where[name])
  )
}

function pointOf(figure: Figure, along: string): Point {
  const { median, min, max } = summaryOf(figure)
  return { x: Number(figure.at[along]), y: median, low: min, high: max }
}
