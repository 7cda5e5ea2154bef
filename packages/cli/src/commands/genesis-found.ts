// Founding a network: `new` writes the terms, `sign` an organisation's entry on its own machine, `build`
// puts them together. None of them asks a node, and no key leaves the machine it was made on.

import { CodecError, toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import {
  checkFounders,
  formatFounderJson,
  formatGenesisJson,
  formatTermsJson,
  foundGenesis,
  type Genesis,
  genesisDigest,
  networkId,
  signFounder,
  termsDigest,
} from '@mooring/ledger'
import { readKeyFile } from '@mooring/node/keys'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { readFounder, readTerms, refuseOtherDigest, refuseUnfit } from '../founding-files.ts'
import { writeNew } from '../grant-file.ts'
import { governanceLock, type GovernanceLockOptions } from '../keys-lock.ts'
import { governanceKeyPath } from '../governance.ts'
import { createOutput, formatFields, formatTable, formatTime, type Output } from '../output.ts'
import { ownEntry } from '../own-entry.ts'
import { parametersWith } from '../parameter-settings.ts'

const all = (word: string, previous: string[] | undefined) => [...(previous ?? []), word]

type NewOptions = GlobalOptions & {
  name: string
  set?: string[]
  time?: string
  output: string
}

export function addNew(parent: Command, context: Context): void {
  const command = parent
    .command('new')
    .description('write the terms of a new network, which every founder signs under')
    .requiredOption('--name <network>', 'its name: a-z, 0-9 and inner hyphens')
    .addOption(new Option('--set <name=value>', 'a parameter; several: repeat').argParser(all))
    .option('--time <time>', 'when it begins, as 2026-11-20T09:00:00Z (now)')
    .option('-o, --output <file>', 'where the terms go', 'terms.json')
  withHelp(command, {
    examples: [
      'mooring genesis new --name coast-hospitals',
      'mooring genesis new --name coast-hospitals --set deltaMs=500 -o coast.json',
    ],
    exits: [3, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<NewOptions>()
    const output = createOutput(context, options)
    const { name: networkName, set = [] } = options
    const time = timeOf(options.time, context.now())
    const terms = { networkName, time, parameters: parametersWith({}, set) }
    const text = within('genesis new ', () => {
      termsDigest(terms)
      return formatTermsJson(terms)
    })
    await writeNew(context, options.output, text)
    const digest = toHex(termsDigest(terms))
    if (output.isJson) {
      const schema = 'mooring/founding-terms/v1'
      output.json({ schema, file: options.output, name: networkName, digest })
      return
    }
    output.text(
      formatFields([
        ['terms', options.output],
        ['network', networkName],
        ['digest', digest],
      ]),
    )
    output.note(`\nSend the file to every founder, and compare the digest by another way. Each signs:
  mooring --home <dir> genesis sign ${options.output} --address /dns4/<host>/tcp/7420`)
  })
}

function timeOf(text: string | undefined, now: Date): number {
  // To the second: nobody compares milliseconds on the telephone.
  if (text === undefined) return Math.floor(now.getTime() / 1_000) * 1_000
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isFinite(time)) return time
  const detail = `"${text}" is no time like 2026-11-20T09:00:00Z.`
  throw new NodeError('usage', { detail, command: 'genesis new ' })
}

function within<T>(command: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new NodeError('usage', { detail: `${error.message}.`, command }, { cause: error })
  }
}

type SignOptions = GlobalOptions &
  GovernanceLockOptions & {
    id?: string
    displayName?: string
    legalGroup?: string
    address?: string[]
    role: 'authority' | 'observer'
    governanceKey?: string
    output?: string
  }

