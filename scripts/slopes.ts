/*
 * Whether a figure grows, from samples taken over time: the line that fits them best, and how much of
 * that may be noise.
 *
 * Memory of a program with a collector is a saw; what counts is its lower edge. So the time is cut into
 * parts and the least of each part kept, after the first half, in which caches and write buffers fill, is
 * left out.
 */

export type Sample = { atMs: number; value: number }

export type Slope = {
  perHour: number
  /** Half of the width in which the true slope lies, 19 times out of 20. */
  errorPerHour: number
  first: number
  last: number
}

const HOUR_MS = 3_600_000
const WARM_UP = 0.5
const PARTS = 24

/** After the beginning; null with too few samples to say anything. */
export function slopeOf(samples: readonly Sample[]): Slope | null {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return null
  const from = first.atMs + (last.atMs - first.atMs) * WARM_UP
  const edge = lowerEdge(samples.filter(({ atMs }) => atMs >= from))
  return edge.length < 3 ? null : fit(edge)
}

export function lowerEdge(samples: readonly Sample[]): Sample[] {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return []
  const width = Math.max(1, (last.atMs - first.atMs + 1) / PARTS)
  const least = new Map<number, Sample>()
  for (const sample of samples) {
    const part = Math.floor((sample.atMs - first.atMs) / width)
    const known = least.get(part)
    if (known === undefined || sample.value < known.value) least.set(part, sample)
  }
  return [...least.values()]
}

export function fit(samples: readonly Sample[]): Slope {
  const count = samples.length
  const meanAt = mean(samples.map(({ atMs }) => atMs))
  const meanValue = mean(samples.map(({ value }) => value))
  const spread = sum(samples.map(({ atMs }) => (atMs - meanAt) ** 2))
  const slope =
    spread === 0
      ? 0
      : sum(samples.map(({ atMs, value }) => (atMs - meanAt) * (value - meanValue))) / spread
  const rest = sum(
    samples.map(({ atMs, value }) => (value - meanValue - slope * (atMs - meanAt)) ** 2),
  )
  const error = spread === 0 || count < 3 ? 0 : Math.sqrt(rest / (count - 2) / spread)
  const at = (atMs: number) => meanValue + slope * (atMs - meanAt)
  return {
    perHour: slope * HOUR_MS,
    errorPerHour: 2 * error * HOUR_MS,
    first: at(samples[0]?.atMs ?? 0),
    last: at(samples.at(-1)?.atMs ?? 0),
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]) => sum(values) / Math.max(1, values.length)
