// Texts for what is found when somebody looks at a node: alarms, levels, bundles, checkpoints, a home that is
// looked at while its node is stopped.

import { type CatalogEntry, entry } from './error-entry.ts'

export type SeeingErrorCode =
  | 'clock_skew'
  | 'read_only_view'
  | 'alarm_unknown'
  | 'level_invalid'
  | 'descriptors_exhausted'
  | 'checkpoints_differ'
  | 'checkpoint_invalid'
  | 'nothing_readable'

export const SEEING_TEXTS: Record<SeeingErrorCode, CatalogEntry> = {
  clock_skew: entry(1201, 7, 503)(
    'The clock of this computer differs from those of the members',
    'Proposals more than 500 ms ahead of a voter are not voted for; the alarm is raised at half of that.',
    'Let chrony, ntpd or systemd-timesyncd keep the time:   timedatectl status',
    'See whose clock differs by how much:   mooring doctor',
  ),
  read_only_view: entry(1203, 7, 503)(
    'The node of this home is stopped: only what is on its disk can be read',
    '{detail}',
    'Start the node for everything else:   mooring start',
  ),
  alarm_unknown: entry(1204, 6, 404)(
    'No such alarm is raised',
    '{detail}',
    'See those that are:   mooring alarm list',
  ),
  level_invalid: entry(1205, 2, 422)(
    'That is no level of the log',
    '{detail}',
    'A level is trace, debug, info, warn, error or silent:   mooring debug log-level info,p2p=debug',
  ),
  descriptors_exhausted: entry(1206, 1, 503)(
    'The process may open no more files',
    '{detail}',
    'Allow more, 4096 at least:   ulimit -n 65536, or LimitNOFILE= of the unit',
    'See what holds them:   ls -l /proc/<pid>/fd',
  ),
  checkpoints_differ: entry(1207, 8)(
    'Two nodes have different final blocks at one height',
    'Either they belong to different networks, or the chain has forked, which a quorum prevents.',
    'Stop submitting, keep both homes as they are, and tell the other members.',
    'Keep what each of them says:   mooring checkpoint export -o checkpoint.json',
  ),
  checkpoint_invalid: entry(1208, 8, 422)(
    'A checkpoint is not what it claims',
    '{detail}',
    'Fetch it again, from a node that you trust:   mooring checkpoint export',
  ),
  nothing_readable: entry(1210, 11)(
    'Nothing in this home can be read',
    '{detail}',
    'See what is wrong with it:   mooring doctor --offline',
    'Bring it back from a backup:   mooring backup restore',
  ),
}
