// What this machine is called, so that a guard notices when its disk is in another one.
//
// systemd's machine id is made at the installation and readable by everybody; it is not to be shown to
// others, so that only a hash of it is kept. A container has the id of its image, or none, and a new one
// with every image: there it says nothing, as on systems without such a file.

import { existsSync, readFileSync } from 'node:fs'
import { toHex } from '@mooring/codec'
import { domainHash } from '@mooring/crypto'

const MACHINE_ID = '/etc/machine-id'
const CONTAINER_SIGNS = ['/.dockerenv', '/run/.containerenv']

/** 64 hexadecimal digits, or nothing. */
export function machineName(): string {
  const isContainer =
    process.env['KUBERNETES_SERVICE_HOST'] !== undefined || CONTAINER_SIGNS.some(existsSync)
  if (isContainer) return ''
  try {
    const id = readFileSync(MACHINE_ID, 'utf8').trim()
    return /^[0-9a-f]{32}$/.test(id) ? toHex(domainHash('machine', Buffer.from(id))) : ''
  } catch {
    // Not this system's way to name a machine.
    return ''
  }
}
