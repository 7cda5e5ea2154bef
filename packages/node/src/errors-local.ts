// Texts for what goes wrong on this computer: the program itself, options, home, keys, devnet.

import type { HaltReason } from '@mooring/consensus'
import { type CatalogEntry, entry } from './error-entry.ts'
import { ADMISSION_TEXTS } from './errors-admission.ts'
import { DATA_TEXTS } from './errors-data.ts'
import { PEER_BOOK_TEXTS } from './errors-peer-book.ts'
import { CONFIGURATION_TEXTS } from './errors-configuration.ts'
import { KEYS_TEXTS } from './errors-keys.ts'
import { PLACE_TEXTS } from './errors-place.ts'
import { SEEING_TEXTS } from './errors-seeing.ts'
import { KEEPING_TEXTS } from './errors-storage.ts'
import { VAULT_TEXTS } from './errors-vault.ts'
import { GUARDIAN_TEXTS } from './errors-identity.ts'
import { PATIENT_GRANT_TEXTS } from './errors-patient-grants.ts'
import { TIMELINE_TEXTS } from './errors-timeline.ts'
import { FOUNDING_TEXTS } from './errors-founding.ts'
import { EMERGENCY_COMMAND_TEXTS } from './errors-emergency.ts'
import { WALLET_TEXTS } from './errors-wallet.ts'
import type { CommandErrorCode, NodeErrorCode } from './node-error.ts'

export const COMMAND_TEXTS: Record<CommandErrorCode, CatalogEntry> = {
  ...CONFIGURATION_TEXTS,
  ...FOUNDING_TEXTS,
  ...PATIENT_GRANT_TEXTS,
  ...WALLET_TEXTS,
  ...EMERGENCY_COMMAND_TEXTS,
  ...GUARDIAN_TEXTS,
  ...TIMELINE_TEXTS,
  internal: entry(1000, 1)(
    'Something failed that should not have',
    'This is a bug in Mooring: no input should lead here.',
    'Run the command again with -vv and report what it prints.',
  ),
  node_too_old: entry(1001, 3)(
    'This Node is too old',
    'Mooring needs Node 24 or newer. "npm ci" puts the right one into node_modules.',
    "In the project's folder:   npx mooring",
  ),
  usage: entry(1002, 2, 400)(
    'The command line cannot be used',
    '{detail}',
    'See the options:   mooring {command}--help',
  ),
  unknown_error_code: entry(1039, 6, 404)(
    'There is no such error code',
    'Nothing in the catalogue is called "{code}".',
    'List all codes:   mooring explain',
  ),
  file_missing: entry(1034, 6)('A file is missing', 'There is no file {path}.', 'Check the path.'),
  file_unreadable: entry(1035, 1)(
    'A file cannot be used',
    '{path}: {detail}.',
    'Check the path and its permissions.',
  ),
  file_exists: entry(1036, 7)(
    'A file is in the way',
    '{path} exists, and it is not overwritten.',
    'Give another name, or remove it first.',
  ),
  file_too_large: entry(5110, 2, 413)(
    'A file is too large to submit',
    '{path} has {size}; at most {limit} travel in one submission.',
    'Split it, for example into one resource a line (NDJSON), and submit the parts.',
  ),
  file_not_fhir: entry(5111, 2, 422)(
    'A file is no FHIR resource or bundle',
    '{path} holds something else; nothing of this call was submitted.',
    'Check the places above, or submit the other files alone.',
    'If it is meant to be no FHIR, say what it is:   mooring record submit <file> --media-type application/pdf',
  ),
  endpoint_unreachable: entry(4030, 4, 502)(
    'The node does not answer',
    'Nothing answers at {url} ({origin}): {detail}.',
    'Start it:   mooring start   (or a small network:   mooring devnet up)',
    'Ask another node:   --endpoint <url> or MOORING_ENDPOINT',
  ),
  endpoint_strange: entry(4031, 4, 502)(
    'What answers there is no Mooring node',
    '{url} answered {detail}.',
    'Check --endpoint and MOORING_ENDPOINT.',
  ),
  request_timeout: entry(4032, 4, 504)(
    'The node did not answer in time',
    '{url} gave no answer within {timeout}.',
    'See how it is doing:   mooring status --timeout 30s',
  ),
  answer_incomplete: entry(4038, 4, 502)(
    'The answer broke off',
    '{detail}',
    'Nothing that was there before was changed. Try again, and see the log of the node.',
    'When holders are missing:   mooring vault status',
  ),
  grant_unreadable: entry(5310, 2, 422)(
    'A grant file cannot be read',
    '{path} is no grant document: {detail}.',
    'Ask the custodian for it again:   mooring grant create --help',
  ),
  grant_not_signed: entry(5311, 8, 422)(
    'The signature of a grant does not hold',
    '{path} was altered after it was signed, or signed with another key; no holder serves it.',
    'Ask the custodian for it again:   mooring grant create --help',
  ),
  wait_timeout: entry(4033, 9, 504)(
    'Waited, and it is not final yet',
    '{what} was not final after {timeout}. It is kept; finality follows with the next blocks.',
    'See what blocks are waiting for:   mooring status',
  ),
  not_ready: entry(4034, 9, 503)(
    'The node is not ready',
    '{detail}',
    'See its conditions:   mooring status',
  ),
  proof_invalid: entry(5001, 8, 422)(
    'The proof does not hold',
    'Step {step}, {name}: {detail}',
    'Ask for the proof again, and check that file, proof and genesis belong together.',
  ),
  genesis_needed: entry(5002, 2)(
    'A proof is checked against a genesis',
    'The proof names the network {network}, and that claim alone proves nothing.',
    'Name the genesis file:   --genesis config/genesis.json',
    'From a node you trust:   mooring genesis show --raw > genesis.json',
  ),
  devnet_missing: entry(1050, 6, 404)(
    'There is no such devnet',
    'No devnet "{name}" was made in {dir}.',
    'Make one:   mooring devnet up',
  ),
  devnet_differs: entry(1051, 7, 409)(
    'The devnet exists and is a different one',
    '"{name}" has {existing}; asked for {asked}.',
    'Use it as it is:   mooring devnet up',
    'Throw it away and make a new one:   mooring devnet up --reset',
    'Make another beside it:   mooring devnet up --name <name>',
  ),
  devnet_unknown_node: entry(1052, 6, 404)(
    'The devnet has no such node',
    '"{name}" has nodes 0 to {last}; there is no {node}.',
    'See them:   mooring devnet status',
  ),
  devnet_start_failed: entry(1053, 1)(
    'A node of the devnet stopped while it started',
    '{node} ended with {ending} in step "{step}".',
    'Likely cause: {cause}',
    'Its log:   mooring devnet logs {index}',
  ),
  devnet_not_ready: entry(1054, 9, 504)(
    'The devnet is not ready in time',
    'After {timeout} it waits in step "{step}": {detail}.',
    'Likely cause: {cause}',
    'The logs:   mooring devnet logs',
    'Give it more time:   mooring devnet up --timeout 3m',
  ),
  devnet_violated: entry(3020, 8)(
    'The devnet broke a promise',
    '{count} of the checks above failed.',
    'Keep the folder: it holds the evidence. Report it with the output of this command.',
  ),
  devnet_groups_invalid: entry(1290, 2)(
    'These are no groups of nodes',
    '{detail}.',
    'Two groups, and who is in neither forms a third:   mooring devnet partition "0,1|2,3"',
    'See the nodes:   mooring devnet status',
  ),
  devnet_busy: entry(1055, 7, 409)(
    'The devnet is running',
    'Nodes of "{name}" run (pids {pids}).',
    'Stop it first:   mooring devnet down',
  ),
}

