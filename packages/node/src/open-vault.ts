// The keeper of the vault of a node and what the API answers of it, put together from what the node has.

import { randomBytes, randomInt } from 'node:crypto'
import type { VaultHandlers } from '@mooring/api'
import { decodeShardSet } from '@mooring/records'
import type { AccessNotes } from './access-notes.ts'
import { AccessSequences, sequenceSchema } from './access-sequences.ts'
import { findRetiredKeys } from './next-keys.ts'
import type { Agreement } from './agreement.ts'
import type { Finding } from './alarms.ts'
import { AtRest } from './at-rest.ts'
import { systemClock } from './clock.ts'
import type { Custodian } from './custodian.ts'
import { createDisclosures } from './disclosures.ts'
import { discoverHeads, discoverKeys } from './discovery.ts'
import { discoverBatches } from './recovered-batches.ts'
import { loadRecordsSecret } from './local-secret.ts'
import type { CustodyGround } from './open-custodian.ts'
import { PractitionerDesk } from './practitioner-desk.ts'
import type { ProofDocuments } from './proof-documents.ts'
import { SealedValues } from './sealed-values.ts'
import { type ProbeTarget, TraceProbe } from './trace-probe.ts'
import { CARE_DEFAULTS } from './vault-care.ts'
import { createCareAnswers } from './vault-care-answers.ts'
import { createVaultKeeper, type VaultKeeper } from './vault-keeper.ts'
import { observeCare } from './vault-metrics.ts'
import type { VaultParts } from './vault-parts.ts'
import { createReadingAnswers } from './vault-reading-answers.ts'

/** The reference of the institution's own account. */
const INSTITUTION = ''
/** Records that a probe chooses from. */
const PROBED = 64

export type VaultReadAnswers = Pick<
  VaultHandlers,
  'recordContent' | 'readable' | 'readFields' | 'disclose' | 'vault' | 'verifyVault' | 'repairVault'
>

export interface OpenedVault {
  readonly keeper: VaultKeeper
  readonly answers: VaultReadAnswers
  /** What an operator must act on. */
  finding(): Finding | null
  start(): void
  close(): Promise<void>
}

export interface VaultGround {
  readonly agreement: Agreement
  readonly custodian: Custodian
  readonly vault: VaultParts
  readonly notes: AccessNotes
  readonly proofs: Pick<ProofDocuments, 'fields'>
  readonly isRestricted: (recordCommit: Uint8Array) => boolean
}

