// Legal holds: who said that nothing may be dropped, why, and since when. One small file in the home,
// beside the databases and the configuration, so that it outlives a reset of the one and a read-only mount
// of the other; a running node looks at it each time before it drops anything.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { hasCode } from './durable-files.ts'
import { lockFile } from './file-lock.ts'
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
/** Others change the file in a moment. */
const TRIES_MAX = 200
const TRY_MS = 50

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
    if (hasCode(error, 'ENOENT')) return []
    throw new NodeError('holds_unreadable', { path, detail: String(error) }, { cause: error })
  }
  const holds = parseHolds(text)
  if (holds === null) {
    throw new NodeError('holds_unreadable', { path, detail: 'it is not what was written' })
  }
  return holds
}

/** @throws NodeError hold_invalid, hold_exists, holds_busy */
export async function placeHold(home: string, hold: Hold): Promise<void> {
  const { name, reason } = hold
  if (!NAME.test(name) || reason.trim() === '' || reason.length > REASON_MAX) {
    const detail =
      'A name of a-z, 0-9, dot, - and _, and a reason of 1 to 500 characters are needed'
    throw new NodeError('hold_invalid', { name, detail })
  }
  await inTurn(home, async () => {
    const holds = await readHolds(home)
    const known = holds.find((each) => each.name === name)
    if (known !== undefined) throw new NodeError('hold_exists', { name, placedAt: known.placedAt })
    await writeHolds(home, [...holds, hold])
  })
}

/** @throws NodeError hold_unknown, holds_busy */
export async function releaseHold(home: string, name: string): Promise<Hold> {
  return await inTurn(home, async () => {
    const holds = await readHolds(home)
    const released = holds.find((each) => each.name === name)
    if (released === undefined) throw new NodeError('hold_unknown', { name })
    const left = holds.filter((each) => each !== released)
    await writeHolds(home, left)
    return released
  })
}

/** Whoever changes the holds begins with what the one before has left, in whatever process. */
async function inTurn<T>(home: string, work: () => Promise<T>): Promise<T> {
  const path = holdsFile(home)
  for (let tries = 0; ; tries += 1) {
    const lock = await lockFile(path)
    if ('release' in lock) {
      try {
        return await work()
      } finally {
        await lock.release()
      }
    }
    if (tries >= TRIES_MAX) throw new NodeError('holds_busy', { path, pid: lock.heldBy })
    await pause(TRY_MS)
  }
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
