// Figures of a benchmark that is not in the common frame, and where a share of its samples lies.

export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.ceil(ascending.length * share) - 1] ?? Number.NaN
}

export function printFigures(figures: Record<string, string | number>, isJson: boolean): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    return
  }
  for (const [name, value] of Object.entries(figures)) {
    const text = typeof value === 'number' ? value.toFixed(value < 10 ? 2 : 1).padStart(12) : value
    process.stdout.write(`${name.padEnd(40)}${text}\n`)
  }
}
