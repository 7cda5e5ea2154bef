import assert from 'node:assert/strict'
import { type Certificate, type ConsensusState, recordOf } from '@mooring/consensus'
import { test } from 'uvu'
import { CompactTurns } from '../src/compact-turns.ts'
import { stateOfObserver } from './made-agreement.ts'

/** Nothing is known but which views have a notarization, and where finality is. */
function stateWith(notarized: readonly number[], finalView: number): ConsensusState {
  const certificates = notarized.map((view): Certificate => {
    const subject = { epoch: 0, view, parentView: 0, height: 1, digest: 'b'.repeat(64) }
    return { kind: 'notarize', subject, bitmap: new Uint8Array(13), signatures: [] }
  })
  return withNotarizations(stateOfObserver(), certificates, finalView)
}

function withNotarizations(
  state: ConsensusState,
  certificates: readonly Certificate[],
  finalView: number,
): ConsensusState {
  const empty = recordOf(state, 1_000_000)
  const views = new Map(
    certificates.map((notarization) => [notarization.subject.view, { ...empty, notarization }]),
  )
  return { ...state, views, final: { ...state.final, view: finalView } }
}

test('names go on while what they name is notarized, also when its view is long forgotten', () => {
  const turns = new CompactTurns()
  assert.ok(turns.mayName(stateWith([], 0)))
  turns.named(5)
  turns.follow(stateWith([5], 4))
  turns.follow(stateWith([5], 6))
  // A hundred authorities later nothing is known of view 5 any more.
  assert.ok(turns.mayName(stateWith([], 104)))
})

test('after each loss twice as many blocks go whole, and names come back', () => {
  const turns = new CompactTurns()
  let view = 1
  const wholeAfterLoss = (): number => {
    turns.named(view)
    view += 4
    let whole = 0
    while (!turns.mayName(stateWith([], view))) whole += 1
    return whole
  }
  assert.deepEqual([1, 2, 3, 4].map(wholeAfterLoss), [1, 2, 4, 8])
  turns.named(view)
  turns.follow(stateWith([view], view))
  assert.ok(turns.mayName(stateWith([], view)))
  assert.equal(wholeAfterLoss(), 1)
})

test('what is not notarized when the next turn comes is lost', () => {
  const turns = new CompactTurns()
  turns.named(5)
  assert.ok(!turns.mayName(stateWith([], 3)))
})

test.run()
