/**
 * How values are said on the pages.
 */

export function shortDigest(hex: string): string {
  return hex.length <= 16 ? hex : `${hex.slice(0, 8)}…${hex.slice(-4)}`
}

export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}

export function bytes(value: number | null): string {
  if (value === null) return 'unknown'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let left = value
  let unit = 0
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024
    unit += 1
  }
  return `${left < 10 && unit > 0 ? left.toFixed(1) : Math.round(left)} ${units[unit]}`
}

/** @param ms null when nothing was measured. */
export function duration(ms: number | null): string {
  if (ms === null) return 'none yet'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** @param time RFC 3339. */
export function moment(time: string): string {
  return time.replace('T', ' ').replace(/\.\d+Z$|Z$/, ' UTC')
}
