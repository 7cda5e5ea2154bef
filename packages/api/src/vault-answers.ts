/**
 * What a node tells of the vault: how whole what it knows of is, and what verifying and repairing found.
 *
 * A set is the n shards of one sealed record. `full`: every shard is where it belongs, at a member that
 * answers. `degraded`: some are not, more than k are. `atRisk`: exactly k are left. `lost`: fewer.
 */

import {
  count,
  countOrNull,
  digest,
  flag,
  list,
  named,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const VaultStrength = named('VaultStrength', 'Sets by how many good shards they have.', {
  sets: count('Sets this node knows of: as custodian, or as a holder of one of their shards.'),
  full: count('All n shards.'),
  degraded: count('Some are missing, more than k are left.'),
  atRisk: count('Exactly k are left.'),
  lost: count('Fewer than k are left.'),
})
export type VaultStrength = Static<typeof VaultStrength>

export const VaultHolder = named('VaultHolder', 'A member as a holder, seen from this node.', {
  organisation: text('Organisation.'),
  legalGroup: text('Its legal group, which counts once among the holders of a set.'),
  connected: flag('Whether it can be asked.'),
  unreachableSince: textOrNull('Since when it cannot.'),
  shards: count('Shards that it should hold of the sets this node knows of.'),
  bad: count('Of these, known to be missing or wrong.'),
})
export type VaultHolder = Static<typeof VaultHolder>

export const VaultStatus = named('VaultStatus', 'The vault as this node sees it.', {
  k: countOrNull('Shards that open a record sealed now; null: too few legal groups.'),
  n: countOrNull('Shards of a record sealed now.'),
  held: Type.Object({
    shards: count('Shards held here, for any custodian.'),
    bytes: count('Their size.'),
    keyDeposits: count('Sealed class keys held here.'),
  }),
  queue: Type.Object({
    waiting: count('Records of this custodian that are not at all of their holders yet.'),
    oldestMs: count('Age of the oldest of them; 0 when none waits.'),
  }),
  strength: VaultStrength,
  strengthAt: textOrNull('When the strength was last counted; null: not yet.'),
  holders: list(VaultHolder),
  audits: Type.Object({
    good: count('Sets that passed since the start.'),
    bad: count('Sets with a wrong or missing answer.'),
    undecided: count('Sets of which too few holders answered.'),
    lastAt: textOrNull('When the last audit ended.'),
  }),
  repair: Type.Object({
    active: flag('Whether a repair is under way.'),
    restored: count('Shards restored since the start, through this node.'),
    waiting: count('Shards that are missing and due for repair by this node.'),
    lastAt: textOrNull('When the last one was restored.'),
  }),
})
export type VaultStatus = Static<typeof VaultStatus>

export const VaultFault = named('VaultFault', 'One shard that is not what it should be.', {
  setId: digest('The set.'),
  index: count('Number of the shard.'),
  holder: text('Who should hold it.'),
  code: text('`shard_missing`, `shard_wrong`, `holder_gone` or `holder_unreachable`.'),
})
export type VaultFault = Static<typeof VaultFault>

export const VaultVerification = named('VaultVerification', 'What verifying the vault found.', {
  green: flag('Every set that was looked at is at full strength.'),
  startedAt: time('When it began.'),
  finishedAt: time('When it ended.'),
  full: flag('Whether every set was audited; otherwise a sample.'),
  scrubbed: count('Shards held here that were read and checked.'),
  audited: count('Sets whose holders proved that they have their shards.'),
  strength: VaultStrength,
  faults: list(VaultFault),
  faultCount: count('All faults; the list has the first of them.'),
})
export type VaultVerification = Static<typeof VaultVerification>

export const VaultRepair = named('VaultRepair', 'What repairing the vault did.', {
  startedAt: time('When it began.'),
  finishedAt: time('When it ended.'),
  restored: count('Shards that were made again.'),
  keyDeposits: count('Sealed class keys that were copied again.'),
  reindexed: count('Records of this custodian that its index has back.'),
  unrepaired: count('Shards that could not be made again.'),
  liars: Type.Array(text('Organisation.'), { description: 'Who helped with wrong shards.' }),
  strength: VaultStrength,
  faults: list(VaultFault),
})
export type VaultRepair = Static<typeof VaultRepair>

export const VaultProgress = named('VaultProgress', 'How far verifying or repairing has come.', {
  phase: text(
    'What is being done: `index`, `keys`, `count`, `scrub`, `presence`, `audit`, `repair`.',
  ),
  done: count('Done in this phase.'),
  total: countOrNull('Of how many, as far as it is known.'),
})
export type VaultProgress = Static<typeof VaultProgress>

export const GrantedRecord = named('GrantedRecord', 'A record that a grant opens.', {
  id: digest('Name of the record: its set.'),
  recordCommit: digest('Its commitment.'),
  custodian: text('Who keeps and anchors it.'),
  recordClass: text('Class.'),
  resourceType: textOrNull('FHIR resource type.'),
  resourceId: textOrNull('FHIR id.'),
  versionId: textOrNull('FHIR version.'),
  fullUrl: textOrNull('Its name in the bundle that brought it.'),
  contentType: text('Media type.'),
  bytes: count('Size as it was received.'),
  receivedAt: time('When the custodian received it.'),
  supersedes: textOrNull('Commitment of the version that it replaces.'),
})
export type GrantedRecord = Static<typeof GrantedRecord>
