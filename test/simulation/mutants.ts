/**
 * Rules of agreement, each taken away by the change of one place in the source. Whoever changes that
 * place must say here what the rule has become: a mutant whose text is not found is an error.
 */

import { MUTANTS_AROUND } from './mutants-around.ts'
import { MUTANTS_OF_EPOCHS } from './mutants-epochs.ts'

export interface Mutant {
  readonly name: string
  /** In `packages/consensus/src`, or from the root where it lies in another place. */
  readonly file: string
  /** Where it is hunted; in that of agreement alone unless it says otherwise. */
  readonly world?: 'whole'
  readonly from: string
  readonly to: string
  /** In the same file: where one rule stands behind another, both must go. */
  readonly and?: { readonly from: string; readonly to: string }
  /** Of a rule that the simulation has no part in: the tests that know it. */
  readonly tests?: readonly string[]
  /** Where the campaign finds it soonest, if not everywhere. */
  readonly nodes?: string
}

const MUTANTS_OF_VOTING: readonly Mutant[] = [
  {
    name: 'finalize after a nullify',
    file: 'vote.ts',
    from: 'if (me === null || record.ownFinalize !== null || isGivenUp(state, view)) continue',
    to: 'if (me === null || record.ownFinalize !== null) continue',
  },
  {
    name: 'nullify after a finalize',
    file: 'state.ts',
    from: 'return recordOf(state, view).ownFinalize !== null || view === state.marks.finalize',
    to: 'return false',
  },
  {
    name: 'notarize after a nullify',
    file: 'vote.ts',
    from: 'if (isGivenUp(state, state.view) || record.isEquivocated) return',
    to: 'if (record.isEquivocated) return',
  },
  {
    name: 'notarize twice',
    file: 'vote.ts',
    from: 'if (hasNotarized(state, state.view) || record.ownFinalize !== null) return',
    to: 'if (record.ownNotarize?.digest === proposal.block.digest) return',
    nodes: '4..4',
  },
  {
    name: 'gap not checked',
    file: 'vote.ts',
    from: 'if (parent === null || !isGapNullified(draft, parentView, state.view))',
    to: 'if (parent === null)',
  },
  {
    name: 'only the last gap checked',
    file: 'vote.ts',
    from: 'for (let skipped = parentView + 1; skipped < view; skipped += 1)',
    to: 'for (let skipped = Math.max(parentView + 1, view - 1); skipped < view; skipped += 1)',
  },
  {
    name: 'parent below the last finalization (R4a)',
    file: 'vote.ts',
    from: 'if (parentView >= state.view || parentView < state.final.view) return nullify(draft)',
    to: 'if (parentView >= state.view) return nullify(draft)',
  },
  {
    name: 'parent that is not the notarized one',
    file: 'sealing.ts',
    from: 'if (parent.digest !== block.parent || parent.height + 1 !== block.height)',
    to: 'if (parent.height + 1 !== block.height)',
  },
  {
    name: 'parent that nobody notarized (R4b)',
    file: 'vote.ts',
    from: 'if (parent === null || !isGapNullified(draft, parentView, state.view))',
    to: 'if (!isGapNullified(draft, parentView, state.view))',
  },
  {
    name: 'leader that equivocated',
    file: 'vote.ts',
    from: 'if (isGivenUp(state, state.view) || record.isEquivocated) return',
    to: 'if (isGivenUp(state, state.view)) return',
  },
  {
    name: 'invalid block notarized',
    file: 'vote.ts',
    from: "if (execution === 'invalid') return nullify(draft)",
    to: "if (execution === 'invalid') return void draft.actions.push({ type: 'vote', vote: unsigned('notarize', subject, me) })",
  },
  {
    name: 'time not checked',
    file: 'vote.ts',
    from: "if (timing === 'refused') return nullify(draft)",
    to: '',
  },
  {
    name: 'finalize without execution',
    file: 'vote.ts',
    from: "if (execution !== 'valid') {",
    to: "if (execution === 'none') {",
  },
  {
    name: 'finalize of what is not notarized',
    file: 'vote.ts',
    from: 'const { notarization } = record\n    if (notarization === null) continue',
    to: 'const notarization = record.notarization ?? [...record.notarize.values()].at(-1) ?? null\n    if (notarization === null) continue',
  },
  {
    name: 'quorum one less',
    file: 'quorum.ts',
    from: 'return Math.ceil((2 * authorities) / 3)',
    to: 'return Math.ceil((2 * authorities) / 3) - 1',
  },
  {
    name: 'quorum n - f',
    file: 'quorum.ts',
    from: 'return Math.ceil((2 * authorities) / 3)',
    to: 'return authorities - Math.floor((authorities - 1) / 3)',
  },
  {
    name: 'votes on different subjects added up',
    file: 'certificates.ts',
    from: 'sameSubject(other.subject, vote.subject),\n  )\n  if (same',
    to: 'other.subject.view === vote.subject.view,\n  )\n  if (same',
  },
  {
    name: 'vote overwritten by a later one',
    file: 'certificates.ts',
    from: '  if (known === undefined) {',
    to: '  if (known === undefined || !sameSubject(known.subject, subject)) {',
  },
  {
    name: 'own votes not read at start',
    file: 'start.ts',
    from: 'for (const vote of recovered.votes) rememberOwn(draft, vote)',
    to: '',
    nodes: '4..4',
  },
  {
    name: 'neither own votes nor marks read at start',
    file: 'start.ts',
    from: 'for (const vote of recovered.votes) rememberOwn(draft, vote)',
    to: '',
    and: {
      from: '    marks: recovered.marks,\n',
      to: '    marks: { notarize: 0, nullify: 0, finalize: 0 },\n',
    },
  },
  {
    name: 'certificates not read at start',
    file: 'start.ts',
    from: 'for (const certificate of recovered.certificates) onCertificate(draft, certificate)',
    to: '',
  },
  {
    name: 'mark of finalize not asked',
    file: 'state.ts',
    from: ' || view === state.marks.finalize',
    to: '',
  },
  {
    name: 'mark of nullify not asked',
    file: 'state.ts',
    from: 'return view <= state.marks.nullify && !hasFinalized(state, view)',
    to: 'return false',
  },
  {
    name: 'mark of notarize not asked',
    file: 'state.ts',
    from: ' || view <= state.marks.notarize',
    to: '',
  },
  {
    name: 'nullify that only the marks know not given again',
    file: 'vote.ts',
    from: '  if (isGivenUp(state, state.view)) return nullify(draft)\n',
    to: '',
    nodes: '4..4',
  },
  {
    name: 'marks not read at start',
    file: 'start.ts',
    from: '    marks: recovered.marks,\n',
    to: '    marks: { notarize: 0, nullify: 0, finalize: 0 },\n',
  },
  {
    name: 'certificates not journalled',
    file: 'certificates.ts',
    from: "  draft.actions.push({ type: 'journal', certificate })\n",
    to: '',
  },
  {
    name: 'own nullify counted before it is durable',
    file: 'vote.ts',
    from: "  draft.actions.push({ type: 'vote', vote: unsigned('nullify', subject, me) })\n",
    to: "  draft.actions.push({ type: 'vote', vote: unsigned('nullify', subject, me) })\n  const early = { kind: 'nullify', subject, signer: me, signature: new Uint8Array(64) } as const\n  writeRecord(draft, state.view).nullify = new Map(recordOf(state, state.view).nullify).set(me, early)\n",
    nodes: '4..4',
  },
  {
    name: 'certification timer removed',
    file: 'vote.ts',
    from: "  setTimer(draft, 'certification', 3 * deltaMs * factor + minBlockIntervalMs)\n",
    to: '',
  },
  {
    name: 'leader timer removed',
    file: 'vote.ts',
    from: "  setTimer(draft, 'leader', 2 * deltaMs * factor + minBlockIntervalMs)\n",
    to: '',
  },
  {
    name: 'retry and status removed',
    file: 'step.ts',
    from: "  if (name === 'status') return broadcastStatus(draft)\n",
    to: "  if (name === 'status' || name === 'retry') return\n",
  },
  {
    name: 'who nullified ignores the notarization (R1)',
    file: 'certificates.ts',
    from: '  if (view >= state.view) enter(draft, view + 1)',
    to: "  if (view >= state.view && (kind !== 'notarize' || !record.ownNullify)) enter(draft, view + 1)",
  },
  {
    name: 'last finalization moved back',
    file: 'certificates.ts',
    from: '  if (subject.view <= state.final.view) {',
    to: '  if (subject.view === state.final.view) {',
  },
  {
    name: 'floor moved back by sync',
    file: 'blocks.ts',
    from: '  if (block.height <= state.committed.height) return\n  state.committed = block',
    to: '  state.committed = block',
  },
  {
    name: 'own votes forgotten above the last finalization',
    file: 'state.ts',
    from: '    if (view <= final - RETENTION) ownViews(draft).delete(view)',
    to: '    if (view <= final + 1) ownViews(draft).delete(view)',
  },
  {
    name: 'committed before all is executed',
    file: 'blocks.ts',
    from: '  if (chain.some((block) => !isExecuted(draft, block.digest)))',
    to: '  if (chain.length === 0)',
  },
  {
    name: 'unfinished commit not taken up',
    file: 'step.ts',
    from: '    tryCommit(draft)\n',
    to: "    if (draft.actions.some(({ type }) => type === 'journal')) tryCommit(draft)\n",
  },
  {
    name: 'double votes not reported',
    file: 'certificates.ts',
    from: "  draft.actions.push({ type: 'evidence', evidence })\n",
    to: "  if (evidence.kind === 'nullify_finalize') draft.actions.push({ type: 'evidence', evidence })\n",
  },
  {
    name: 'double votes reported again and again',
    file: 'certificates.ts',
    from: '  if (accused.has(name)) return\n',
    to: '',
  },
  {
    name: 'idle chain completes itself for ever',
    file: 'propose.ts',
    from: '  if (clock.monotonic - state.enteredAt < 2 * state.config.deltaMs) return false\n  return hasOpenContent(draft)',
    to: '  return state.view > state.final.view + 1',
  },
  {
    name: 'dead leaders not skipped',
    file: 'vote.ts',
    from: '  if (record.proposal === null && isInactive(draft, leader)) return nullify(draft)\n',
    to: '',
  },
  {
    name: 'missing blocks never fetched',
    file: 'blocks.ts',
    from: "  draft.actions.push({ type: 'fetch-block', digest, holders })\n",
    to: '',
  },
  {
    name: 'sync that is overtaken never ends',
    file: 'blocks.ts',
    from: '  if (draft.state.syncing <= view) draft.state.syncing = 0\n',
    to: '',
  },
  {
    name: 'signed message without the epoch',
    file: 'votes.ts',
    from: 'for (const value of [subject.epoch, subject.view, subject.parentView, subject.height]) {',
    to: 'for (const value of [0, subject.view, subject.parentView, subject.height]) {',
  },
  {
    name: 'signed message without the kind',
    file: 'votes.ts',
    from: '  message[at] = KIND_BYTE[kind]\n',
    to: '  message[at] = KIND_BYTE.notarize\n',
  },
  {
    name: 'dead blocks kept',
    file: 'blocks.ts',
    from: 'if (meta.height <= committed.height || meta.view <= committed.view) blocks.delete(digest)',
    to: 'if (meta.height <= committed.height) blocks.delete(digest)',
  },
]

export const MUTANTS: readonly Mutant[] = [
  ...MUTANTS_OF_VOTING,
  ...MUTANTS_OF_EPOCHS,
  ...MUTANTS_AROUND,
]

/** Where the text of a mutant stands. */
export function urlOf({ file }: Mutant): URL {
  const folder = file.includes('/') ? '../../' : '../../packages/consensus/src/'
  return new URL(folder + file, import.meta.url)
}

export function mutantOf(name: string | undefined): Mutant {
  const mutant = MUTANTS.find((known) => known.name === name)
  if (mutant === undefined) throw new Error(`no mutant is called "${name ?? ''}"`)
  return mutant
}

/** The source with its one place changed, or two. */
export function mutate({ name, file, from, to, and }: Mutant, source: string): string {
  const replace = (text: string, old: string, changed: string): string => {
    const parts = text.split(old)
    if (parts.length !== 2)
      throw new Error(`"${name}" changes a text that stands ${parts.length - 1} times in ${file}`)
    return parts.join(changed)
  }
  const once = replace(source, from, to)
  return and === undefined ? once : replace(once, and.from, and.to)
}
