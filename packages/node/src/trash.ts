// data/trash/: what a repair took out of its place, as it was. Nothing there is ever opened or deleted by a
// node.

import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode, syncFolder } from './durable-files.ts'
import { NodeError } from './node-error.ts'

const TRASH_MAX = 1_000

export function trashOf(dataDir: string): string {
  return join(dataDir, 'trash')
}

/** Something below data/ to data/trash/, under a name that says what it was and when it went. */
export async function moveToTrash(
  dataDir: string,
  what: string,
  { name, now }: { name: string; now: Date },
): Promise<string> {
  const folder = trashOf(dataDir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  for (let number = 0; number < TRASH_MAX; number += 1) {
    const place = join(folder, `${name}-${time}${number === 0 ? '' : `-${number}`}`)
    try {
      // Into a folder of its own, for a rename would replace an empty one.
      await mkdir(place, { mode: 0o700 })
    } catch (error) {
      if (hasCode(error, 'EEXIST')) continue
      throw error
    }
    const from = join(dataDir, what)
    await rename(from, join(place, what.replaceAll('/', '-')))
    for (const changed of [place, folder, dirname(from)]) await syncFolder(changed)
    return place
  }
  throw new NodeError('file_exists', { path: folder })
}
