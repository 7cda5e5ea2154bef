// The parts that read and keep the vault whole, put together; the holder and the custodian are given.

import { Refusal } from '@mooring/api'
import type { KeyPair } from '@mooring/crypto'
import { x25519 } from '@mooring/crypto'
import { SHARDS_MAX } from '@mooring/records'
import type { BlobStore, ChainStore, LeafStore, LibraryStore } from '@mooring/storage'
import type { Finding } from './alarms.ts'
import type { AccessModules, LocatedRecord } from './access-session.ts'
import type { AccessNotes } from './access-notes.ts'
import { AnchorCheck } from './anchor-check.ts'
import { answerCatalogue, type CatalogueModules } from './catalogue.ts'
import type { Clock } from './clock.ts'
import type { ShardPlace } from './collect-shards.ts'
import { fetchBatches } from './fetch-batches.ts'
import { fetchKeys, fetchOwnShards, type FetchLostModules, othersThatAnswer } from './fetch-lost.ts'
import type { FinalRoots } from './final-roots.ts'
import type { GrantReader } from './grant-reader.ts'
import type { StandingFacts } from './grant-standings.ts'
import { type AnswerFieldsModules, answerFields } from './granted-fields.ts'
import { GrantedRecords } from './granted-records.ts'
import type { KeeperHandlers } from './holder.ts'
import { possibleHolders } from './holder-choice.ts'
import { checkMove } from './holder-terms.ts'
import type { KeptShards } from './kept-shards.ts'
import { accessModules, catalogueModules } from './keeper-access.ts'
import { knownSet, type KnownSets } from './known-sets.ts'
import type { LostMark } from './lost-mark.ts'
import type { Logger } from './logger.ts'
import { ManifestLibrary } from './manifest-library.ts'
import type { Members } from './members.ts'
import { Reach } from './reach.ts'
import { RepairConsent } from './repair-consent.ts'
import { type RepairHelperModules, repairParts } from './repair-helper.ts'
import { ShardFaults } from './shard-faults.ts'
import { ShardRestore } from './shard-restore.ts'
import { type CareEvent, type CareOptions, type ShortSet, VaultCare } from './vault-care.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'
import { vaultFinding } from './vault-finding.ts'
import { VaultReader } from './vault-reader.ts'
import { type IndexedSet, type SetIndex, VaultSets } from './vault-sets.ts'
import type { SurveyModules } from './vault-survey.ts'

export interface KeeperOptions {
  readonly self: string
  readonly anchorKey: KeyPair
  /** X25519. */
  readonly sealSecret: Uint8Array
  /** Those that were in use before: what was sealed to them opens with nothing else. */
  readonly retiredSealSecrets: readonly Uint8Array[]
  readonly care: CareOptions
}

/** Of the custodian's index. */
export interface ShortIndex {
  /** Records that lack shards although nobody waits for a holder any more, oldest first. */
  listShort(
    after: number,
    limit: number,
  ): Promise<readonly (IndexedSet & { readonly missing: readonly number[] })[]>
}

export interface KeeperModules {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: (length: number) => Uint8Array
  readonly peers: VaultPeers
  readonly shards: KeptShards
  readonly blobs: Pick<BlobStore, 'create'>
  readonly checkRoom: FetchLostModules['checkRoom']
  readonly members: Pick<Members, 'organisations'>
  readonly chain: Pick<ChainStore, 'tip' | 'getHeader'>
  readonly notes: AccessNotes
  readonly facts: StandingFacts
  readonly grants: GrantReader
  readonly nextSequence: AccessModules['nextSequence']
  readonly manifests: LibraryStore
  readonly atRest: {
    readonly seal: (plaintext: Uint8Array) => Uint8Array
    readonly open: (sealed: Uint8Array) => Uint8Array
    readonly name: (...parts: Uint8Array[]) => Uint8Array
  }
  readonly accounts: CatalogueModules['accounts']
  readonly index: SetIndex & CatalogueModules['index'] & ShortIndex
  readonly placesOf: CatalogueModules['placesOf']
  readonly isRestricted: CatalogueModules['isRestricted']
  readonly discloseSome: AnswerFieldsModules['discloseSome']
  readonly roots: FinalRoots
  readonly leaves: LeafStore
  readonly observe: (what: CareEvent) => void
  readonly repaired: LostMark
}

