// Documents of commands that look after a node, and of small networks on one computer.

import {
  always,
  answer,
  answered,
  count,
  digest,
  document,
  flag,
  items,
  listOf,
  mapOf,
  object,
  optional,
  orNull,
  text,
  texts,
  time,
} from './forms.ts'

const steps = {
  ok: flag,
  checked: count,
  good: count,
  bad: count,
  repaired: count,
  detail: text,
  findings: listOf(answer('VaultStep')),
}

const hold = { name: text, reason: text, placedAt: time }

const devnetNode = object({
  index: count,
  name: text,
  home: text,
  peerId: text,
  api: text,
  metrics: text,
  pid: orNull(count),
  startedAt: orNull(text),
  isNewcomer: optional(flag),
  isPending: optional(flag),
  isRemoved: optional(flag),
  isPaused: optional(flag),
  behaviour: optional(text),
  running: flag,
  height: orNull(count),
  peers: orNull(count),
  stall: orNull(answer('Stall')),
  missing: texts,
})

export const OPERATE_SCHEMAS = {
  'mooring/vault/v1': answered('How strong the records of a node are.', 'Vault'),
  'mooring/vault-verification/v1': document('What challenging the holders found.', steps),
  'mooring/vault-repair/v1': document('What making shards anew came to.', steps),
  'mooring/snapshot/v1': answered('A snapshot.', 'Snapshot'),
  'mooring/snapshots/v1': items('The snapshots of a node.', answer('Snapshot')),
  'mooring/snapshot-verification/v1': document('A snapshot that holds.', {
    ok: always(true),
    height: count,
    digest,
    bytes: count,
  }),
  'mooring/snapshot-start/v1': document('A home that begins with a snapshot.', {
    height: count,
    digest,
  }),
  'mooring/prune-plan/v1': answered('What may be dropped, and what is kept.', 'PrunePlan'),
  'mooring/pruned/v1': answered('What was dropped.', 'Pruned'),
  'mooring/hold/v1': document('A hold that was placed.', hold),
  'mooring/hold-released/v1': document('A hold that has ended.', { ...hold, left: texts }),
  'mooring/man-pages/v1': document('Where pages of the manual were written.', {
    folder: text,
    count,
  }),
  'mooring/devnet/v1': document('The board of a devnet.', {
    name: text,
    dir: text,
    networkId: text,
    genesisDigest: digest,
    nodes: listOf(devnetNode),
    demo: optional({}),
  }),
  'mooring/devnet-down/v1': document('Which nodes were stopped.', { name: text, stopped: texts }),
  'mooring/devnet-env/v1': document('How commands find a devnet.', { variables: mapOf(text) }),
  'mooring/devnet-kill/v1': document('Which nodes were killed.', { killed: texts }),
  'mooring/devnet-log/v1': document('One line of the log of a node.', { node: text, line: text }),
  'mooring/devnet-node/v1': document('A node that was removed.', {
    removed: text,
    change: digest,
    height: orNull(count),
    effect: orNull(answer('ChangeEffect')),
  }),
  'mooring/devnet-export/v1': document('A devnet as a set of containers.', {
    format: text,
    file: text,
    user: text,
    hospitals: texts,
  }),
  'mooring/devnet-check/v1': document('What holds in a devnet.', {
    ok: always(true),
    findings: listOf(object({ check: text, ok: flag, detail: text })),
  }),
}
