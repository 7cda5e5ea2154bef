/**
 * The shape of evidence against an authority.
 */

import {
  count,
  digest,
  list,
  named,
  nextCursor,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

const vote = Type.Object({
  kind: oneOf(['notarize', 'nullify', 'finalize'], 'What was voted.'),
  parentView: count('View of the parent; 0 for a nullify.'),
  height: count('Height of the block; 0 for a nullify.'),
  digest: digest('The block; zeros for a nullify.'),
  signature: text('Ed25519, hex.'),
})

export const Evidence = named('Evidence', 'Two signed votes that convict an authority.', {
  id: digest('Names the evidence.'),
  kind: oneOf(
    ['conflicting_notarize', 'conflicting_finalize', 'nullify_finalize'],
    'How the two votes contradict each other.',
  ),
  authority: text('Who gave both.'),
  key: textOrNull('Its consensus key in that epoch, hex.'),
  epoch: count('Epoch of both votes.'),
  view: count('View of both votes.'),
  seenAt: time('When this node first had it.'),
  votes: Type.Array(vote),
})
export type Evidence = Static<typeof Evidence>

export const EvidencePage = named('EvidencePage', 'Evidence, newest first.', {
  items: list(Evidence),
  nextCursor,
})
export type EvidencePage = Static<typeof EvidencePage>