export interface VaultKeeper {
  readonly access: AccessModules
  readonly reader: VaultReader
  readonly granted: GrantedRecords
  readonly anchors: AnchorCheck
  readonly care: VaultCare
  readonly known: KnownSets
  readonly faults: ShardFaults
  readonly reach: Reach
  readonly lost: FetchLostModules
  readonly survey: SurveyModules
  /** What the holder on this node hands on. */
  readonly handlers: KeeperHandlers
  /** What an operator has to know. */
  finding(): Finding | null
  start(): void
  close(): Promise<void>
}

interface HandlingParts extends Pick<VaultKeeper, 'faults' | 'known' | 'care'> {
  readonly restore: ShardRestore
  readonly helper: RepairHelperModules
  readonly manifests: ManifestLibrary
}

const REPORT_TIMEOUT_MS = 5_000
/** Records that lack a shard, in one look. */
const SHORT_MAX = 512

export function createVaultKeeper(options: KeeperOptions, modules: KeeperModules): VaultKeeper {
  const { self, care: careOptions, sealSecret, retiredSealSecrets } = options
  const sealSecrets = [sealSecret, ...retiredSealSecrets]
  const { clock, logger, peers, members, shards, random, observe, index } = modules
  const faults = new ShardFaults()
  const known = new VaultSets({ self, shards, index, random })
  const reach = new Reach({
    clock,
    self,
    organisations: () => members.organisations,
    isConnected: (organisation) => peers.isConnected(organisation),
    onReturn: (organisation, awayMs) => care.onReturn(organisation, awayMs),
  })
  const view = {
    organisations: () => members.organisations,
    awayMs: (organisation: string) => reach.awayMs(organisation),
  }
  const candidates = () => possibleHolders(members.organisations)
  const { blobs, checkRoom } = modules
  const restore = new ShardRestore({
    self,
    peers,
    view,
    kept: shards,
    blobs,
    random,
    logger,
    checkRoom,
    noteMade: async (custodian, sets) => {
      care.noteLoss()
      await modules.notes.noteRepair({ custodian, holder: self, sets })
    },
  })
  const lost: FetchLostModules = {
    peers,
    view,
    candidates,
    shards,
    leaves: modules.leaves,
    roots: modules.roots,
    checkRoom,
    clock,
    logger,
    restore: (items, avoid) => restore.restore(items, avoid),
  }
  const { graceMs } = careOptions
  const care = new VaultCare(careOptions, {
    peers,
    view,
    faults,
    known,
    candidates,
    clock,
    logger,
    random,
    observe,
    fetchKeys: async (signal) => {
      const asked = othersThatAnswer(lost)
      const silent = new Set<string>()
      const how = { graceMs, signal, onSilent: (holder: string) => void silent.add(holder) }
      await fetchKeys(lost, how)
      await fetchBatches(lost, how)
      const isThere = new Set(othersThatAnswer(lost))
      return asked.filter((id) => isThere.has(id) && !silent.has(id))
    },
    fetchShards: (signal) => fetchOwnShards(lost, { signal }),
    isEmpty: () => [...shards.store.usage.values()].every((usage) => usage.shards === 0),
    shortSets: () => shortSets(index),
    repaired: modules.repaired,
  })
  const access = accessModules(options, modules)
  const anchors = new AnchorCheck({
    peers,
    clock,
    roots: modules.roots,
    organisations: () => members.organisations,
  })
  const manifests = new ManifestLibrary({
    store: modules.manifests,
    sealSecrets,
    isOfPatient: (custodian, former, key) => modules.facts.isSuccessor(custodian, former, key),
    ...modules.atRest,
  })
  const consent = new RepairConsent(view, shards.store)
  const helper = {
    self,
    kept: shards,
    consent,
    view,
    faults,
    secretWith: secretsOf(options, members),
  }
  return {
    access,
    reader: new VaultReader({
      ...access,
      report: reporterOf(peers, logger),
      noteGot: (request, sets) => modules.notes.noteServed(request, sets),
      anchorOf: (record) => anchors.of(record),
    }),
    granted: new GrantedRecords({
      ...access,
      logger,
      manifests,
      sealSecrets,
      facts: modules.facts,
      organisations: () => members.organisations,
    }),
    anchors,
    care,
    known,
    faults,
    reach,
    lost,
    survey: { peers, view, faults, known },
    handlers: handlersOf(options, modules, { restore, helper, faults, known, care, manifests }),
    finding: () => vaultFinding(care.counts(), { view, faults }),
    start: () => {
      reach.start()
      care.start()
    },
    close: async () => {
      reach.close()
      await care.close()
      await restore.close()
    },
  }
}

