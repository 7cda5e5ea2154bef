// Texts for what an alert is about when it is no error of a command and no alarm that has a text elsewhere:
// mostly what is seen from several nodes, or over hours. Each has a runbook in docs/how-to/runbooks.

import { type CatalogEntry, entry } from './error-entry.ts'

export type AlertErrorCode =
  | 'node_down'
  | 'fault_tolerance_zero'
  | 'authority_not_voting'
  | 'node_lagging'
  | 'finality_slow'
  | 'peers_low'
  | 'peer_unreachable'
  | 'gossip_rejects'
  | 'disk_predict_full'
  | 'revocation_slow'
  | 'change_expiring'
  | 'certificate_expiring'
  | 'version_skew'
  | 'event_loop_lag'
  | 'http_failing'

export const ALERT_TEXTS: Record<AlertErrorCode, CatalogEntry> = {
  node_down: entry(2101, 4, 503)(
    'A node answers no scrape',
    'Its process has ended, hangs, or cannot be reached from the monitoring.',
    'See whether it runs, and its last lines:   systemctl status mooring',
    'Its exit code says whether to start it again:   mooring start --help',
  ),
  fault_tolerance_zero: entry(2102, 9, 503)(
    'One more authority that fails stops the network',
    'Just so many authorities take part as a certificate needs; blocks still become final.',
    'See which are missing, and call their operators:   mooring status',
  ),
  authority_not_voting: entry(2103, 9, 503)(
    'An authority does not vote',
    'It has given no vote in more than 20 views: it is down, cut off, catching up, or its guard refuses.',
    'On its computer:   mooring status',
    'On another one, how it is seen from there:   mooring member list',
  ),
  node_lagging: entry(2104, 9, 503)(
    'A node is behind the others',
    'It has fewer blocks than its peers tell of, and does not catch up in time.',
    'See how fast it catches up, and from whom:   mooring status',
  ),
  finality_slow: entry(2105, 9, 503)(
    'Transactions wait long until they are final',
    'One in twenty takes more than two seconds: a slow leader, a slow disk, or long lines.',
    'See views, leaders and delays:   mooring status',
  ),
  peers_low: entry(2106, 9, 503)(
    'An authority is connected to too few others',
    'With so few connections no certificate can be put together here.',
    'See who is missing and why:   mooring status',
    'Check the firewall: port 7420 is for all members, in both directions.',
  ),
  peer_unreachable: entry(2107, 9, 503)(
    'A member is not connected',
    'This node dials it again and again, and it neither answers nor dials itself.',
    'See the reason of the last attempt:   mooring status',
  ),
  gossip_rejects: entry(2108, 9, 503)(
    'Peers send transactions that are not valid',
    'Somebody attacks, or runs a version with other rules.',
    'See who in the log:   a peer sent transactions that are not valid',
    'Compare the versions of the members:   mooring upgrade status',
  ),
  disk_predict_full: entry(2109, 11, 507)(
    'The disk will be full within three days',
    'Free space shrinks, and at this rate nothing is left soon.',
    'See what takes it:   mooring status --json',
    'Free some, or keep less:   mooring prune plan',
  ),
  revocation_slow: entry(2110, 9, 503)(
    'It takes long until a revoked permission is refused everywhere',
    'A revocation holds from the block that has it, and that block comes late.',
    'See what blocks wait for:   mooring status',
  ),
  change_expiring: entry(2112, 7, 409)(
    'A change of the network is about to expire',
    'It is open, lacks approvals or readiness, and ends within twelve hours.',
    'See what it lacks:   mooring change list',
    'Approve it, or let it go:   mooring change approve <id>',
  ),
  certificate_expiring: entry(2113, 3, 503)(
    'A certificate or token of this node is about to expire',
    'After that clients, or the node itself, are refused.',
    'See which one and when:   mooring tls check',
    'Issue a new one, then let the node read it:   mooring tls issue',
  ),
  version_skew: entry(2114, 13, 503)(
    'The nodes run more than two versions',
    'An upgrade was begun and not finished on some of them.',
    'See who runs what:   mooring upgrade status',
  ),
  event_loop_lag: entry(2115, 9, 503)(
    'The event loop of a node is late',
    'Something keeps it busy, or it has too little of a processor: votes and answers leave late.',
    'See what the computer does:   top',
    'Keep what is needed to look into it:   mooring debug bundle',
  ),
  http_failing: entry(2116, 1, 500)(
    'The API fails too often',
    'More than one answer in a hundred is a failure of the node itself.',
    'The cause is in its log, under the id of the request.',
    'Report it with:   mooring debug bundle',
  ),
}