export const NODE_TEXTS: Record<NodeErrorCode, CatalogEntry> = {
  options_invalid: entry(1003, 3)(
    'The configuration cannot be used',
    'Options come from flags, MOORING_* variables and the configuration file.',
    'All options with their defaults:   mooring start --help',
    'Check it without starting anything:   mooring config validate',
  ),
  http_not_loopback: entry(1005, 3)(
    'A listener would speak with other computers in clear',
    'What goes over a network in clear can be read there, tokens too.',
    'Set tls_cert and tls_key:   mooring tls issue <name> --for server',
    'Behind a proxy that speaks TLS, set tls_terminated = "on".',
    'Or use 127.0.0.1:<port>.',
  ),
  config_missing: entry(1004, 3)(
    'The configuration file is missing',
    'There is no file {path}.',
    'Make a home with one:   mooring --home {home} init --name <name>',
    'Try a network on this computer first:   mooring devnet up',
  ),
  home_missing: entry(1006, 3)(
    'There is no home',
    '{home} does not exist.',
    'Make it:   mooring --home {home} init --name <name>',
    'Try a network on this computer first:   mooring devnet up',
  ),
  home_exists: entry(1007, 7)(
    'The home is in use already',
    '{home} has {what}; keys and votes are never overwritten.',
    'Choose another folder:   mooring --home <dir> init',
  ),
  home_open: entry(1008, 3)(
    'Others on this computer may read the home',
    '{path} has mode {mode}; whoever may look inside finds keys or votes.',
    'Close it:   chmod {wanted} {path}',
  ),
  home_foreign: entry(1009, 3)(
    'The home belongs to another user',
    '{path} is owned by uid {owner}, this program runs as uid {uid}.',
    'Give it to this user:   chown -R {uid} {path}',
  ),
  key_missing: entry(1011, 3)(
    'A key is missing',
    'There is no {duty} key at {path}.',
    'Restore it from where it was kept, or name its place:   {setting}',
  ),
  key_open: entry(1012, 3)(
    'Others on this computer may read a key',
    '{path} has mode {mode}. Who has read it can act as this node.',
    'Close it:   chmod 0600 {path}   (and replace the key if anyone may have looked)',
  ),
  key_malformed: entry(1013, 3)(
    'A key file cannot be used',
    '{path}: {detail}.',
    'Restore the file from where it was kept.',
  ),
  key_encrypted: entry(1014, 13)(
    'A key file is sealed in a way that this version does not know',
    '{path} names another cipher, or another way to its key.',
    'Use a newer version of Mooring.',
  ),
  key_exists: entry(1038, 7)(
    'A key is never overwritten',
    '{path} exists.',
    'Choose another folder:   mooring --home <dir> init',
  ),
  genesis_missing: entry(1016, 3)(
    'The genesis file is missing',
    'There is no file {path}; it says which network this node belongs to.',
    'Ask a member for it, and put it there.',
  ),
  genesis_invalid: entry(1017, 3, 422)(
    'The genesis file is not valid',
    '{path}: {detail}.',
    'Ask a member for the file again; it is never edited.',
  ),
  port_taken: entry(1019, 1)(
    'A port is taken',
    '{what} cannot listen on {address}: another program does.',
    'See which one:   ss -ltnp   (or lsof -i -P)',
    'Choose another port in the configuration file.',
  ),
  authorities_missing: entry(3001, 9, 503)(
    'No block becomes final: authorities are missing',
    'Fewer authorities answer than a certificate needs; work waits and nothing is lost.',
    'Bring back those that are named; healthy nodes need no restart.',
  ),
  leaders_failing: entry(3002, 9, 503)(
    'No block becomes final: leaders fail',
    'Views change, but each leader is unreachable or slower than the network allows.',
    'Look at the delays of those that are named:   mooring status',
  ),
  mempool_full: entry(4113, 4, 503)(
    'The node has too many transactions waiting',
    'It takes new ones as soon as blocks have room for those it has.',
    'Try again in a moment; see whether blocks go on:   mooring status',
  ),
  observing: entry(3013, 12, 503)(
    'The node observes and does not vote yet',
    'Its vote journal does not know all votes of its key, so that it waits until none of them can be contradicted. It follows the chain meanwhile.',
    'Nothing to do: it votes again a few views later. It needs the other authorities for it:   mooring status',
  ),
  equivocation: entry(3021, 8, 409)(
    'An authority has voted against itself',
    'Two signed votes of it contradict each other, which no correct node signs: its key is used twice, its guard was lost, or it is hostile.',
    'See who, and the votes:   mooring evidence list',
    'Call its operator. To remove it:   mooring change propose remove <organisation> --evidence <file>',
  ),
  evidence_invalid: entry(3022, 8, 422)(
    'The evidence does not convict',
    '{path}: {detail}.',
    'Export it again from a node that has it:   mooring evidence export <id> -o <file>',
  ),
  disk_low: entry(1029, 11, 507)(
    'The disk is nearly full',
    'When a database cannot write any more, the node stops until there is room again.',
    'Free space on the volume of the home, or move the home to a larger one.',
  ),
  ...PEER_BOOK_TEXTS,
  ...PLACE_TEXTS,
  ...SEEING_TEXTS,
  ...DATA_TEXTS,
  ...KEYS_TEXTS,
  ...ADMISSION_TEXTS,
  ...KEEPING_TEXTS,
  ...VAULT_TEXTS,
}

export const HALT_TEXTS: Record<HaltReason['code'], CatalogEntry> = {
  conflicting_certificates: entry(3010, 12)(
    'Two certificates contradict each other',
    'More than a third of the authorities signed both sides, which no correct node does.',
    'Stop, keep the home as evidence, and call the other members.',
  ),
  state_diverged: entry(3011, 11)(
    'This node computes another state than the network',
    'A final block does not execute here as it did for the others.',
    'Check that all run the same version, then let the node fetch the chain again.',
  ),
  duplicate_key: entry(3012, 12)(
    'Another process votes with the key of this node',
    'A valid vote of our own key arrived that our journal does not know.',
    'Find the other process or copy of the home that uses this key, and stop it for good.',
    'Then start one only, as one that observes first:   mooring start --rejoin',
    'If nobody knows where the other is, the key is stolen: replace it.',
  ),
}
