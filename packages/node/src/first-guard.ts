// The guard of a key that was made a moment ago: it has every vote of this key, for there is none. And that
// of a key that came from elsewhere: nobody here knows what it has signed.

import { Guard } from '@mooring/storage/guard'
import { machineName } from './machine.ts'

export async function makeFirstGuard(directory: string): Promise<void> {
  const { guard } = await Guard.open({ directory, machine: machineName(), isFirst: true })
  await guard.close()
}

/** What is there is put aside; whoever votes next observes first. */
export async function makeNewGuard(directory: string, marksPath: string | null): Promise<void> {
  const { guard } = await Guard.open({
    directory,
    machine: machineName(),
    rejoin: true,
    ...(marksPath === null ? {} : { marksPath }),
  })
  await guard.close()
}
