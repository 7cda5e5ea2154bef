// Certificates of the hospital's own authority: for the listeners of its node, and for the programs that
// ask it. All of it is files in keys/tls; a node reads them at its start and on SIGHUP.

import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import {
  initAuthority,
  issueFromAuthority,
  listCertificates,
  type IssuedFiles,
} from '@mooring/node/authority-files'
import { loadHomeOptions } from '@mooring/node/load-options'
import {
  certificateFindings,
  readCertificates,
  readTls,
  type KnownCertificate,
} from '@mooring/node/tls-files'
import { type Command, Option } from 'commander'
import { durationArgument, withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { type Column, createOutput, formatTable, formatTime } from '../output.ts'
import type { Result } from '../program.ts'

type IssueOptions = GlobalOptions & {
  name?: string
  for: 'server' | 'client'
  host?: string[]
  ttl: number
  passphraseFile?: string
  force?: boolean
}

const DAY_MS = 86_400_000
/** Clocks differ, and a certificate of now should be good at once. */
const EARLIER_MS = 3_600_000

const COLUMNS = (now: number): Column<KnownCertificate>[] => [
  { title: 'subject', value: ({ subject }) => subject },
  { title: 'issuer', value: ({ issuer }) => issuer },
  { title: 'names', value: ({ names }) => (names === '' ? '–' : names) },
  { title: 'ends', value: ({ notAfter }) => formatTime(notAfter) },
  { title: 'days', value: ({ notAfter }) => daysTo(notAfter, now), align: 'right' },
  { title: 'file', value: ({ path }) => path },
]

function daysTo(notAfter: number, now: number): string {
  return notAfter <= now ? 'expired' : String(Math.floor((notAfter - now) / DAY_MS))
}

function documentOf({ path, subject, names, issuer, ...rest }: KnownCertificate) {
  const { isAuthority, serial, notBefore, notAfter } = rest
  const times = { notBefore: formatTime(notBefore), notAfter: formatTime(notAfter) }
  return { file: path, subject, names, issuer, isAuthority, serial, ...times }
}

const ttlOption = (days: number) =>
  new Option('--ttl <duration>', 'how long it is good')
    .argParser(durationArgument)
    .default(days * DAY_MS, `${days}d`)

const passphraseOption = (what: string) => new Option('--passphrase-file <file>', what)

async function passphraseOf(context: Context, { passphraseFile }: IssueOptions) {
  if (passphraseFile === undefined) return null
  return (await readFile(resolve(context.cwd, passphraseFile), 'utf8')).replace(/\r?\n$/, '')
}

function addInitCa(group: Command, context: Context): void {
  const command = group
    .command('init-ca')
    .description('an authority of this hospital, which issues certificates for its node')
    .option('--name <name>', 'its common name')
    .addOption(ttlOption(3_650))
    .addOption(passphraseOption('seals its key; every issue then needs it'))
    .option('--force', 'replace the one that is there')
  withHelp(command, {
    examples: [
      'mooring tls init-ca',
      'mooring tls init-ca --name "St. Mary CA" --passphrase-file ca.passphrase',
    ],
    exits: [7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<IssueOptions>()
    const { ttl, name = 'Mooring CA', force = false } = options
    const now = context.now().getTime()
    const wish = { name, notBefore: now - EARLIER_MS, notAfter: now + ttl }
    const how = { passphrase: await passphraseOf(context, options), isForced: force }
    tell(context, options, await initAuthority(homeOf(context, options), wish, how))
  })
}

function addIssue(group: Command, context: Context): void {
  const command = group
    .command('issue')
    .description('a certificate and its key, from the authority of this home')
    .argument('<name>', 'the common name; of a client, what [http] client_roles names')
    .addOption(
      new Option('--for <use>', 'who shows it').choices(['server', 'client']).default('server'),
    )
    .option('--host <name...>', 'names and addresses of a server; without one, its name')
    .addOption(ttlOption(397))
    .addOption(passphraseOption('opens the key of the authority'))
    .option('--force', 'replace the one that is there')
  withHelp(command, {
    examples: [
      'mooring tls issue ledger.st-mary.example --host ledger.st-mary.example 10.0.0.7',
      'mooring tls issue lab-gateway --for client --ttl 90d',
    ],
    exits: [2, 7],
  })
  command.action(async (name: string) => {
    const options = command.optsWithGlobals<IssueOptions>()
    const { ttl, host: hosts = [], for: use, force = false } = options
    const now = context.now().getTime()
    const wish = { name, use, hosts, notBefore: now - EARLIER_MS, notAfter: now + ttl }
    const how = { passphrase: await passphraseOf(context, options), isForced: force }
    tell(context, options, await issueFromAuthority(homeOf(context, options), wish, how))
  })
}

function tell(
  context: Context,
  options: GlobalOptions,
  { certPath, keyPath, certificate }: IssuedFiles,
): void {
  const output = createOutput(context, options)
  if (output.isJson) {
    output.json({ schema: 'mooring/certificate/v1', ...documentOf(certificate), keyFile: keyPath })
    return
  }
  const home = homeOf(context, options)
  output.text([relative(home, certPath), relative(home, keyPath)].join('\n'))
  output.note(`"${certificate.subject}", until ${formatTime(certificate.notAfter)}`)
}

function addList(group: Command, context: Context): void {
  const command = group.command('list').description('the certificates in keys/tls of this home')
  withHelp(command, { examples: ['mooring tls list', 'mooring tls list --json'], exits: [3] })
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const items = await listCertificates(homeOf(context, options))
    if (output.isJson)
      output.json({ schema: 'mooring/certificates/v1', items: items.map(documentOf) })
    else if (items.length === 0) output.text('no certificates')
    else output.text(formatTable(items, COLUMNS(context.now().getTime())))
  })
}

