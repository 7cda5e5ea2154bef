import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeCertificate, encodeVote, type Vote, ZERO_DIGEST } from '@mooring/consensus'
import { Journal } from '@mooring/storage'
import { test } from 'uvu'
import { contradictionsOf, findContradictions } from '../src/guard-check.ts'
import { createHome } from '../src/home.ts'

function vote(kind: Vote['kind'], view: number, digest = 'ab'.repeat(32)): Vote {
  const isNullify = kind === 'nullify'
  const subject = {
    epoch: 0,
    view,
    parentView: isNullify ? 0 : view - 1,
    height: isNullify ? 0 : view,
    digest: isNullify ? ZERO_DIGEST : digest,
  }
  return { kind, subject, signer: 0, signature: new Uint8Array(64) }
}

test('a view may have a notarize and then either a finalize or a nullify', () => {
  assert.deepEqual(
    contradictionsOf([vote('notarize', 1), vote('finalize', 1), vote('notarize', 2)]),
    [],
  )
  assert.deepEqual(contradictionsOf([vote('notarize', 1), vote('nullify', 1)]), [])
  assert.deepEqual(contradictionsOf([vote('notarize', 1), vote('notarize', 1)]), [])
  const other = 'cd'.repeat(32)
  assert.equal(contradictionsOf([vote('notarize', 1), vote('notarize', 1, other)]).length, 1)
  assert.equal(contradictionsOf([vote('finalize', 1), vote('finalize', 1, other)]).length, 1)
  assert.match(contradictionsOf([vote('finalize', 7), vote('nullify', 7)])[0] ?? '', /view 7/)
})

test('votes are read from journals that stay as they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-guard-check-'))
  try {
    const homes: string[] = []
    for (const [index, second] of ['ab', 'cd'].entries()) {
      const { home, guard } = await createHome(join(folder, String(index)))
      const { journal } = await Journal.open({ directory: guard })
      journal.advance({ epoch: 0, notarized: 1, nullified: 0, finalized: 0 })
      const votes = [vote('notarize', 1), vote('notarize', 1, second.repeat(32))]
      journal.append(
        votes.map((each) => ({ epoch: 0, view: 1, type: 'vote', payload: encodeVote(each) })),
      )
      await journal.sync()
      homes.push(home)
      // Still open: as in a running node.
      if (index === 1) await journal.close()
    }
    const [honest = '', forged = ''] = homes
    const both = await findContradictions(homes)
    assert.equal(both.votes, 4)
    assert.equal(both.contradictions.length, 1)
    assert.ok(both.contradictions[0]?.startsWith(forged))
    assert.deepEqual(await findContradictions([honest]), { votes: 2, contradictions: [] })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a vote counts that only the certificate of another remembers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-guard-check-'))
  try {
    const own = vote('notarize', 1)
    const { subject } = vote('notarize', 1, 'cd'.repeat(32))
    const bitmap = Uint8Array.of(0b111)
    const signatures = [1, 2, 3].map((byte) => new Uint8Array(64).fill(byte))
    const certificate = { kind: 'notarize' as const, subject, bitmap, signatures }
    const forgetful = await homeWith(join(folder, '0'), 'vote', encodeVote(own))
    const witness = await homeWith(join(folder, '1'), 'certificate', encodeCertificate(certificate))
    assert.deepEqual((await findContradictions([forgetful])).contradictions, [])
    const { votes, contradictions } = await findContradictions([forgetful, witness])
    assert.equal(votes, 1)
    assert.deepEqual(contradictions, [
      `${forgetful}: epoch 0, view 1: notarize abababab, notarize cdcdcdcd`,
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a place that was ours in an earlier epoch is that of another in the next', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-guard-check-'))
  try {
    const first = vote('notarize', 1)
    const inNext = (digest: string) => ({ ...vote('notarize', 1, digest).subject, epoch: 1 })
    const second = { ...first, subject: inNext('ab'.repeat(32)), signer: 1 }
    const signatures = [1, 2, 3].map((byte) => new Uint8Array(64).fill(byte))
    const others = {
      kind: 'notarize' as const,
      subject: inNext('cd'.repeat(32)),
      bitmap: Uint8Array.of(0b1101),
      signatures,
    }
    const own = [encodeVote(first), encodeVote(second)]
    const voter = await homeWith(join(folder, '0'), 'vote', ...own)
    const witness = await homeWith(join(folder, '1'), 'certificate', encodeCertificate(others))
    const { contradictions } = await findContradictions([voter, witness])
    assert.deepEqual(contradictions, [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

async function homeWith(
  path: string,
  type: 'vote' | 'certificate',
  ...payloads: Uint8Array[]
): Promise<string> {
  const { home, guard } = await createHome(path)
  const { journal } = await Journal.open({ directory: guard })
  journal.advance({ epoch: 0, notarized: 1, nullified: 0, finalized: 0 })
  journal.append(payloads.map((payload) => ({ epoch: 0, view: 1, type, payload })))
  await journal.sync()
  await journal.close()
  return home
}

test.run()
