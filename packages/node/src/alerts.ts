// Which text of the catalogue each alert of docker/prometheus/alerts.yml is explained by. A test holds the
// two and the runbooks together.

export const ALERT_CODES = {
  MooringStalled: 'authorities_missing',
  MooringNodeDown: 'node_down',
  MooringFaultToleranceZero: 'fault_tolerance_zero',
  MooringAuthorityNotVoting: 'authority_not_voting',
  MooringNodeLagging: 'node_lagging',
  MooringEquivocation: 'equivocation',
  MooringGuardRefused: 'guard_regression',
  MooringViewsNullified: 'leaders_failing',
  MooringFinalitySlow: 'finality_slow',
  MooringClockSkew: 'clock_skew',
  MooringPeersLow: 'peers_low',
  MooringPeerUnreachable: 'peer_unreachable',
  MooringMempoolFull: 'mempool_full',
  MooringGossipRejects: 'gossip_rejects',
  MooringDiskPredictFull: 'disk_predict_full',
  MooringDiskLow: 'disk_low',
  MooringDbCorruption: 'storage/corrupt',
  MooringShardsMissing: 'vault_at_risk',
  MooringRevocationSlow: 'revocation_slow',
  MooringBackupOld: 'backup_old',
  MooringChangeExpiring: 'change_expiring',
  MooringCertExpiry: 'certificate_expiring',
  MooringVersionSkew: 'version_skew',
  MooringEventLoopLag: 'event_loop_lag',
  MooringHttp5xx: 'http_failing',
} as const

export type AlertName = keyof typeof ALERT_CODES

export function isAlertName(word: string): word is AlertName {
  return Object.hasOwn(ALERT_CODES, word)
}

/** Where what to do is written, from the top of the repository. */
export function runbookOf(alert: AlertName): string {
  const words = alert.replaceAll(/(?<=[a-z])(?=[A-Z0-9])/g, '-').toLowerCase()
  return `docs/how-to/runbooks/${words}.md`
}
