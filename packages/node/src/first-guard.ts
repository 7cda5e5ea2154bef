// The guard of a key that was made a moment ago: it has every vote of this key, for there is none.

import { Guard } from '@mooring/storage'
import { machineName } from './machine.ts'

export async function makeFirstGuard(directory: string): Promise<void> {
  const { guard } = await Guard.open({ directory, machine: machineName(), isFirst: true })
  await guard.close()
}
