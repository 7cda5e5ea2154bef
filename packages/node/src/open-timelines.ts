// Timelines and access logs of patients, put together from what the node has.

import type { TimelineHandlers } from '@mooring/api'
import { encodeGenesis } from '@mooring/ledger'
import { AccessCollector } from './access-collector.ts'
import { createAccessQuestions } from './access-questions.ts'
import type { Agreement } from './agreement.ts'
import { AtRest } from './at-rest.ts'
import { systemClock } from './clock.ts'
import type { Custodian } from './custodian.ts'
import { createGrantedTimeline } from './granted-timeline.ts'
import { loadRecordsSecret } from './local-secret.ts'
import type { CustodyGround } from './open-custodian.ts'
import type { OpenedVault } from './open-vault.ts'
import { createPatientTimeline } from './patient-timeline.ts'
import { createPatientTraces } from './patient-traces.ts'
import { PractitionerDesk } from './practitioner-desk.ts'
import type { VaultParts } from './vault-parts.ts'

export async function openTimelines(
  { options, logger, stores }: CustodyGround,
  {
    agreement,
    custodian,
    vault,
    opened,
  }: { agreement: Agreement; custodian: Custodian; vault: VaultParts; opened: OpenedVault },
): Promise<TimelineHandlers> {
  const { name: self, keys, genesis } = options
  const { chain, records, privateValues: store } = stores
  const { accounts, index } = custodian
  const { keeper, answers } = opened
  const atRest = new AtRest(await loadRecordsSecret(options))
  const ground = { chain, genesis: encodeGenesis(genesis) }
  const collector = new AccessCollector({
    self,
    peers: vault.peers,
    organisations: () => agreement.members.organisations,
    accounts,
    store,
    atRest,
    chain,
    clock: systemClock,
    logger: logger.module('access'),
  })
  return {
    ...createPatientTimeline({
      ...ground,
      self,
      anchorKey: keys.anchor,
      accounts,
      index,
      order: records.order,
      atRest,
      placesOf: (ids) => custodian.places(ids),
      recordContent: answers.recordContent,
      clock: systemClock,
    }),
    ...createGrantedTimeline({
      ...ground,
      desk: new PractitionerDesk(systemClock),
      grants: vault.grants,
      granted: keeper.granted,
      placeOf: (record) => keeper.anchors.placeOf(record),
    }),
    ...createPatientTraces({ self, collector, accounts, index }),
    ...createAccessQuestions({ collector, accounts, store, atRest, clock: systemClock }),
  }
}