export async function openVaultKeeper(
  { options, logger, metrics, stores }: CustodyGround,
  { agreement, custodian, vault, notes, proofs, isRestricted }: VaultGround,
): Promise<OpenedVault> {
  const { members } = agreement
  const { index, accounts, placing } = custodian
  const { repairAfterMs: graceMs, auditEveryMs: auditMs } = options.vault
  const { name: self, keys } = options
  const { peers, shards, deposits, roots, grants } = vault
  const atRest = new AtRest(await loadRecordsSecret(options))
  const sequences = new AccessSequences(
    new SealedValues(stores.privateValues, atRest, 'access-sequences', sequenceSchema),
  )
  const retired = await findRetiredKeys(options.keyPaths.seal, 'seal', options.lock)
  const retiredSealSecrets = retired.map(({ seed }) => seed)
  const care = { ...CARE_DEFAULTS, graceMs, auditMs }
  const keeper = createVaultKeeper(
    { self, anchorKey: keys.anchor, sealSecret: keys.seal.seed, retiredSealSecrets, care },
    {
      clock: systemClock,
      logger: logger.module('vault'),
      random: (length) => new Uint8Array(randomBytes(length)),
      peers,
      shards,
      blobs: stores.blobs,
      checkRoom: (organisation, bytes) => deposits.refuseRoom(organisation, bytes),
      members,
      chain: stores.chain,
      repaired: stores.repaired,
      notes,
      facts: agreement.facts,
      grants,
      nextSequence: (grant) => sequences.next(grant),
      manifests: stores.manifests,
      atRest: {
        seal: (plaintext) => atRest.seal('library', plaintext),
        open: (sealed) => atRest.open('library', sealed),
        name: (...parts) => atRest.name('library', ...parts),
      },
      accounts,
      index,
      placesOf: (records) => placesOf(custodian, records),
      isRestricted,
      discloseSome: (...asked) => disclosures.discloseSome(...asked),
      roots,
      leaves: stores.leaves,
      observe: (event) => observeCare(metrics, event),
    },
  )
  const caring = createCareAnswers({
    self,
    graceMs,
    keeper,
    shards,
    members,
    index,
    waiting: () => placing.status().waiting,
    recover: async (signal) => {
      if (!(await lacksRecords(self, keeper, custodian))) return 0
      const from = {
        peers,
        organisations: () => members.organisations,
        clock: systemClock,
        logger: logger.module('vault'),
      }
      const found = await discoverKeys(from, self, {
        secrets: [keys.seal.seed, ...retiredSealSecrets],
        signal,
      })
      return await custodian.recover({
        keys: found,
        heads: discoverHeads(from, self, signal),
        batches: discoverBatches(from, {
          custodian: self,
          roots,
          chain: stores.chain,
          genesisDigest: options.genesisDigest,
          signal,
        }),
      })
    },
    clock: systemClock,
  })
  const reading = createReadingAnswers({
    keeper,
    desk: new PractitionerDesk(systemClock),
    fields: {
      ...keeper.access,
      logger: logger.module('vault'),
      genesisDigest: options.genesisDigest,
    },
    grants,
    index,
    accounts,
    placesOf: (records) => placesOf(custodian, records),
  })
  const disclosures = createDisclosures({ index, proofs, recordContent: reading.recordContent })
  const probe = new TraceProbe({
    access: keeper.access,
    clock: systemClock,
    logger: logger.module('vault'),
    target: () => probeTarget(custodian),
    others: () => members.organisations.flatMap(({ id }) => (id === self ? [] : [id])),
    observe: (peer, isServed) =>
      metrics.vaultProbes.inc({ peer, result: isServed ? 'served' : 'refused' }),
  })
  return {
    keeper,
    answers: { ...reading, disclose: (...asked) => disclosures.disclose(...asked), ...caring },
    finding: () => probe.finding(),
    start: () => {
      keeper.start()
      probe.start()
    },
    close: async () => {
      await probe.close()
      await keeper.close()
    },
  }
}

function placesOf(
  custodian: Custodian,
  records: readonly { metadata: { recordCommit: Uint8Array } }[],
) {
  return custodian.places(records.map(({ metadata }) => metadata.recordCommit))
}

/** One of the newest: of the institution's own, or of anybody where it has none. */
async function probeTarget({
  index,
  accounts,
}: Pick<Custodian, 'index' | 'accounts'>): Promise<ProbeTarget | undefined> {
  const own = accounts.find(INSTITUTION)
  const ofOwn = own === undefined ? [] : await index.listAccount(own.patientKey, null, PROBED)
  const all = ofOwn.length > 0 ? ofOwn : await index.list(null, PROBED)
  const entry = all[randomInt(Math.max(1, all.length))]
  const account = entry && accounts.findByKey(entry.account)
  if (entry === undefined || account === undefined) return undefined
  const { setId, set, holders, metadata: manifest } = entry
  return {
    record: { setId, set: decodeShardSet(set), holders, manifest },
    logKey: account.logKey,
  }
}

/** Whether holders have more of this custodian than its index, as far as one sees from here. */
async function lacksRecords(
  self: string,
  { known }: VaultKeeper,
  custodian: Custodian,
): Promise<boolean> {
  if (custodian.counts().accepted === 0) return true
  for await (const { setId, set } of known.all()) {
    if (set.custodian === self && custodian.index.getBySet(setId) === undefined) return true
  }
  return false
}
