// Lines of several logs about the records of one patient, put together: those of one access become one.
//
// A line names the entry it is about: by its own leaf, or a refusal by the entry that came with the request.
// Beside it stands the request, which holders saw signed by its reader. Who says that it was another one has
// a line of its own: whoever speaks first puts no word into the mouths of the others.

import { toHex } from '@mooring/codec'
import type { SealKeyPair } from './patient-keys.ts'
import { openAccessEntry } from './access-entry.ts'
import { type LoggedAccess, requestName } from './access-log-view.ts'
import { readAuditEvent } from './audit-event-read.ts'
import type { HeldAccess } from './held-access.ts'

export interface HeldAt
  extends Pick<HeldAccess, 'time' | 'leaf' | 'asked' | 'entry' | 'note' | 'served'> {
  readonly holder: string
  readonly height: number | null
  /** The entry as its custodian has opened it, for a patient whose keys it hosts or hosted. */
  readonly opened: string | null
}

/** `keys` open the entries: those that the patient has, and had. */
export function collectAccesses(
  lines: readonly HeldAt[],
  keys: readonly SealKeyPair[],
): LoggedAccess[] {
  const groups = new Map<string, HeldAt[]>()
  for (const line of lines) {
    const name = nameOf(line)
    groups.set(name, [...(groups.get(name) ?? []), line])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first === undefined ? [] : [accessOf(first, group, keys)]
  })
}

/** An entry stands for one request; who shows it with another has that one refused. */
function nameOf({ note, leaf, asked }: HeldAt): string {
  const request = asked === null ? (note?.organisation ?? '') : requestName(asked)
  return `${toHex(note?.entry ?? leaf)} ${request}`
}

function accessOf(
  first: HeldAt,
  lines: readonly HeldAt[],
  keys: readonly SealKeyPair[],
): LoggedAccess {
  const asked = lines.map((line) => line.asked).find((each) => each !== null) ?? null
  const entry = lines.map((line) => line.entry).find((each) => each !== null) ?? null
  const opened = lines.map((line) => line.opened).find((each) => each !== null) ?? null
  const text = opened ?? (entry && openedWithAny(entry, keys))
  const event = (text && readAuditEvent(text)) || null
  return {
    id: first.note?.entry ?? first.leaf,
    asked,
    event,
    isUnreadable: event === null && (opened !== null || (entry !== null && keys.length > 0)),
    refusals: lines.flatMap(({ holder, note }) =>
      note === null
        ? []
        : [
            {
              holder,
              organisation: note.organisation,
              code: note.code ?? 'refused',
              count: note.count,
            },
          ],
    ),
    attested: lines.map(({ holder, time, served, height }) => ({ holder, time, served, height })),
  }
}

function openedWithAny(
  entry: NonNullable<HeldAccess['entry']>,
  keys: readonly SealKeyPair[],
): string | undefined {
  for (const key of keys) {
    const text = openAccessEntry(entry, key)
    if (text !== undefined) return text
  }
  return undefined
}
