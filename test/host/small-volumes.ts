// Volumes with little room, mounted over a folder of a node: where the host lets us.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function skipWithoutMounts(): void {
  if (canMount()) return
  process.stdout.write('skip: this host does not let us mount a small volume\n')
  process.exit(77)
}

export function mountVolume(folder: string, size: string): void {
  const options = `size=${size},mode=0700`
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
}

export function unmountVolume(folder: string): void {
  execFileSync('umount', [folder])
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'mooring-mount-'))
  try {
    mountVolume(folder, '1m')
    unmountVolume(folder)
    return true
  } catch {
    return false
  } finally {
    rmdirSync(folder)
  }
}