export function addSign(parent: Command, context: Context): void {
  const command = parent
    .command('sign')
    .description("sign this organisation's entry under the terms of a new network")
    .argument('<terms>', 'the file that genesis new made')
    .option('--id <organisation>', 'its id (the name of the node)')
    .option('--display-name <text>', 'name that people read (the id)')
    .option('--legal-group <text>', 'owner; organisations of one owner share it (display name)')
    .addOption(
      new Option(
        '--address <multiaddr>',
        'where the others reach its node; several: repeat',
      ).argParser(all),
    )
    .addOption(
      new Option('--role <role>', 'whether it votes')
        .choices(['authority', 'observer'])
        .default('authority'),
    )
    .option('--governance-key <file>', 'key that signs (keys/governance.json of the home)')
    .option('--passphrase-file <file>', 'opens the key')
    .option('-o, --output <file>', 'where the entry goes (<id>.entry.json)')
  withHelp(command, {
    examples: [
      'mooring --home /srv/mooring genesis sign terms.json --address /dns4/st-mary.example/tcp/7420',
      'mooring genesis sign terms.json --display-name "St Mary" --governance-key /media/usb/governance.json',
    ],
    exits: [3, 5, 7],
  })
  command.action(async (path: string) => {
    const options = command.optsWithGlobals<SignOptions>()
    const output = createOutput(context, options)
    const terms = await readTerms(context, path)
    const addresses = options.address ?? []
    const lock = await governanceLock(context, options)
    const key = await readKeyFile(governanceKeyPath(context, options), 'governance', lock)
    const { role } = options
    const organisation = await ownEntry(context, options, { governance: key.publicKey, role })
    const founder = within('genesis sign ', () =>
      signFounder(terms, { organisation, addresses }, key),
    )
    const file = options.output ?? `${organisation.id}.entry.json`
    await writeNew(context, file, formatFounderJson(founder))
    const digest = toHex(termsDigest(terms))
    if (output.isJson) {
      const schema = 'mooring/founding-entry/v1'
      output.json({ schema, file, organisation: organisation.id, terms: digest, addresses })
      return
    }
    output.text(
      formatFields([
        ['entry', file],
        ['organisation', `${organisation.id}  (${organisation.roles.join(', ')})`],
        ['governance', formatDidKey(key.publicKey)],
        ['network', `${terms.networkName}, from ${formatTime(terms.time)}`],
        ['terms', digest],
      ]),
    )
    output.note('\nSend the entry to the other founders; nothing in it is secret.')
  })
}

type BuildOptions = GlobalOptions & { output: string; digest?: string }

export function addBuild(parent: Command, context: Context): void {
  const command = parent
    .command('build')
    .description('make the genesis of the terms and all entries; everybody makes the same bytes')
    .argument('<terms>', 'the file that genesis new made')
    .argument('<entries...>', 'the files that genesis sign made, in any order')
    .option('--digest <hex>', 'the digest that another founder has')
    .option('-o, --output <file>', 'where the genesis goes', 'genesis.json')
  withHelp(command, {
    examples: [
      'mooring genesis build terms.json st-mary.entry.json county.entry.json riverside.entry.json',
      'mooring genesis build terms.json *.entry.json --digest a1b2… -o genesis.json',
    ],
    exits: [3, 7, 8],
  })
  command.action(async (termsPath: string, paths: string[]) => {
    const options = command.optsWithGlobals<BuildOptions>()
    const output = createOutput(context, options)
    const genesis = await build(context, termsPath, paths)
    refuseOtherDigest(genesis, options.digest, options.output)
    await writeNew(context, options.output, formatGenesisJson(genesis))
    report(output, genesis, options.output)
  })
}

async function build(context: Context, termsPath: string, paths: string[]): Promise<Genesis> {
  const terms = await readTerms(context, termsPath)
  const founders = []
  for (const path of paths) founders.push(await readFounder(context, path))
  const problems = checkFounders(terms, founders)
  if (problems.length > 0) {
    const rows = problems.map(({ organisation, detail }) => `${organisation}: ${detail}`)
    throw new NodeError('founding_refused', { path: termsPath }, { rows })
  }
  const genesis = foundGenesis(terms, founders)
  refuseUnfit(genesis, paths.join(', '))
  return genesis
}

function report(output: Output, genesis: Genesis, file: string): void {
  const digest = genesisDigest(genesis)
  const network = networkId(digest)
  if (output.isJson) {
    const schema = 'mooring/founded-genesis/v1'
    const founders = genesis.organisations.map(({ organisation }) => organisation.id)
    output.json({ schema, file, network, digest: toHex(digest), founders })
    return
  }
  output.text(
    formatFields([
      ['genesis', file],
      ['network', `${genesis.networkName}  ${network}`],
      ['digest', toHex(digest)],
    ]),
  )
  output.text('')
  output.text(
    formatTable(genesis.organisations, [
      { title: 'organisation', value: ({ organisation }) => organisation.id },
      { title: 'roles', value: ({ organisation }) => organisation.roles.join(',') },
    ]),
  )
  output.note('\nEvery founder builds it too, and compares the digest before a node starts.')
}
