// What is measured of looking after the vault.

import type { Metrics } from './metrics.ts'
import type { CareEvent } from './vault-care.ts'

export function observeCare(
  metrics: Pick<Metrics, 'vaultSets' | 'vaultAudits' | 'shardRepairs' | 'shardsBad'>,
  event: CareEvent,
): void {
  switch (event.kind) {
    case 'counted': {
      const { full, degraded, atRisk, lost } = event.survey.strengths
      metrics.vaultSets.set({ strength: 'full' }, full)
      metrics.vaultSets.set({ strength: 'degraded' }, degraded)
      metrics.vaultSets.set({ strength: 'at_risk' }, atRisk)
      metrics.vaultSets.set({ strength: 'lost' }, lost)
      return
    }
    case 'audited':
      for (const verdict of ['good', 'bad', 'undecided'] as const) {
        metrics.vaultAudits.inc({ verdict }, event.result.verdicts[verdict])
      }
      for (const { fault, holder } of event.result.faults) {
        if (fault === 'wrong') metrics.shardsBad.inc({ holder })
      }
      return
    case 'repaired':
      for (const { outcome } of event.shards) {
        metrics.shardRepairs.inc({ result: outcome === 'kept' ? 'restored' : 'failed' })
      }
      return
  }
}
