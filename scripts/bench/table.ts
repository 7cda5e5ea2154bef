// A result as a table for people.

import {
  type BenchResult,
  type Figure,
  formatLabels,
  formatNumber,
  formatTarget,
  summaryOf,
  verdictOf,
} from './figures.ts'

export function spreadOf(figure: Figure): string {
  const { min, max } = summaryOf(figure)
  return figure.values.length === 1 ? '' : `${formatNumber(min)} .. ${formatNumber(max)}`
}

export function rowOf(figure: Figure): string[] {
  const { name, at, unit, target } = figure
  const labels = formatLabels(at)
  return [
    labels === '' ? name : `${name} (${labels})`,
    formatNumber(summaryOf(figure).median),
    unit,
    spreadOf(figure),
    target === null ? '' : `${formatTarget(target)}: ${verdictOf(figure)}`,
  ]
}

const HEAD = ['', 'median', 'unit', 'spread', 'target']

export function tableOf({ bench, what, runs, isQuick, machine, figures, notes }: BenchResult) {
  const rows = [HEAD, ...figures.map(rowOf)]
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, at) =>
        at === 1 || at === 3 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  const { cpu, cores, node, commit } = machine
  const title = `${bench}: ${what}${isQuick ? ' (quick: a smoke test, not a measurement)' : ''}`
  const under = `${runs} ${runs === 1 ? 'run' : 'runs'} on ${cores} x ${cpu}, node ${node}, ${commit}`
  return [title, ...lines, ...notes, under].join('\n')
}
