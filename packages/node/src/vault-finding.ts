// When somebody has to look at the vault: records that are at risk, or that stay weak.
//
// A member that is started again is missed for a moment; nobody is called for that.

import type { Finding } from './alarms.ts'
import type { HolderView } from './set-health.ts'
import type { CareCounts } from './vault-care.ts'

const MOMENT_MS = 60_000

export function vaultFinding(
  { survey }: Pick<CareCounts, 'survey'>,
  { view, faults }: { view: HolderView; faults: { readonly size: number } },
): Finding | null {
  if (survey === null) return null
  const { degraded, atRisk, lost } = survey.strengths
  if (degraded + atRisk + lost === 0) return null
  const members = new Set(view.organisations().map(({ id }) => id))
  const missing = [...survey.holders.keys()].filter(
    (holder) => !members.has(holder) || view.awayMs(holder) >= MOMENT_MS,
  )
  if (missing.length === 0 && faults.size === 0) return null
  const who = missing.length === 0 ? '' : ` Not there: ${missing.join(', ')}.`
  const sets = `Of ${survey.sets} sets known here ${degraded} lack shards, ${atRisk} have just enough, ${lost} too few.`
  const detail = `${sets}${who}`
  return atRisk + lost > 0
    ? { code: 'vault_at_risk', severity: 'page', detail }
    : { code: 'vault_degraded', severity: 'ticket', detail }
}
