/**
 * More traitors than safety survives: it may break, and then the certificates of the honest convict more
 * than could be faulty, and nobody honest (I16).
 */
import { type Certificate, convict, culpritsOf } from '@mooring/consensus'
import type { Agreement } from './agreement.ts'
import type { Machine } from './machine.ts'
import { Violation } from './violation.ts'

export function expectConviction(run: Agreement): void {
  const { oracle, plan } = run
  const evidence = convict(run.honest.flatMap(certificatesOf))
  for (const one of evidence) oracle.accused(one)
  if (oracle.forks.size === 0) return
  run.count('fork')
  const named = culpritsOf(evidence, 0).length
  const bearable = Math.floor((plan.nodes - 1) / 3)
  if (named <= bearable)
    throw new Violation('I16', `a fork names ${named}, and ${bearable} could be faulty without one`)
}

/** What a node can show: its final chain, and what its journal holds. */
function certificatesOf({ disk, ledger }: Machine): Certificate[] {
  const finalizations = ledger.log.flatMap(({ finalization }) => finalization ?? [])
  const held = disk.records.flatMap((record) =>
    record.type === 'certificate' ? [record.certificate] : [],
  )
  return [...finalizations, ...held]
}
