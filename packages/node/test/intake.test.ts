// What a peer's frame may become: every refusal that agreement relies on, with real signatures.

import assert from 'node:assert/strict'
import {
  type BlockMeta,
  type Certificate,
  decodeMessage,
  encodeMessage,
  type Message,
  step,
  type Subject,
  type Vote,
  type VoteKind,
  ZERO_DIGEST,
} from '@mooring/consensus'
import { bitmapOf } from '@mooring/crypto'
import { test } from 'uvu'
import { type Intake, type IntakeModules, readMessage, takeIn } from '../src/intake.ts'
import { authorities, GENESIS, stateOfObserver, voteOf } from './made-agreement.ts'

const block: BlockMeta = { ...GENESIS, digest: 'b'.repeat(64), view: 1, height: 1 }
const subject: Subject = { epoch: 0, view: 1, parentView: 0, height: 1, digest: block.digest }

function certificateOf(kind: VoteKind, on: Subject, signers: readonly number[]): Certificate {
  const signatures = signers.map((signer) => voteOf(kind, on, signer).signature)
  return { kind, subject: on, bitmap: bitmapOf([...signers], 4), signatures }
}

type Hold = (encoded: Uint8Array) => BlockMeta

/** Nothing is here but what `hold` says that the bytes are. */
function modulesOf(hold: Hold): IntakeModules {
  return {
    authorities,
    execution: {
      holdIf: (encoded, isWanted) => {
        const meta = hold(encoded)
        return isWanted(meta) ? meta : null
      },
      encodedOf: () => undefined,
    },
    named: () => undefined,
    tried: new Map(),
  }
}

function take(message: Message, from: number, held: BlockMeta = block): Intake {
  const modules = modulesOf(() => held)
  return takeIn(decodeMessage(encodeMessage(message)), from, stateOfObserver(), modules)
}

function propose(vote: Vote, from: number, held: BlockMeta = block): Intake {
  const proposal = { vote, justification: [], block: Uint8Array.of(1) }
  return take({ kind: 'proposal', proposal }, from, held)
}

function faultOf({ fault }: Intake): string | null {
  return fault?.code ?? null
}

test('a proposal of the leader of its view is taken, of anybody else it is a fault', () => {
  assert.equal(propose(voteOf('notarize', subject, 1), 1).events.length, 1)
  assert.equal(faultOf(propose(voteOf('notarize', subject, 2), 2)), 'bad_proposal')
  assert.equal(faultOf(propose(voteOf('notarize', subject, 1), 2)), 'foreign_vote')
  assert.equal(faultOf(propose(voteOf('finalize', subject, 1), 1)), 'foreign_vote')
  assert.equal(faultOf(propose(voteOf('notarize', subject, 1, 2), 1)), 'bad_signature')
})

test('a proposal of an epoch that is over is no fault, whatever place its sender has now', () => {
  const vote = voteOf('notarize', { ...subject, epoch: 1 }, 1)
  for (const from of [1, 2]) assert.deepEqual(propose(vote, from), { events: [], fault: null })
})

test('the subject of a proposal is that of its block', () => {
  const vote = voteOf('notarize', subject, 1)
  for (const change of [{ digest: 'c'.repeat(64) }, { view: 2 }, { parentView: 1 }, { height: 2 }])
    assert.equal(faultOf(propose(vote, 1, { ...block, ...change })), 'bad_proposal')
})

test('only a sealing block is shown in a later view than its own, and in none that is earlier', () => {
  const again = voteOf('notarize', { ...subject, view: 5, parentView: 1 }, 1)
  assert.equal(faultOf(propose(again, 1)), 'bad_proposal')
  assert.equal(propose(again, 1, { ...block, isSealing: true }).events.length, 1)
  const early = { ...block, isSealing: true, view: 6 }
  assert.equal(faultOf(propose(again, 1, early)), 'bad_proposal')
})

test('blocks of views far ahead are not kept, unless a certificate shows that we are behind', () => {
  const held: Uint8Array[] = []
  const of = (view: number, justification: Certificate[]): Intake => {
    const placed = { ...block, view, parentView: view - 1 }
    const vote = voteOf('notarize', { ...subject, view, parentView: view - 1 }, view % 4)
    const proposal = { vote, justification, block: Uint8Array.of(1) }
    const hold = (encoded: Uint8Array): BlockMeta => {
      held.push(encoded)
      return placed
    }
    return takeIn({ kind: 'proposal', proposal }, view % 4, stateOfObserver(), modulesOf(hold))
  }
  assert.deepEqual(of(1_000, []), { events: [], fault: null })
  assert.equal(held.length, 0)
  const parent = certificateOf('notarize', { ...subject, view: 999 }, [0, 1, 2])
  assert.deepEqual(
    of(1_000, [parent]).events.map(({ type }) => type),
    ['proposal'],
  )
  assert.equal(of(17, []).events.length, 1)
  assert.equal(of(18, []).events.length, 0)
})

