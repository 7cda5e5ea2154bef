// What a node does about emergencies, put together from what the node has.

import { randomBytes } from 'node:crypto'
import { quorumOf } from '@mooring/consensus'
import { decodeBlock, decodeReceipts, type EmergencyOpen } from '@mooring/ledger'
import type { AccessNotes } from './access-notes.ts'
import type { Agreement } from './agreement.ts'
import { AtRest } from './at-rest.ts'
import { systemClock } from './clock.ts'
import type { Custodian } from './custodian.ts'
import { Emergencies, openingsIn } from './emergency-parts.ts'
import { summaryOfRecords } from './emergency-records.ts'
import { patientReference } from './grant-terms.ts'
import { loadRecordsSecret } from './local-secret.ts'
import { findRetiredKeys } from './next-keys.ts'
import type { CustodyGround } from './open-custodian.ts'
import type { Relay } from './relay.ts'
import type { VaultKeeper } from './vault-keeper.ts'
import type { VaultParts } from './vault-parts.ts'

export interface EmergencyGround {
  readonly agreement: Agreement
  readonly custodian: Custodian
  readonly vault: VaultParts
  readonly relay: Relay
  readonly accesses: AccessNotes
  readonly reader: () => VaultKeeper['reader']
}

const now = () => systemClock.wall()

export async function openEmergencies(
  { options, logger, metrics, stores }: CustodyGround,
  { agreement, custodian, vault, relay, accesses, reader }: EmergencyGround,
): Promise<Emergencies> {
  const { name: self, keys, genesisDigest } = options
  const { members, committer, execution } = agreement
  const { index, accounts } = custodian
  const { peers } = vault
  const { chain } = stores
  const atRest = new AtRest(await loadRecordsSecret(options))
  const retired = await findRetiredKeys(options.keyPaths.seal, 'seal', options.lock)
  const sealSecrets = [keys.seal, ...retired].map(({ seed }) => seed)
  return new Emergencies(
    { self, genesisDigest, sealSecrets, anchorKey: keys.anchor },
    {
      clock: systemClock,
      logger: logger.module('emergency'),
      random: (length) => new Uint8Array(randomBytes(length)),
      values: stores.privateValues,
      atRest,
      relay,
      accesses,
      refuseRoom: (organisation, bytes) => vault.deposits.refuseRoom(organisation, bytes),
      peers,
      committer,
      chain: {
        height: () => chain.tip.height,
        prunedTo: () => chain.prunedTo,
        openingsAt: (height) => openingsAt(chain, height, genesisDigest),
      },
      organisations: () => members.organisations,
      finalState: () => execution.finalState(),
      tipTime: () => chain.tip.time,
      isKnownKey: (key) => accounts.findByKey(key) !== undefined,
      formerKeys: (key) => accounts.findByKey(key)?.former ?? [],
      patientOf: (reference) => accounts.find(patientReference(reference)),
      summary: (patientKey, withSensitive) =>
        summaryOfRecords({ self, index, accounts, reader, now }, patientKey, withSensitive),
      isCutOff: () => isCutOff(agreement, peers),
      onOpened: (ms) => metrics.emergencyOpen.observe(ms / 1_000),
    },
  )
}

function openingsAt(
  chain: CustodyGround['stores']['chain'],
  height: number,
  genesisDigest: Uint8Array,
): readonly EmergencyOpen[] {
  const stored = chain.getReceipts(height)
  const receipts = stored === undefined ? [] : decodeReceipts(stored)
  if (!receipts.some(({ kind }) => kind === 'emergency.open')) return []
  const block = chain.getBlock(height)
  const transactions = block === undefined ? [] : decodeBlock(block).transactions
  return openingsIn({ receipts, transactions }, genesisDigest)
}

/** Fewer authorities than it takes to finalize a block. */
function isCutOff(
  { execution }: Pick<Agreement, 'execution'>,
  peers: VaultParts['peers'],
): boolean {
  const { organisations } = execution.authorities
  const there = organisations.filter((organisation) => peers.isConnected(organisation))
  return there.length < quorumOf(organisations.length)
}
