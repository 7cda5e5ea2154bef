// From the values of options to what each part of a node is given: paths made absolute, texts read,
// "empty" said as null. One function for a section, where a section needs more than a line.

import { resolve } from 'node:path'
import { homePaths } from './home.ts'
import { parseLogLevels, parseRetention, parseVerifyOnStart } from './option-values.ts'
import type { OptionValues } from './options.ts'

export type PartOptions = ReturnType<typeof partOptions>

export function partOptions(home: string, values: OptionValues) {
  const levels = parseLogLevels(values.log.level)
  if (!('value' in levels)) throw new TypeError('the level was checked when it was read')
  const retention = parseRetention(values.storage.retention)
  if (!('value' in retention)) throw new TypeError('the retention was checked when it was read')
  const verifyOnStart = parseVerifyOnStart(values.storage.verify_on_start)
  if (!('value' in verifyOnStart)) throw new TypeError('what is verified was checked when read')
  const { backup, consensus, p2p, mempool, storage, vault, sync } = values
  const { http, admin, patients, metrics, log, tracing, shutdown } = values
  const paths = homePaths(home)
  return {
    p2p: {
      listen: p2p.listen,
      announce: p2p.announce,
      peers: p2p.peers,
      maxPeers: p2p.max_peers,
      allow: p2p.allow,
      allowList: p2p.allow_list,
    },
    consensus: {
      marksPath: consensus.signer_state === '' ? null : resolve(home, consensus.signer_state),
    },
    mempool: {
      maxCount: mempool.max_count,
      maxBytes: mempool.max_bytes,
      perClient: mempool.per_client,
    },
    storage: {
      dir: resolve(home, storage.dir),
      guardDir: paths.guard,
      runDir: paths.run,
      cacheBytes: storage.cache,
      retention: retention.value,
      verifyOnStart: verifyOnStart.value,
      minFreeBytes: storage.min_free,
    },
    backup: {
      schedule: backup.schedule === '' ? null : backup.schedule,
      dir: resolve(home, backup.dir),
      keep: backup.keep,
    },
    vault: {
      quotaBytes: vault.quota === 0 ? null : vault.quota,
      reserveBytes: vault.reserve,
      repairAfterMs: vault.repair_after,
      auditEveryMs: vault.audit_every,
    },
    retention: {
      years: values.retention.years,
      classes: Object.fromEntries(values.retention.classes.map(yearsOfClass)),
    },
    snapshotsDir: paths.snapshots,
    sync: { mode: sync.mode },
    http: {
      listen: http.listen,
      tls: tlsFiles(home, http),
      clientCa: http.client_ca === '' ? null : resolve(home, http.client_ca),
      clientRoles: http.client_roles,
      hosts: http.hosts,
      open: http.open,
      rate: http.rate === 'off' ? null : Number(http.rate.slice(0, -'/s'.length)),
      bodyLimitBytes: http.body_limit,
      explorer: http.explorer,
    },
    admin: { socket: admin.socket === '' ? null : resolve(home, admin.socket) },
    patients: {
      listen: patients.listen === '' ? null : patients.listen,
      tls: tlsFiles(home, patients),
      hosts: patients.hosts,
    },
    metrics: { listen: metrics.listen === '' ? null : metrics.listen },
    log: {
      levels: levels.value,
      format: log.format,
      file: log.file === '' ? null : resolve(home, log.file),
      redact: log.redact,
    },
    tracing: {
      endpoint: tracing.otlp_endpoint === '' ? null : tracing.otlp_endpoint,
      sample: Number(tracing.sample),
    },
    shutdown: {
      timeoutMs: shutdown.timeout,
      graceMs: shutdown.grace,
      onFatal: shutdown.on_fatal,
    },
  }
}

function tlsFiles(
  home: string,
  { tls_cert: cert, tls_key: key }: { tls_cert: string; tls_key: string },
): { cert: string; key: string } | null {
  return cert === '' ? null : { cert: resolve(home, cert), key: resolve(home, key) }
}

function yearsOfClass(item: string): [string, number] {
  const at = item.lastIndexOf('=')
  return [item.slice(0, at), Number(item.slice(at + 1))]
}
