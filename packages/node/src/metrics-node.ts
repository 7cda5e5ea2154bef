// What is measured of the process, its health and its disk.

import { type Declaration, SHORT_SECONDS } from './metrics-declaration.ts'

export const declareNode = (to: Declaration) => ({
  buildInfo: to.gauge('build_info', 'Always 1; what runs.', [
    'version',
    'commit',
    'node',
    'protocol',
  ]),
  networkInfo: to.gauge('network_info', 'Always 1; the network.', ['network_id']),
  nodeRole: to.gauge('node_role', 'Always 1; authority or observer.', ['role']),
  ready: to.gauge('ready', '1 when every readiness condition holds.'),
  readyCondition: to.gauge('ready_condition', '1 when the condition holds.', ['condition']),
  alarmActive: to.gauge('alarm_active', '1 while an operator must act on it.', [
    'code',
    'severity',
  ]),
  clockOffset: to.gauge(
    'clock_offset_seconds',
    'Clock of this node minus the median of its peers; 0 while none is known.',
  ),
  tlsCertExpiry: to.gauge(
    'tls_cert_expiry_timestamp_seconds',
    'End of the certificate that is in use.',
    ['use'],
  ),
  tokenExpiry: to.gauge(
    'token_expiry_timestamp_seconds',
    'End of the token of this role that ends next.',
    ['use'],
  ),
})

export const declareStorage = (to: Declaration) => ({
  dbSize: to.gauge('db_size_bytes', 'Size of the data directory.'),
  dbFree: to.gauge('db_free_bytes', 'Free bytes on the volume of the data directory.'),
  dbFreeMin: to.gauge('db_free_min_bytes', 'With less free than this, writes are refused.'),
  dbOperation: to.histogram('db_op_seconds', 'Time of one database operation.', SHORT_SECONDS, [
    'op',
  ]),
  dbLevelFiles: to.gauge('db_level_files', 'Files of a database.', ['db', 'level']),
  dbIntegrityErrors: to.counter(
    'db_integrity_errors_total',
    'Values whose digest did not match when they were read or verified.',
  ),
  dbVerifyLastSuccess: to.gauge(
    'db_verify_last_success_timestamp_seconds',
    'When the database was last verified without a finding.',
  ),
  backupScheduled: to.gauge('backup_scheduled', '1 while this node makes backups by a schedule.'),
  backupLastSuccess: to.gauge(
    'backup_last_success_timestamp_seconds',
    'When the last backup was complete; 0 before the first.',
  ),
  backupLastSize: to.gauge('backup_last_size_bytes', 'Size of the last complete backup.'),
  backupFailures: to.counter('backup_failures_total', 'Backups that failed.'),
})
