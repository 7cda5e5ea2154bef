// A figure is one measured quantity: a value for each run, what it should be, and whether it is. Labels tell
// apart figures of one name, and are what a chart is drawn along: the finality at 1, 100, 1,000 a second.

import type { Machine } from './machine.ts'

export type Labels = Readonly<Record<string, string | number>>

/** Of the median over the runs. */
export type Target = { readonly atLeast: number } | { readonly under: number }

export type Verdict = 'met' | 'missed'

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly at: Labels
  /** One for each run, in order. */
  readonly values: number[]
  readonly target: Target | null
}

export interface BenchResult {
  readonly bench: string
  readonly what: string
  /** As it was typed. */
  readonly command: string
  readonly runs: number
  /** A smoke test: its figures mean nothing. */
  readonly isQuick: boolean
  readonly machine: Machine
  readonly figures: readonly Figure[]
  /** What a reader of the figures must know and no number says. */
  readonly notes: readonly string[]
}

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function summaryOf({ values }: Figure): Summary {
  const ascending = values.toSorted((a, b) => a - b)
  const [min = Number.NaN] = ascending
  const max = ascending.at(-1) ?? Number.NaN
  const middle = ascending.length / 2
  const upper = ascending[Math.floor(middle)] ?? Number.NaN
  const lower = ascending[Math.ceil(middle) - 1] ?? Number.NaN
  return { median: (lower + upper) / 2, min, max }
}

export function verdictOf(figure: Figure): Verdict | null {
  if (figure.target === null) return null
  const { median } = summaryOf(figure)
  const isMet =
    'atLeast' in figure.target ? median >= figure.target.atLeast : median < figure.target.under
  return isMet ? 'met' : 'missed'
}

export function formatTarget(target: Target): string {
  return 'atLeast' in target
    ? `at least ${formatNumber(target.atLeast)}`
    : `under ${formatNumber(target.under)}`
}

/** Three significant digits, without an exponent; thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  return value.toLocaleString('en-GB', {
    maximumSignificantDigits: Math.max(3, Math.trunc(Math.abs(value)).toString().length),
  })
}

export function formatLabels(at: Labels): string {
  return Object.entries(at)
    .map(([name, value]) =>
      typeof value === 'number' ? `${name} ${formatNumber(value)}` : `${name} ${value}`,
    )
    .join(', ')
}

/** Where this share of them lies; they are ascending. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? Number.NaN
}

export function isSameFigure(a: Pick<Figure, 'name' | 'at'>, b: Pick<Figure, 'name' | 'at'>) {
  return a.name === b.name && formatLabels(a.at) === formatLabels(b.at)
}
