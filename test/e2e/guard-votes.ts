// The votes of one authority that any of these guards knows, from copies, so that running nodes are left
// alone. A copy taken in the middle of a write may look torn or behind, and is taken again.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCertificate, decodeVote, type Vote, votesOf as votesIn } from '@mooring/consensus'
import { Journal } from '@mooring/storage'
import { eventually } from './eventually.ts'

const COPY_MS = 30_000

export async function votesOf(guards: readonly string[], signer: number): Promise<Vote[]> {
  const all = await Promise.all(guards.map(readGuard))
  return all.flat().filter((vote) => vote.signer === signer)
}

async function readGuard(guard: string): Promise<Vote[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-votes-'))
  try {
    return await eventually(`a copy of ${guard} opens`, COPY_MS, async () => {
      const directory = join(folder, 'guard')
      await rm(directory, { recursive: true, force: true })
      await cp(guard, directory, { recursive: true })
      const { journal, records } = await Journal.open({ directory })
      await journal.close()
      return records.flatMap(({ type, payload }) => {
        if (type === 'vote') return [decodeVote(payload)]
        return type === 'certificate' ? votesIn(decodeCertificate(payload)) : []
      })
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
