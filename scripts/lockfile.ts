// What package-lock.json says of each package: which version, under which licence, shipped or not.

import { readFileSync } from 'node:fs'

export type LockedPackage = {
  name: string
  version: string
  licence: string | null
  /** Where it is from, when that is said. */
  resolved: string | null
  integrity: string | null
  isShipped: boolean
}

type Entry = {
  version?: string
  license?: string
  resolved?: string
  integrity?: string
  link?: boolean
  dev?: boolean
  devOptional?: boolean
  optional?: boolean
}

const MODULES = 'node_modules/'

/** Those from outside, with the same package once for each version. */
export function lockedPackages(path = 'package-lock.json'): LockedPackage[] {
  const { packages }: { packages: Record<string, Entry> } = JSON.parse(readFileSync(path, 'utf8'))
  const found = new Map<string, LockedPackage>()
  for (const [place, entry] of Object.entries(packages)) {
    const at = place.lastIndexOf(MODULES)
    if (at === -1 || entry.link === true) continue
    const name = place.slice(at + MODULES.length)
    const { version = '', license = null, resolved = null, integrity = null } = entry
    // An image is installed without both.
    const isShipped = entry.dev !== true && entry.devOptional !== true && entry.optional !== true
    const key = `${name}@${version}`
    const known = found.get(key)
    if (known !== undefined) known.isShipped ||= isShipped
    else found.set(key, { name, version, licence: license, resolved, integrity, isShipped })
  }
  return [...found.values()].toSorted((a, b) =>
    a.name === b.name ? compareVersions(a.version, b.version) : a.name < b.name ? -1 : 1,
  )
}

/** Below zero when the first is the older one. Releases alone are compared. */
export function compareVersions(left: string, right: string): number {
  const [one, other] = [partsOf(left), partsOf(right)]
  const index = [0, 1, 2].find((at) => one[at] !== other[at])
  return index === undefined ? 0 : (one[index] ?? 0) - (other[index] ?? 0)
}

function partsOf(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10))
}
