// docs/performance.md, out of what is kept and nothing else.

import { CHARTS, chartOf } from './charts.ts'
import { type BenchResult, formatNumber } from './figures.ts'
import type { Machine } from './machine.ts'
import type { Optimisation, Saved } from './saved.ts'
import { rowOf } from './table.ts'

export function pageOf({ results, optimisations, remarks }: Saved): string {
  return [
    '# Performance',
    '',
    'Written by `npm run bench -- --write` from the results in `docs/performance/results`: not edited by hand.',
    '`npm run bench -- --plot` measures first; `npm run bench -- --help` lists what there is. Figures are medians',
    'over the runs, with the least and the most; a target is met by the median. Processes that are measured together',
    'share the cores of one computer, the clients among them.',
    '',
    ...machineLines(results),
    ...targetLines(results),
    ...chartLines(results),
    ...results.flatMap((result) => benchLines(result, remarks[result.bench] ?? [])),
    ...optimisationLines(optimisations),
  ].join('\n')
}

function machineLines(results: readonly BenchResult[]): string[] {
  const rows = results.map(({ bench, machine, runs, command, isQuick }) => [
    link(bench),
    `\`${command}\``,
    `${runs}${isQuick ? ', quick: no measurement' : ''}`,
    machine.commit,
    machine.date.slice(0, 10),
    describe(machine),
  ])
  return [
    '## What was measured, where',
    '',
    ...tableOf(['benchmark', 'command', 'runs', 'commit', 'date', 'computer'], rows),
    '',
  ]
}

function describe({ cpu, cores, memoryGiB, system, node }: Machine): string {
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}`
}

function targetLines(results: readonly BenchResult[]): string[] {
  const rows = results.flatMap(({ bench, figures }) =>
    figures
      .filter(({ target }) => target !== null)
      .map((figure) => {
        const [name = '', median = '', unit = '', spread = '', target = ''] = rowOf(figure)
        const [wanted = '', verdict = ''] = target.split(': ')
        return [link(bench), name, `${median} ${unit}`, spread, wanted, verdict]
      }),
  )
  if (rows.length === 0) return []
  const head = ['benchmark', 'figure', 'median', 'spread', 'target', 'verdict']
  return ['## Targets', '', ...tableOf(head, rows), '']
}

function chartLines(results: readonly BenchResult[]): string[] {
  const drawn = CHARTS.filter((spec) => chartOf(spec, results) !== null)
  if (drawn.length === 0) return []
  const images = drawn.flatMap(({ name, title }) => [`![${title}](performance/${name}.svg)`, ''])
  return ['## Charts', '', ...images]
}

function benchLines(result: BenchResult, remarks: readonly string[]): string[] {
  const rows = result.figures.map(rowOf)
  return [
    `## ${result.bench}`,
    '',
    `${capital(result.what)}. \`${result.command}\``,
    '',
    ...tableOf(['figure', 'median', 'unit', 'spread', 'target'], rows),
    '',
    ...[...result.notes, ...remarks].flatMap((paragraph) => [paragraph, '']),
  ]
}

function optimisationLines(optimisations: readonly Optimisation[]): string[] {
  if (optimisations.length === 0) return []
  const rows = optimisations.map(({ what, measure, unit, before, after, command }) => [
    what,
    `${measure}, ${unit}`,
    formatNumber(before),
    formatNumber(after),
    `\`${command}\``,
  ])
  const head = ['what changed', 'measured', 'before', 'after', 'command']
  return ['## Before and after', '', ...tableOf(head, rows), '']
}

function tableOf(head: readonly string[], rows: readonly string[][]): string[] {
  return [lineOf(head), lineOf(head.map(() => '---')), ...rows.map(lineOf)]
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function link(bench: string): string {
  return `[${bench}](#${bench})`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
