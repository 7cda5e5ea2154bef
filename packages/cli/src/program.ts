// The tree of commands. Global options are understood anywhere on the line; help is grouped by what a
// person is doing, and every command ends its help with examples and exit codes.

import { Command } from 'commander'
import { addAccess } from './commands/access.ts'
import { addBackup } from './commands/backup.ts'
import { addAlarm } from './commands/alarm.ts'
import { addCheckpoint } from './commands/checkpoint.ts'
import { addDebug } from './commands/debug.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEvents } from './commands/events.ts'
import { addInspect } from './commands/inspect.ts'
import { addBlock } from './commands/block.ts'
import { addChange } from './commands/change.ts'
import { addComplete, addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addDb } from './commands/db.ts'
import { addDevnet } from './commands/devnet.ts'
import { addEmergency } from './commands/emergency.ts'
import { addEnrolment } from './commands/enrolment.ts'
import { addEvidence } from './commands/evidence.ts'
import { addExplain } from './commands/explain.ts'
import { addGenesis } from './commands/genesis.ts'
import { addGrant } from './commands/grant.ts'
import { addGuardian } from './commands/guardian.ts'
import { addHealthcheck } from './commands/healthcheck.ts'
import { addInit } from './commands/init.ts'
import { addKeys } from './commands/keys.ts'
import { addMan } from './commands/man.ts'
import { addMember } from './commands/member.ts'
import { addNetwork } from './commands/network.ts'
import { addPatient } from './commands/patient.ts'
import { addPeer } from './commands/peer.ts'
import { addPractitioner } from './commands/practitioner.ts'
import { addProof } from './commands/proof.ts'
import { addPrune } from './commands/prune.ts'
import { addRecord } from './commands/record.ts'
import { addRecovery } from './commands/recovery.ts'
import { addSigner } from './commands/signer.ts'
import { addSnapshot } from './commands/snapshot.ts'
import { addStart } from './commands/start.ts'
import { addStatus } from './commands/status.ts'
import { addTls } from './commands/tls.ts'
import { addToken } from './commands/token.ts'
import { addTransaction } from './commands/transaction.ts'
import { addUpgrade } from './commands/upgrade.ts'
import { addVault } from './commands/vault.ts'
import { addVersion, readVersion } from './commands/version.ts'
import { withHelp } from './command-help.ts'
import { type Context, widthOf } from './context.ts'
import { applyContext } from './contexts.ts'

// What a command found when it is no error: `status` of a stalled network, for example.
export type Result = { exitCode: number }

function addGlobalOptions(program: Command): void {
  program
    .option('--home <dir>', 'home of the node (MOORING_HOME, ~/.mooring)')
    .option('--config <file>', 'configuration file (MOORING_CONFIG, <home>/config/mooring.toml)')
    .option('--context <name>', 'one of ~/.config/mooring/contexts.toml (MOORING_CONTEXT)')
    .option('--endpoint <url>', 'a URL or unix:path (MOORING_ENDPOINT)')
    .option('--token-file <file>', 'token to show (MOORING_TOKEN_FILE)')
    .option('--cacert <file>', 'authorities to trust (MOORING_CACERT)')
    .option('--cert <file>', 'certificate to show (MOORING_CERT)')
    .option('--cert-key <file>', 'its key (MOORING_CERT_KEY)')
    .option('--log-level <spec>', 'level of the log: info,p2p=debug (MOORING_LOG_LEVEL)')
    .option('--log-format <form>', 'auto, pretty or json (MOORING_LOG_FORMAT)')
    .option('--json', 'print one JSON document; errors as problem+json on stderr')
    .option('--no-color', 'no colour (NO_COLOR)')
    .option('-q, --quiet', 'no remarks and no progress')
    .option('-v, --verbose', 'say more; twice: stack traces', (_, count: number) => count + 1, 0)
}

export function createProgram(context: Context, result: Result): Command {
  const program = new Command('mooring')
  program
    .description('A ledger that hospitals run together.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Errors are reported by their catalogue text, once, where everything else is.
      outputError: () => undefined,
      getOutHelpWidth: () => widthOf(context.stdout, context.env),
      getErrHelpWidth: () => widthOf(context.stderr, context.env),
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .helpCommand(false)
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
  addGlobalOptions(program)
  program.hook('preAction', () => applyContext(program, context))

  program.commandsGroup('Node:')
  addInit(program, context)
  addStart(program, context, result)
  addStatus(program, context, result)
  addInspect(program, context)
  addHealthcheck(program, context, result)
  addVersion(program, context)
  addExplain(program, context)
  program.commandsGroup('Network:')
  addGenesis(program, context, result)
  addNetwork(program, context)
  addMember(program, context)
  addChange(program, context)
  addPeer(program, context)
  addUpgrade(program, context)
  addEvidence(program, context)
  program.commandsGroup('Records:')
  addRecord(program, context)
  addGrant(program, context)
  addAccess(program, context)
  addBlock(program, context)
  addTransaction(program, context)
  addProof(program, context)
  addCheckpoint(program, context, result)
  addEvents(program, context)
  program.commandsGroup('Patients:')
  addPatient(program, context)
  addEnrolment(program, context)
  addGuardian(program, context)
  addEmergency(program, context)
  addPractitioner(program, context)
  addRecovery(program, context)
  program.commandsGroup('Operate:')
  addConfig(program, context, result)
  addDoctor(program, context, result)
  addAlarm(program, context)
  addDebug(program, context)
  addKeys(program, context)
  addSigner(program, context)
  addToken(program, context)
  addTls(program, context, result)
  addVault(program, context, result)
  addSnapshot(program, context)
  addPrune(program, context)
  addBackup(program, context)
  addDb(program, context, result)
  addCompletion(program, context)
  addMan(program, context)
  program.commandsGroup('Devnet:')
  addDevnet(program, context, result)
  addComplete(program, context)

  return withHelp(program, {
    examples: [
      'mooring devnet up                     four hospitals on this computer',
      'mooring record submit patient.json    anchor a record',
      'mooring explain MOR-1010              what an error means',
    ],
    exits: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 130],
  })
}