/** What the configuration names besides, each as it would be read at a start. */
async function configured(context: Context, options: GlobalOptions): Promise<KnownCertificate[]> {
  const { env, askSecret } = context
  const sources = { home: homeOf(context, options), configPath: configOf(context, options) }
  const { http, patients } = await loadHomeOptions({ ...sources, flags: {}, env, askSecret })
  const found: KnownCertificate[] = []
  if (http.tls !== null) found.push(...(await readTls(http.tls, http.clientCa)).certificates)
  if (patients.tls !== null) found.push(...(await readTls(patients.tls, null)).certificates)
  return found
}

function addCheck(group: Command, context: Context, result: Result): void {
  const command = group
    .command('check')
    .description('whether the certificates in use belong to their keys, and how long they are good')
    .argument('[file...]', 'other certificates, PEM')
  withHelp(command, {
    examples: ['mooring tls check', 'mooring tls check /etc/ssl/st-mary.pem --json'],
    exits: [3, 8],
  })
  command.action(async (files: string[]) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const named = await Promise.all(
      files.map((file) => readCertificates(resolve(context.cwd, file))),
    )
    const items = files.length > 0 ? named.flat() : await configured(context, options)
    const now = context.now().getTime()
    const findings = certificateFindings(items, now)
    const isExpired = findings.some(({ code }) => code === 'tls_expired')
    result.exitCode = isExpired ? 8 : 0
    if (output.isJson) {
      output.json({
        schema: 'mooring/tls-check/v1',
        ok: !isExpired,
        items: items.map(documentOf),
        findings: findings.map(({ code, severity, detail }) => ({ code, severity, detail })),
      })
      return
    }
    output.text(items.length === 0 ? 'no listener speaks TLS' : formatTable(items, COLUMNS(now)))
    for (const { detail } of findings) output.note(detail)
  })
}

export function addTls(program: Command, context: Context, result: Result): void {
  const group = program
    .command('tls')
    .description('certificates for the listeners of the node, and for who asks it')
  addInitCa(group, context)
  addIssue(group, context)
  addList(group, context)
  addCheck(group, context, result)
  withHelp(group, {
    examples: [
      'mooring tls init-ca',
      'mooring tls issue ledger.st-mary.example',
      'mooring tls check',
    ],
    exits: [3, 7, 8],
  })
}
