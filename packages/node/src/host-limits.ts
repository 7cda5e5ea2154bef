// What the system allows this process.

import { readFile } from 'node:fs/promises'

/** How many files may be open at one time; null where the system does not tell. */
export async function softFileLimit(): Promise<number | null> {
  const limits = await textOf('/proc/self/limits')
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === undefined) return null
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft)
}

/** What a control group allows this process to take; null where there is no limit, or none is known. */
export async function memoryLimitBytes(): Promise<number | null> {
  for (const path of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    const bytes = Number((await textOf(path)).trim() || Number.NaN)
    if (Number.isSafeInteger(bytes)) return bytes
  }
  return null
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}
