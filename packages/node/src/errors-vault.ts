// Texts for what the vault cannot do: read what too few holders have, open what is not the record.

import { type CatalogEntry, entry } from './error-entry.ts'

export type VaultErrorCode =
  | 'holders_unreachable'
  | 'record_unavailable'
  | 'record_damaged'
  | 'anchor_missing'
  | 'custodian_away'
  | 'vault_at_risk'
  | 'vault_degraded'
  | 'served_without_trace'
  | 'upload_spoiled'

export const VAULT_TEXTS: Record<VaultErrorCode, CatalogEntry> = {
  holders_unreachable: entry(5301, 4, 503)(
    'Too few holders of a record can be reached',
    'A record is read only when {need} of its holders have written the access down; {have} did.',
    'See who does not answer:   mooring vault status',
  ),
  record_unavailable: entry(5302, 4, 503)(
    'A record cannot be put together now',
    '{need} good shards open it; the holders that answer have {have}.',
    'See which shards are missing, and make them again:   mooring vault verify, mooring vault repair',
  ),
  record_damaged: entry(5303, 8, 500)(
    'What the shards say is not the record',
    'The shards of record {record} are those of its set, and what they hold is not what was committed to ({reason}).',
    'Its custodian sealed something else, or its manifest was altered: report it to the custodian.',
  ),
  anchor_missing: entry(5307, 8, 500)(
    'A record is said to be anchored and is not',
    'Its custodian names a batch for record {record}, and that batch is not on the chain or does not have the record ({reason}).',
    'See whether this node is in step with the others:   mooring status',
    'If it is, the custodian claims what is not so: report it to the custodian and to the other members.',
  ),
  custodian_away: entry(5308, 4, 503)(
    'The custodian does not answer',
    'Fields of records are shown by {custodian} alone: their shards, which others hold, open the whole.',
    'See whether it is connected, and try again:   mooring member list',
  ),
  vault_at_risk: entry(5304, 1, 503)(
    'Records are one loss away from being lost',
    '{detail}',
    'Bring the missing holders back, then:   mooring vault repair',
  ),
  vault_degraded: entry(5305, 1, 503)(
    'Records are not at full strength',
    '{detail}',
    'See what is missing:   mooring vault status',
    'Make it again:   mooring vault repair',
  ),
  served_without_trace: entry(5306, 1, 500)(
    'A holder gives out shards without a trace',
    '{detail}',
    'Call its operator: its software does not keep to the rule of the network, or is not ours.',
    'Have the members remove it, if it stays:   mooring change propose --help',
  ),
  upload_spoiled: entry(5309, 1, 500)(
    'A record cannot be handed to enough holders',
    '{detail} Their files in data/uploads are missing or damaged. The log names each shard (queued_shard_lost). Everything else goes on.',
    'Bring the files back where another disk or a backup has them, and start the node again: it tries them again.',
    'Otherwise the record is lost, and was never said to be accepted: its sender still has it.',
  ),
}