function refuseToHold(): BlockMeta {
  throw new Error('the block was kept')
}

test('of a second block in a view the vote is kept, as evidence, and the block is not', () => {
  const first = propose(voteOf('notarize', subject, 1), 1).events[0]
  assert.ok(first !== undefined)
  const { state } = step(stateOfObserver(), first, { monotonic: 2, wall: 2 })
  const other = { ...subject, digest: 'c'.repeat(64) }
  const vote = voteOf('notarize', other, 1)
  const proposal = { vote, justification: [], block: Uint8Array.of(2) }
  const taken = takeIn({ kind: 'proposal', proposal }, 1, state, modulesOf(refuseToHold))
  assert.deepEqual(taken, { events: [{ type: 'votes', votes: [vote] }], fault: null })
})

test('votes count over the connection of their signer, and with its signature', () => {
  const vote = voteOf('notarize', subject, 2)
  assert.equal(take({ kind: 'votes', votes: [vote] }, 2).events.length, 1)
  assert.equal(faultOf(take({ kind: 'votes', votes: [vote] }, 3)), 'foreign_vote')
  const forged = voteOf('notarize', subject, 2, 3)
  assert.equal(faultOf(take({ kind: 'votes', votes: [forged] }, 2)), 'bad_signature')
})

test('what is held, and what convicts nobody any more, is not verified again', () => {
  const clock = { monotonic: 2, wall: 2 }
  const modules = modulesOf(() => block)
  const forged = new Uint8Array(64).fill(9)
  const rival = { ...subject, digest: 'c'.repeat(64) }
  const another = { ...subject, digest: 'd'.repeat(64) }
  const leaving = { epoch: 0, view: 1, parentView: 0, height: 0, digest: ZERO_DIGEST }
  const held = [voteOf('notarize', subject, 2), voteOf('nullify', leaving, 2)]
  let { state } = step(stateOfObserver(), { type: 'votes', votes: held }, clock)
  const offer = (vote: Vote): Intake => takeIn({ kind: 'votes', votes: [vote] }, 2, state, modules)

  const nothing = { events: [], fault: null }
  assert.deepEqual(offer({ ...voteOf('notarize', subject, 2), signature: forged }), nothing)
  const again = { ...voteOf('nullify', leaving, 2), signature: forged }
  assert.deepEqual(offer(again), { events: [{ type: 'votes', votes: [again] }], fault: null })
  assert.equal(
    faultOf(offer({ ...voteOf('notarize', rival, 2), signature: forged })),
    'bad_signature',
  )

  const second = voteOf('notarize', rival, 2)
  assert.equal(offer(second).events.length, 1, 'evidence')
  state = step(state, { type: 'votes', votes: [second] }, clock).state
  assert.deepEqual(offer(voteOf('notarize', another, 2)), nothing, 'convicted already')
})

test('a vote or a certificate of another epoch is no fault, and nothing', () => {
  const elsewhere = { ...subject, epoch: 1 }
  const vote = voteOf('notarize', elsewhere, 2)
  assert.deepEqual(take({ kind: 'votes', votes: [vote] }, 2), { events: [], fault: null })
  const certificates = [certificateOf('finalize', elsewhere, [0, 1, 2])]
  const taken = take({ kind: 'certificates', certificates }, 2)
  assert.deepEqual(taken, { events: [], fault: null })
})

test('a certificate is taken from anybody when a quorum has signed it, and not otherwise', () => {
  const good = certificateOf('finalize', subject, [0, 1, 3])
  assert.equal(take({ kind: 'certificates', certificates: [good] }, 2).events.length, 1)
  const forged = [
    certificateOf('finalize', subject, [0, 1]),
    certificateOf('finalize', subject, [0, 1, 2, 3]),
    { ...good, kind: 'notarize' as const },
    { ...good, subject: { ...subject, view: 2 } },
    { ...good, bitmap: bitmapOf([0, 1, 2], 4) },
  ]
  for (const certificate of forged)
    assert.equal(
      faultOf(take({ kind: 'certificates', certificates: [certificate] }, 2)),
      'bad_signature',
    )
})

test('bytes that are no message are not read', () => {
  assert.equal(readMessage(Uint8Array.of(1, 2, 3)), null)
  assert.notEqual(readMessage(encodeMessage({ kind: 'votes', votes: [] })), null)
})

test.run()
