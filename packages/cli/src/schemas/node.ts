// Documents of commands about a node, its home and its network.

import {
  always,
  answer,
  answered,
  anything,
  count,
  digest,
  document,
  flag,
  items,
  listOf,
  mapOf,
  object,
  oneOf,
  optional,
  orNull,
  text,
  texts,
} from './forms.ts'

const originFrom = oneOf('flag', 'env', 'file', 'profile', 'default')

const origin = object({ from: originFrom, where: text })

const errorEntry = {
  mor: text,
  title: text,
  status: count,
  exitCode: count,
  meaning: text,
  fix: texts,
  codes: texts,
}

export const NODE_SCHEMAS = {
  'mooring/version/v1': document('What runs here.', {
    version: text,
    node: text,
    platform: text,
    protocolVersions: listOf(count),
  }),
  'mooring/init/v1': document('The home that was made.', {
    home: text,
    name: text,
    role: oneOf('authority', 'observer'),
    peerId: text,
    governance: text,
    network: orNull(text),
    joinLine: orNull(text),
  }),
  'mooring/start-check/v1': document('What a node would start with.', {
    ok: always(true),
    name: text,
    role: oneOf('authority', 'observer'),
    networkId: text,
    configPath: orNull(text),
    genesisPath: text,
    origins: mapOf(origin),
  }),
  'mooring/status/v1': answered('How a node is doing.', 'Status', {
    peerList: optional(listOf(answer('Peer'))),
  }),
  'mooring/config/v1': document('The configuration in effect, as its file would have it.', {
    path: orNull(text),
    values: mapOf(mapOf(anything)),
    origins: mapOf(origin),
  }),
  'mooring/config-value/v1': document('One option.', {
    name: text,
    value: anything,
    from: originFrom,
    where: text,
  }),
  'mooring/config-set/v1': document('An option that was written.', {
    name: text,
    value: anything,
    path: text,
    backup: text,
  }),
  'mooring/config-validation/v1': document('A configuration without a problem.', {
    ok: always(true),
    path: orNull(text),
  }),
  'mooring/config-diff/v1': items(
    'Options that differ.',
    object({ name: text, value: anything, other: anything, from: originFrom, where: text }),
  ),
  'mooring/config-migration/v1': document('What brought a file to the present version.', {
    path: text,
    from: count,
    to: count,
    steps: texts,
    backup: orNull(text),
  }),
  'mooring/health/v1': document('What the probe of a container found.', { ok: flag, detail: text }),
  'mooring/error/v1': document('What an error means.', errorEntry),
  'mooring/errors/v1': items('Every error.', object(errorEntry)),
  'mooring/genesis/v1': document('The beginning of a network.', {
    networkId: text,
    digest,
    genesis: anything,
  }),
  'mooring/genesis-verification/v1': document('A genesis file that holds.', {
    ok: always(true),
    digest,
    network: text,
    path: text,
  }),
  'mooring/network/v1': answered('What every member agrees on.', 'Network', {
    joinLine: orNull(text),
  }),
  'mooring/join-line/v1': document('What a newcomer sends to the members.', {
    network: text,
    joinLine: text,
  }),
  'mooring/members/v1': items('The organisations of the network.', answer('Member')),
  'mooring/member/v1': answered('One organisation.', 'Member'),
  'mooring/epochs/v1': items('Epochs, newest first.', answer('Epoch')),
  'mooring/changes/v1': items('Changes of the network.', answer('Change')),
  'mooring/change/v1': answered('One change of the network.', 'Change'),
  'mooring/change-proposal/v1': document('A change that was, or would be, proposed.', {
    id: digest,
    kind: text,
    organisation: orNull(text),
    summary: text,
    effect: orNull(answer('ChangeEffect')),
    warnings: texts,
    submitted: flag,
    status: optional(text),
    height: optional(orNull(count)),
  }),
  'mooring/change-approval/v1': document('An approval that is final.', {
    organisation: text,
    transactionId: digest,
    change: anything,
  }),
  'mooring/change-withdrawal/v1': document('A withdrawal that is final.', {
    organisation: text,
    transactionId: digest,
    change: anything,
  }),
  'mooring/upgrade/v1': document('The protocol version in force, and the next one.', {
    protocolVersion: count,
    softwareProtocol: count,
    scheduledProtocol: orNull(answer('ScheduledProtocol')),
    open: listOf(answer('Change')),
    scheduled: orNull(answer('Change')),
    height: count,
  }),
  'mooring/evidence-list/v1': items('Who voted against itself.', answer('Evidence')),
  'mooring/evidence/v1': answered('Two votes that contradict each other.', 'Evidence'),
  'mooring/evidence-file/v1': document('Where evidence was written.', { id: digest, file: text }),
  'mooring/evidence-verification/v1': document('Evidence that holds.', {
    ok: always(true),
    id: digest,
    kind: text,
    authority: orNull(text),
    key: digest,
    epoch: count,
    view: count,
  }),
}
