// Whether the authorities of a devnet ever signed what contradicts itself, read from the vote journals:
// what each remembers of its own votes, and what the certificates that all of them hold remember of it.
// A journal is copied first and the copy is opened, so that a running node is not disturbed; a copy taken
// in the middle of a write looks torn or behind, and is taken again.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeCertificate, decodeVote, type Vote, votesOf } from '@mooring/consensus'
import { StorageError } from '@mooring/storage/errors'
import { Journal } from '@mooring/storage/journal'
import { homePaths } from './home.ts'

const TRIES = 5
const PAUSE_MS = 100

type HeldVotes = { own: Vote[]; certified: Vote[] }

async function readCopy(guard: string, directory: string): Promise<HeldVotes> {
  await cp(guard, directory, { recursive: true })
  const { journal, records } = await Journal.open({ directory })
  await journal.close()
  const held: HeldVotes = { own: [], certified: [] }
  for (const { type, payload } of records) {
    if (type === 'vote') held.own.push(decodeVote(payload))
    else if (type === 'certificate') held.certified.push(...votesOf(decodeCertificate(payload)))
  }
  return held
}

async function readVotes(home: string): Promise<HeldVotes> {
  const { guard } = homePaths(home)
  for (let tries = 1; ; tries += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-guard-'))
    try {
      return await readCopy(guard, join(folder, 'guard'))
    } catch (error) {
      if (!(error instanceof StorageError) || tries === TRIES) throw error
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    await pause(PAUSE_MS)
  }
}

function describe(vote: Vote): string {
  return `${vote.kind} ${vote.subject.digest.slice(0, 8)}`
}

// The rules of the guard: one notarize and one finalize a view, and no nullify beside a finalize.
export function contradictionsOf(votes: readonly Vote[]): string[] {
  const byView = new Map<string, Vote[]>()
  for (const vote of votes) {
    const key = `epoch ${vote.subject.epoch}, view ${vote.subject.view}`
    byView.set(key, [...(byView.get(key) ?? []), vote])
  }
  const found: string[] = []
  for (const [view, all] of byView) {
    const digests = (kind: Vote['kind']) =>
      new Set(all.filter((vote) => vote.kind === kind).map((vote) => vote.subject.digest))
    const isTwice = digests('notarize').size > 1 || digests('finalize').size > 1
    const isBoth = digests('finalize').size > 0 && digests('nullify').size > 0
    if (isTwice || isBoth) found.push(`${view}: ${[...new Set(all.map(describe))].join(', ')}`)
  }
  return found
}

// Votes: how many own ones the journals hold.
export type VoteCheck = { votes: number; contradictions: string[] }

export async function findContradictions(homes: readonly string[]): Promise<VoteCheck> {
  const held = await Promise.all(homes.map(readVotes))
  const certified = held.flatMap((each) => each.certified)
  const contradictions = held.flatMap(({ own }, index) => {
    // A place in the set is that of one epoch: somebody else may have it in the next.
    const places = new Map(own.map(({ signer, subject }) => [subject.epoch, signer] as const))
    const remembered = certified.filter(
      ({ signer, subject }) => places.get(subject.epoch) === signer,
    )
    return contradictionsOf([...own, ...remembered]).map((text) => `${homes[index]}: ${text}`)
  })
  return { votes: held.reduce((sum, { own }) => sum + own.length, 0), contradictions }
}
