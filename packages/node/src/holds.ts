// Legal holds: who said that nothing may be dropped, why, and since when. One small file in the home,
// beside the databases and the configuration, so that it outlives a reset of the one and a read-only mount
// of the other; a running node looks at it each time before it drops anything.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeLocalFile } from './local-file.ts'
import { NodeError } from './node-error.ts'

export interface Hold {
  readonly name: string
  readonly reason: string
  /** RFC 3339, UTC. */
  readonly placedAt: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const REASON_MAX = 500

export function holdsFile(home: string): string {
  return join(home, 'holds.json')
}

/** @throws NodeError holds_unreadable: then nothing may be dropped */
export async function readHolds(home: string): Promise<Hold[]> {
  const path = holdsFile(home)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new NodeError('holds_unreadable', { path, detail: String(error) }, { cause: error })
  }
  const holds = parseHolds(text)
  if (holds === null) {
    throw new NodeError('holds_unreadable', { path, detail: 'it is not what was written' })
  }
  return holds
}

/** @throws NodeError hold_invalid, hold_exists */
export async function placeHold(home: string, hold: Hold): Promise<void> {
  const { name, reason } = hold
  if (!NAME.test(name) || reason.trim() === '' || reason.length > REASON_MAX) {
    const detail =
      'A name of a-z, 0-9, dot, - and _, and a reason of 1 to 500 characters are needed'
    throw new NodeError('hold_invalid', { name, detail })
  }
  const holds = await readHolds(home)
  const known = holds.find((each) => each.name === name)
  if (known !== undefined) throw new NodeError('hold_exists', { name, placedAt: known.placedAt })
  await writeHolds(home, [...holds, hold])
}

/** @throws NodeError hold_unknown */
export async function releaseHold(home: string, name: string): Promise<Hold> {
  const holds = await readHolds(home)
  const released = holds.find((each) => each.name === name)
  if (released === undefined) throw new NodeError('hold_unknown', { name })
  await writeHolds(
    home,
    holds.filter((each) => each !== released),
  )
  return released
}

async function writeHolds(home: string, holds: readonly Hold[]): Promise<void> {
  await writeLocalFile(holdsFile(home), { version: 1, holds })
}

function parseHolds(text: string): Hold[] | null {
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document !== 'object' || document === null) return null
    if (!('version' in document) || document.version !== 1 || !('holds' in document)) return null
    const { holds } = document
    return Array.isArray(holds) && holds.every(isHold) ? holds : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isHold(value: unknown): value is Hold {
  if (typeof value !== 'object' || value === null) return false
  const fields = ['name', 'reason', 'placedAt'] as const
  return fields.every((field) => field in value && typeof Reflect.get(value, field) === 'string')
}
