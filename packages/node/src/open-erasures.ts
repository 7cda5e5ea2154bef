// Erasing and amending of a node, put together from what the node has.

import { randomBytes } from 'node:crypto'
import { Refusal, type ErasureHandlers } from '@mooring/api'
import { fromHex } from '@mooring/codec'
import { amendmentSchema } from '@mooring/records'
import type { Agreement } from './agreement.ts'
import { Amendments } from './amendments.ts'
import { AtRest } from './at-rest.ts'
import { systemClock } from './clock.ts'
import type { Custodian } from './custodian.ts'
import type { IndexEntry } from './custodian-index.ts'
import { decodeBatch } from './custody.ts'
import { createErasureAnswers } from './erasure-answers.ts'
import { erasureSchema, holdSchema } from './erasure-state.ts'
import { Erasures } from './erasures.ts'
import { loadRecordsSecret } from './local-secret.ts'
import type { CustodyGround } from './open-custodian.ts'
import type { Relay } from './relay.ts'
import { SealedValues } from './sealed-values.ts'
import type { VaultPeers } from './vault-peers.ts'

const NOBODY = { patientKey: new Uint8Array(32), former: [] }

export interface OpenedErasures {
  readonly erasures: Erasures
  readonly answers: ErasureHandlers
  /** @throws Refusal erased: where a record was and is no more */
  readonly refuseErased: (id: string) => undefined
  close(): Promise<void>
}

export interface ErasureGround {
  readonly agreement: Agreement
  readonly custodian: Custodian
  readonly peers: VaultPeers
  readonly relay: Relay
  /** What was made of a patient's records for a time without the network, under any of these keys. */
  readonly forgetSummaries: (patientKeys: readonly Uint8Array[]) => Promise<void>
}

export async function openErasures(
  { options, logger, stores }: CustodyGround,
  { agreement, custodian, peers, relay, forgetSummaries }: ErasureGround,
): Promise<OpenedErasures> {
  const { members, facts } = agreement
  const { index, accounts, placing } = custodian
  const { name: self, genesisDigest, retention } = options
  const { records: store, privateValues } = stores
  const atRest = new AtRest(await loadRecordsSecret(options))
  const accountOf = (record: Uint8Array) => index.get(record)?.account
  const referenceOf = (patientKey: Uint8Array) => accounts.findByKey(patientKey)?.reference
  const erasures = new Erasures(
    { self, retention },
    {
      clock: systemClock,
      logger: logger.module('records'),
      genesisDigest,
      peers,
      relay,
      facts,
      values: new SealedValues(privateValues, atRest, 'erasures', erasureSchema),
      holds: new SealedValues(privateValues, atRest, 'legal-holds', holdSchema),
      anchorKeyOf: (id) => members.organisations.find((one) => one.id === id)?.keys.anchor,
      members: () => members.organisations.map(({ id }) => id),
      saltOf: (setId) => atRest.tombstoneSalt(setId),
      recordOf: (id) => index.get(id),
      anchoredRootOf: ({ place }: IndexEntry) => {
        const batch = place === null ? undefined : store.getBatch(place.sequence)
        return batch === undefined || batch.anchor === null
          ? undefined
          : decodeBatch(batch.batch).root
      },
      referenceOf,
      namesOf: ({ id, setId, account, metadata }) => ({
        id,
        dedupeKey: metadata.dedupe,
        setName: atRest.name('set', setId),
        account: atRest.name('account-key', account),
      }),
      eraseHere: async ({ arrival, account, metadata }, names) => {
        await placing.drop(arrival)
        const { patientKey, former } = accounts.findByKey(account) ?? NOBODY
        const keys = [account, patientKey, ...former]
        await forgetSummaries(keys)
        // Who has the class key by a grant may have kept what it opened: later records get another one.
        const isShared = members.organisations.some(
          ({ id }) => id !== self && accounts.wrapsFor(account, id).length > 0,
        )
        if (isShared) await accounts.rotate(account, metadata.facts.class)
        await store.erase(names)
        // One may have been made a moment before the record was gone.
        await forgetSummaries(keys)
      },
    },
  )
  const amendments = new Amendments({
    values: new SealedValues(privateValues, atRest, 'amendments', amendmentSchema),
    clock: systemClock,
    random: (length) => new Uint8Array(randomBytes(length)),
    accountOf,
    referenceOf,
  })
  await erasures.start()
  return {
    erasures,
    answers: createErasureAnswers({ erasures, amendments, accountOf, referenceOf }),
    refuseErased: (id) => {
      if (!store.isErased(fromHex(id))) return undefined
      throw new Refusal('erased', 'The record was here and is no more; a tombstone says so.')
    },
    close: () => erasures.close(),
  }
}
