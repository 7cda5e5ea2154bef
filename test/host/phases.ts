// How far a leader had come in its own view, read from the vote journal that its process leaves behind.
//
// The journal of a running node is read as it is: its last group may be torn, and then does not count.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeCertificate, decodeVote, leaderOf } from '@mooring/consensus'
import { homePaths } from '@mooring/node'
import { decodeSegment, parseSegmentName } from '../../packages/storage/src/journal-format.ts'

export const PHASES = ['nothing', 'proposed', 'notarized', 'finalized'] as const
export type Phase = (typeof PHASES)[number]

export type Progress = {
  // The newest view that the node leads and has reached.
  view: number
  phase: Phase
}

type Held = { view: number; kind: string; isCertificate: boolean }

export async function progressOf(home: string, index: number, authorities: number) {
  const held = await readHeld(home)
  const current = 1 + Math.max(0, ...held.filter((one) => one.isCertificate).map(viewOf))
  for (let view = current; view > 0; view -= 1) {
    if (leaderOf(0, view, authorities) === index) return { view, phase: phaseIn(held, view) }
  }
  return { view: 0, phase: 'nothing' } satisfies Progress
}

const viewOf = ({ view }: Held) => view

function phaseIn(held: readonly Held[], view: number): Phase {
  const has = (kind: string, isCertificate: boolean) =>
    held.some(
      (one) => one.view === view && one.kind === kind && one.isCertificate === isCertificate,
    )
  if (has('finalize', true)) return 'finalized'
  if (has('notarize', true)) return 'notarized'
  return has('notarize', false) ? 'proposed' : 'nothing'
}

async function readHeld(home: string): Promise<Held[]> {
  const folder = join(homePaths(home).guard, 'votes')
  const held: Held[] = []
  for (const file of await readdir(folder)) {
    const name = parseSegmentName(file)
    if (name === undefined) continue
    const segment = decodeSegment(await readFile(join(folder, file)), name, true)
    for (const { type, payload } of segment?.records ?? []) {
      if (type === 'block') continue
      const isCertificate = type !== 'vote'
      const { kind, subject } = isCertificate ? decodeCertificate(payload) : decodeVote(payload)
      held.push({ view: subject.view, kind, isCertificate })
    }
  }
  return held
}
