// What a few members propose does not fill the connections of all: of many admissions the oldest are candidates.

import assert from 'node:assert/strict'
import { formatPeerId } from '@mooring/crypto'
import { createTransaction, signAdmission } from '@mooring/ledger'
import { test } from 'uvu'
import { candidatesIn } from '../src/candidates.ts'
import { keyOf, NAMES, OBSERVER, organisation } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'

const CANDIDATES_MAX = 16
const clinics = Array.from({ length: CANDIDATES_MAX + 2 }, (_, at) => `clinic-${at}`)

function admissionBy(world: World, proposer: string, newcomer: string): Uint8Array {
  const { genesisDigest } = world.parts.options
  const wanted = { ...organisation(newcomer), roles: ['observer' as const] }
  const body = signAdmission(genesisDigest, wanted, keyOf(newcomer, 'governance'))
  return createTransaction({
    genesisDigest,
    keyPair: keyOf(proposer, 'governance'),
    kind: 'change.propose',
    expiresAt: world.clock.wall() + 60_000,
    body: {
      organisation: proposer,
      reason: 'one of many',
      expiresAt: world.clock.wall() + 3_600_000,
      change: { kind: 'admit', body },
    },
  })
}

test('the oldest proposals make candidates, and never more than there are places', () =>
  withWorld(async (world) => {
    const members = [...NAMES, OBSERVER]
    const proposals = clinics.map((clinic, at) =>
      admissionBy(world, members[at % members.length] ?? OBSERVER, clinic),
    )
    for (const proposal of proposals) await world.finalize([proposal])
    const candidates = candidatesIn(world.parts.execution.finalState())
    const oldest = clinics.slice(0, CANDIDATES_MAX)
    assert.deepEqual(
      candidates.map(({ name }) => name),
      oldest,
    )
    assert.deepEqual(
      candidates.map(({ peerId }) => peerId),
      oldest.map((clinic) => formatPeerId(keyOf(clinic, 'transport').publicKey)),
    )
    assert.ok(candidates.every(({ isCandidate, authority }) => isCandidate && !authority))
  }))

test.run()