async function shortSets(index: ShortIndex): Promise<ShortSet[]> {
  const entries = await index.listShort(0, SHORT_MAX)
  return entries.map((entry) => ({ set: knownSet(entry.setId, entry), missing: entry.missing }))
}

function handlersOf(
  options: KeeperOptions,
  modules: KeeperModules,
  { restore, helper, faults, known, care, manifests }: HandlingParts,
): KeeperHandlers {
  const { self } = options
  return {
    catalogue: (sender, body) => answerCatalogue(catalogueModules(options, modules), sender, body),
    fields: (sender, body) => {
      const { discloseSome } = modules
      return answerFields({ ...catalogueModules(options, modules), discloseSome }, sender, body)
    },
    repair: async (sender, { questions }) => {
      return { parts: await repairParts(helper, sender, questions) }
    },
    restore: async (_sender, { items, avoid }) => {
      const { outcomes, liars } = await restore.restore(items, avoid)
      return { outcomes, liars: liars.slice(0, SHARDS_MAX) }
    },
    moved: async (sender, { holder, shards: moved }) => {
      for (const shard of moved) await noteMove({ ...modules, faults, self }, sender, holder, shard)
    },
    erased: (setId) => manifests.forget(setId),
    reported: async (_sender, { shard }) => {
      const set = await known.get(shard.setId)
      // Whoever reports may be wrong, or lie: this node sees for itself.
      if (set !== undefined) await care.audit([set])
    },
  }
}

/** The holder has judged it for the shards that it keeps; this is for the custodian's index. */
async function noteMove(
  { self, faults, index, members, peers }: KeeperModules & { faults: ShardFaults; self: string },
  sender: string,
  holder: string,
  { setId, index: at }: { setId: Uint8Array; index: number },
): Promise<void> {
  const entry = index.getBySet(setId)
  if (entry === undefined) {
    faults.clear(setId, at)
    return
  }
  const groupOf = (id: string) => members.organisations.find((one) => one.id === id)?.legalGroup
  const isConnected = (id: string): boolean => peers.isConnected(id)
  const { holders } = entry
  const move = { sender, holder, index: at, custodian: self, holders, groupOf, isConnected }
  const code = checkMove(move)
  if (code !== undefined) throw new Refusal(code, `The move of a shard to ${holder} is refused.`)
  faults.clear(setId, at)
  await index.moved(setId, at, holder)
}

/** Computed once for each key of another member. */
function secretsOf(
  { sealSecret }: KeeperOptions,
  members: Pick<Members, 'organisations'>,
): (organisation: string) => Uint8Array | undefined {
  const known = new Map<string, { key: Uint8Array; secret: Uint8Array | undefined }>()
  return (organisation) => {
    const key = members.organisations.find(({ id }) => id === organisation)?.keys.seal
    if (key === undefined) return undefined
    const cached = known.get(organisation)
    if (cached?.key === key) return cached.secret
    const secret = x25519(sealSecret, key)
    known.set(organisation, { key, secret })
    return secret
  }
}

/** To all holders of the set: the one that drives its repair is among them. */
function reporterOf(peers: VaultPeers, logger: Logger) {
  return ({ setId, holders }: LocatedRecord, { holder, index }: ShardPlace, code: string): void => {
    logger.warn('a holder gave something else than its shard', { holder, reason: code })
    const body = { shard: { setId, index }, holder, code }
    for (const other of holders) {
      if (other !== peers.self && !peers.isConnected(other)) continue
      peers
        .request(other, { kind: 'report' as const, body }, { timeoutMs: REPORT_TIMEOUT_MS })
        .catch((error: unknown) => {
          if (error instanceof VaultPeerError) return
          logger.error('a bad shard could not be reported', { error })
        })
    }
  }
}
