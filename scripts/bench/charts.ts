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

const byAuthorities = (figure: string): LineSpec[] =>
  [4, 25, 100].map((authorities) => ({
    name: `${authorities} authorities`,
    figure,
    where: { authorities },
  }))

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
  {
    name: 'scale-finality',
    title: 'Simulated: from submitted to final, by authorities (100 ms links)',
    bench: 'scale',
    along: 'authorities',
    x: { label: 'authorities', scale: 'linear' },
    y: { label: 'milliseconds', scale: 'linear' },
    lines: lines(['p50', 'p95'], {}),
  },
  {
    name: 'scale-traffic',
    title: 'Simulated: what an authority sends and receives, by authorities',
    bench: 'scale',
    along: 'authorities',
    x: { label: 'authorities', scale: 'linear' },
    y: { label: 'kB a second, of 1,250', scale: 'linear' },
    lines: [
      { name: 'sent', figure: 'sent by an authority', where: {} },
      { name: 'by the busiest', figure: 'sent by the busiest', where: {} },
      { name: 'received', figure: 'received by an authority', where: {} },
    ],
  },
  {
    name: 'scale-latency',
    title: 'Simulated: from submitted to final, by latency (25 authorities)',
    bench: 'scale',
    along: 'latency',
    x: { label: 'milliseconds one way', scale: 'linear' },
    y: { label: 'milliseconds', scale: 'linear' },
    lines: ['p50', 'p95'].map((name) => ({
      name,
      figure: `final, ${name}, 25 authorities`,
      where: {},
    })),
  },
  {
    name: 'scale-lines',
    title: 'Simulated: from submitted to final, by bandwidth (100 authorities, 100 ms)',
    bench: 'scale',
    along: 'Mbit/s',
    x: { label: 'Mbit/s of each line', scale: 'log' },
    y: { label: 'milliseconds', scale: 'linear' },
    lines: ['p50', 'p95'].map((name) => ({
      name,
      figure: `final, ${name}, 100 authorities`,
      where: {},
    })),
  },
  {
    name: 'scale-throughput',
    title: 'Simulated: committed, by what is offered (10 Mbit/s lines)',
    bench: 'scale',
    along: 'rate',
    x: { label: 'offered, transactions a second', scale: 'log' },
    y: { label: 'committed, transactions a second', scale: 'log' },
    lines: byAuthorities('committed'),
  },
  {
    name: 'scale-load',
    title: 'Simulated: from submitted to final, by what is offered',
    bench: 'scale',
    along: 'rate',
    x: { label: 'offered, transactions a second', scale: 'log' },
    y: { label: 'milliseconds, p50', scale: 'linear' },
    lines: byAuthorities('final, p50'),
  },
  {
    name: 'scale-transaction-bytes',
    title: 'Simulated: what an authority sends for a transaction, by what is offered',
    bench: 'scale',
    along: 'rate',
    x: { label: 'offered, transactions a second', scale: 'log' },
    y: { label: 'kB a transaction', scale: 'log' },
    lines: byAuthorities('sent by an authority for a transaction'),
  },
  {
    name: 'scale-nodes',
    title: 'Simulated: from submitted to final, by nodes in all (16 authorities)',
    bench: 'scale',
    along: 'nodes',
    x: { label: 'nodes', scale: 'log' },
    y: { label: 'milliseconds', scale: 'linear' },
    lines: lines(['p50', 'p95'], {}),
  },
  {
    name: 'scale-node-traffic',
    title: 'Simulated: what a node sends, by nodes in all (16 authorities)',
    bench: 'scale',
    along: 'nodes',
    x: { label: 'nodes', scale: 'log' },
    y: { label: 'kB a second, of 1,250', scale: 'linear' },
    lines: [
      { name: 'authority', figure: 'sent by an authority', where: {} },
      { name: 'observer', figure: 'sent by an observer', where: {} },
    ],
  },
  {
    name: 'chain-length',
    title: 'Time of an authenticated update in a block of 4,000, by the keys that the state has',
    bench: 'state',
    along: 'keys',
    x: { label: 'keys', scale: 'log' },
    y: { label: 'microseconds', scale: 'linear' },
    lines: ['new values', 'new keys'].flatMap((mix) => [
      { name: mix, figure: 'a key', where: { mix, 'a block': 4_000 } },
      {
        name: `${mix}: event loop`,
        figure: 'event loop a key',
        where: { mix, 'a block': 4_000 },
      },
    ]),
  },
  {
    name: 'snapshot',
    title: 'A newcomer joins by a snapshot, by length of the chain',
    bench: 'snapshot',
    along: 'transactions',
    x: { label: 'transactions in the chain', scale: 'log' },
    y: { label: 'seconds', scale: 'log' },
    lines: [
      { name: 'start to joined', figure: 'start to joined', where: {} },
      { name: 'CPU of the newcomer', figure: 'CPU of the newcomer', where: {} },
    ],
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
