import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { defaultLimits } from '../src/index.ts'
import { type Candidate, isBetter, type Preference, shouldAwaitOwnDial } from '../src/preference.ts'

const NOW = 100_000
const [A, B] = ['12D3KooWAAAA', '12D3KooWBBBB']

test('both sides keep the same one of two living connections, whichever came first', () => {
  const property = fc.property(fc.boolean(), fc.boolean(), (aSawItsOwnFirst, bSawItsOwnFirst) => {
    const keptByA = keeps(A, B, aSawItsOwnFirst)
    const keptByB = keeps(B, A, bSawItsOwnFirst)
    // What A dialled is outbound for A and inbound for B.
    assert.equal(keptByA === 'outbound', keptByB === 'inbound')
  })
  fc.assert(property)
})

test('a newer connection wins over a silent one, whoever dialled it', () => {
  const silent = link(A, 'outbound', { lastHeard: NOW - defaultLimits.aliveWithinMs })
  assert.equal(isBetter(link(A, 'inbound'), silent, preference(B)), true)
})

test('a newer connection wins over the one of a process that is gone', () => {
  const gone = link(B, 'outbound', { hello: { instance: new Uint8Array([1]) } })
  assert.equal(isBetter(link(B, 'inbound'), gone, preference(A)), true)
})

test('the preferred dialler waits for its own young dial, and only for that', () => {
  const dial = { startedAt: NOW - 10 }
  const old = { startedAt: NOW - defaultLimits.dialPreferenceMs }
  assert.equal(shouldAwaitOwnDial({ member: { peerId: B }, links: [], dial }, preference(A)), true)
  assert.equal(shouldAwaitOwnDial({ member: { peerId: A }, links: [], dial }, preference(B)), false)
  const tooOld = { member: { peerId: B }, links: [], dial: old }
  assert.equal(shouldAwaitOwnDial(tooOld, preference(A)), false)
  const greeting = { member: { peerId: B }, links: [link(B, 'outbound')], dial: null }
  assert.equal(shouldAwaitOwnDial(greeting, preference(A)), true)
})

function keeps(own: string, peer: string, sawItsOwnFirst: boolean): 'inbound' | 'outbound' {
  const first = sawItsOwnFirst ? 'outbound' : 'inbound'
  const second = sawItsOwnFirst ? 'inbound' : 'outbound'
  return isBetter(link(peer, second), link(peer, first), preference(own)) ? second : first
}

function preference(ownPeerId: string): Preference {
  return { ownPeerId, limits: defaultLimits, now: NOW }
}

function link(
  peerId: string,
  direction: 'inbound' | 'outbound',
  differences: Partial<Candidate> = {},
): Candidate {
  return {
    member: { peerId },
    connection: { direction },
    hello: { instance: new Uint8Array([7]) },
    isOpen: true,
    openedAt: NOW - 5,
    lastHeard: NOW - 5,
    ...differences,
  }
}

test.run()
