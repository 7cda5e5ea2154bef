// The words a line may begin with, in the order of the help, and where each command comes from. A line
// loads the command it names and nothing of the others: most of them are a question to a node, and
// need no database, no network and no server to ask it. What loads everything is the whole help, and what
// describes the whole tree: completion scripts, pages of the manual, a word that nobody knows.

import type { Command } from 'commander'
import type { Context } from './context.ts'
import type { Result } from './program.ts'

type Add = (program: Command, context: Context, result: Result) => void
type Loads = Readonly<Record<string, () => Promise<Add>>>

const COMMANDS: Readonly<Record<string, Loads>> = {
  'Node:': {
    init: async () => (await import('./commands/init.ts')).addInit,
    start: async () => (await import('./commands/start.ts')).addStart,
    status: async () => (await import('./commands/status.ts')).addStatus,
    inspect: async () => (await import('./commands/inspect.ts')).addInspect,
    healthcheck: async () => (await import('./commands/healthcheck.ts')).addHealthcheck,
    version: async () => (await import('./commands/version.ts')).addVersion,
    explain: async () => (await import('./commands/explain.ts')).addExplain,
  },
  'Network:': {
    genesis: async () => (await import('./commands/genesis.ts')).addGenesis,
    network: async () => (await import('./commands/network.ts')).addNetwork,
    member: async () => (await import('./commands/member.ts')).addMember,
    change: async () => (await import('./commands/change.ts')).addChange,
    peer: async () => (await import('./commands/peer.ts')).addPeer,
    upgrade: async () => (await import('./commands/upgrade.ts')).addUpgrade,
    evidence: async () => (await import('./commands/evidence.ts')).addEvidence,
  },
  'Records:': {
    record: async () => (await import('./commands/record.ts')).addRecord,
    grant: async () => (await import('./commands/grant.ts')).addGrant,
    access: async () => (await import('./commands/access.ts')).addAccess,
    block: async () => (await import('./commands/block.ts')).addBlock,
    transaction: async () => (await import('./commands/transaction.ts')).addTransaction,
    proof: async () => (await import('./commands/proof.ts')).addProof,
    checkpoint: async () => (await import('./commands/checkpoint.ts')).addCheckpoint,
    events: async () => (await import('./commands/events.ts')).addEvents,
  },
  'Patients:': {
    patient: async () => (await import('./commands/patient.ts')).addPatient,
    enrolment: async () => (await import('./commands/enrolment.ts')).addEnrolment,
    guardian: async () => (await import('./commands/guardian.ts')).addGuardian,
    emergency: async () => (await import('./commands/emergency.ts')).addEmergency,
    practitioner: async () => (await import('./commands/practitioner.ts')).addPractitioner,
    recovery: async () => (await import('./commands/recovery.ts')).addRecovery,
  },
  'Operate:': {
    config: async () => (await import('./commands/config.ts')).addConfig,
    doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
    alarm: async () => (await import('./commands/alarm.ts')).addAlarm,
    debug: async () => (await import('./commands/debug.ts')).addDebug,
    keys: async () => (await import('./commands/keys.ts')).addKeys,
    signer: async () => (await import('./commands/signer.ts')).addSigner,
    token: async () => (await import('./commands/token.ts')).addToken,
    tls: async () => (await import('./commands/tls.ts')).addTls,
    vault: async () => (await import('./commands/vault.ts')).addVault,
    snapshot: async () => (await import('./commands/snapshot.ts')).addSnapshot,
    prune: async () => (await import('./commands/prune.ts')).addPrune,
    backup: async () => (await import('./commands/backup.ts')).addBackup,
    db: async () => (await import('./commands/db.ts')).addDb,
    completion: async () => (await import('./commands/completion.ts')).addCompletion,
    man: async () => (await import('./commands/man.ts')).addMan,
  },
  'Devnet:': {
    devnet: async () => (await import('./commands/devnet.ts')).addDevnet,
    __complete: async () => (await import('./commands/completion.ts')).addComplete,
  },
}
const ALIASES: Readonly<Record<string, string>> = { tx: 'transaction' }
const DESCRIBE_ALL = ['completion', 'man']
// Asked at every press of a key, about the words that follow.
const ASKS = '__complete'

export type LoadedCommand = { heading: string; add: Add }

const nameOf = (word: string) => ALIASES[word] ?? word

function wantedBy(first: string | undefined, words: readonly string[]): readonly string[] {
  if (first === undefined || DESCRIBE_ALL.includes(first)) return []
  return first === ASKS ? words.map(nameOf) : [nameOf(first)]
}

/** @param first of these words that is no global option, if any is none */
export async function loadCommands(
  first: string | undefined,
  words: readonly string[],
): Promise<LoadedCommand[]> {
  const all = Object.entries(COMMANDS).flatMap(([heading, loads]) =>
    Object.entries(loads).map(([name, load]) => ({ heading, name, load })),
  )
  const wanted = wantedBy(first, words)
  const named = all.filter(({ name }) => wanted.includes(name))
  const chosen = named.length > 0 ? named : all
  return Promise.all(chosen.map(async ({ heading, load }) => ({ heading, add: await load() })))
}
