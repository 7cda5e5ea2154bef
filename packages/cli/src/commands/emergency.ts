// Emergencies at a hospital: open a set with the card of a patient, give the reason, see what is open, make the
// set of a patient whose wallet is hosted, review those of others.

import type { Emergency, EmergencyReview } from '@mooring/api'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { type Column, createOutput, formatFields, formatTable, shortDigest } from '../output.ts'
import { upTo } from '../pages.ts'
import { isQrWanted, terminalQr } from '../qr.ts'
import { addEmergencyOpen } from './emergency-open.ts'

const OUTCOMES = ['treated', 'transferred', 'died', 'not-needed']
const VERDICTS = ['justified', 'questionable', 'unjustified']

const EMERGENCY_COLUMNS: Column<Emergency>[] = [
  { title: 'opened', value: ({ openedAt }) => openedAt },
  { title: 'reason', value: ({ reason }) => reason },
  { title: 'by', value: ({ role }) => role },
  { title: 'status', value: (each) => (each.offline ? `${each.status}, late` : each.status) },
  { title: 'reason due', value: ({ reasonDueAt }) => reasonDueAt },
  { title: 'reviewer', value: ({ reviewer }) => reviewer ?? '–' },
  { title: 'id', value: ({ requestId }) => requestId },
]

const REVIEW_COLUMNS: Column<EmergencyReview>[] = [
  { title: 'opened', value: ({ time }) => time },
  { title: 'organisation', value: ({ organisation }) => organisation },
  { title: 'reason', value: ({ reason }) => reason },
  {
    title: 'written',
    value: ({ written, overdue }) => written ?? (overdue ? 'overdue' : 'not yet'),
  },
  { title: 'verdict', value: ({ verdict }) => verdict ?? '–' },
  { title: 'id', value: ({ requestId }) => requestId },
]

export function addEmergency(program: Command, context: Context): void {
  const group = program
    .command('emergency')
    .description("emergency access: a patient's summary, with a trace first and a reason after")
  withHelp(group, {
    examples: [
      'mooring emergency open <card> --reason unconscious --credential ada.credential --key ada.key',
      'mooring emergency close <id> --outcome treated --why "found unconscious"',
    ],
    exits: [4, 5, 6, 7, 8, 13],
  })
  addEmergencyOpen(group, context)
  addList(group, context)
  addShow(group, context)
  addClose(group, context)
  addSet(group, context)
  addReviews(group, context)
}

function limited(command: Command): Command {
  return command.addOption(
    new Option('--limit <count>', 'how many').argParser(countArgument).default(50, '50'),
  )
}

function addList(group: Command, context: Context): void {
  const command = limited(remote(group.command('list')))
    .description('emergencies of this hospital, with what is overdue')
    .option('--overdue', 'only those whose written reason is late')
  withHelp(command, {
    examples: ['mooring emergency list', 'mooring emergency list --overdue'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { limit: number; overdue?: boolean }>()
    const output = createOutput(context, options)
    const all = await withNode(context, options, (client) =>
      upTo(options.limit, (page) => client.emergencies(page)),
    )
    const items = options.overdue === true ? all.filter(({ status }) => status === 'overdue') : all
    if (output.isJson) output.json({ schema: 'mooring/emergencies/v1', items })
    else if (items.length === 0) output.text('none')
    else output.text(formatTable(items, EMERGENCY_COLUMNS))
  })
}

function addShow(group: Command, context: Context): void {
  const command = remote(group.command('show'))
    .description('one emergency of this hospital')
    .argument('<id>', 'of the request')
  withHelp(command, {
    examples: ['mooring emergency show <id>', 'mooring emergency show <id> --json'],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const found = await withNode(context, options, (client) => client.emergency(id))
    if (output.isJson) output.json({ schema: 'mooring/emergency/v1', ...found })
    else output.text(fieldsOf(found))
  })
}

function fieldsOf(found: Emergency): string {
  return formatFields([
    ['id', found.requestId],
    ['status', found.status],
    ['reason', found.reason],
    ['by', `${found.role}, ${found.practitioner}`],
    ['opened', `${found.openedAt}, block ${found.height}`],
    ['ends', found.endsAt],
    ['reason due', found.reasonDueAt],
    ['outcome', found.outcome ?? '–'],
    ['reviewer', found.reviewer ?? '–'],
    ['offline', found.offline ? 'yes: anchored late' : 'no'],
  ])
}

function addClose(group: Command, context: Context): void {
  const command = remote(group.command('close'))
    .description('how it ended and why it was needed; due within three days, and ends the access')
    .argument('<id>', 'of the request')
    .addOption(new Option('--outcome <code>', 'how it ended').choices(OUTCOMES).default('treated'))
    .requiredOption('--why <text>', 'the reason in words: the patient and a reviewer read it')
  withHelp(command, {
    examples: [
      'mooring emergency close <id> --why "found unconscious at home"',
      'mooring emergency close <id> --outcome not-needed --why "woke up"',
    ],
    exits: [4, 6, 7],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions & { outcome: string; why: string }>()
    const output = createOutput(context, options)
    const end = { outcome: options.outcome, text: options.why }
    const found = await withNode(context, options, (client) =>
      waitingFor(output.note, 'a final block', client.closeEmergency(id, end)),
    )
    if (output.isJson) output.json({ schema: 'mooring/emergency/v1', ...found })
    else output.text(fieldsOf(found))
  })
}

interface SetOptions extends RemoteOptions {
  sensitive?: boolean
  optOut?: boolean
  qr?: boolean
}

function addSet(group: Command, context: Context): void {
  const command = remote(group.command('set'))
    .description(
      'make or renew the set of a patient whose wallet is hosted here, and show its card',
    )
    .argument('<patient>', 'Patient/4711, or 4711')
    .option('--sensitive', 'with what is sensitive, by the wish of the patient')
    .option('--opt-out', 'by the wish of the patient: nobody opens a set')
    .option('--qr', 'a code to scan, also where stdout is no terminal')
    .option('--no-qr', 'the text alone')
  withHelp(command, {
    examples: ['mooring emergency set Patient/4711', 'mooring emergency set 4711 --opt-out'],
    exits: [4, 6, 7],
  })
  command.action(async (patient: string) => {
    const options = command.optsWithGlobals<SetOptions>()
    const output = createOutput(context, options)
    const { sensitive: withSensitive = false, optOut = false } = options
    const parts = { patient, withSensitive, optOut }
    const made = await withNode(context, options, (client) =>
      waitingFor(output.note, 'the trustees', client.depositHostedEmergencySet(parts)),
    )
    if (output.isJson) {
      output.json({ schema: 'mooring/emergency-set/v1', ...made, optOut })
      return
    }
    if (optOut) {
      output.text('nobody opens an emergency set of this patient from now on')
      output.note('in an emergency nobody will know of allergies or medication')
      return
    }
    const code = isQrWanted(context, options) ? terminalQr(context, made.card, options) : undefined
    if (code !== undefined) output.text(code)
    output.text(made.card)
    output.note(`kept by ${made.taken.join(', ')}: the card belongs to the patient alone`)
    if (made.waiting.length > 0) output.note(`on its way to ${made.waiting.join(', ')}`)
  })
}

interface ReviewOptions extends RemoteOptions {
  limit: number
  judge?: string
  verdict?: string
  note?: string
}

function addReviews(group: Command, context: Context): void {
  const command = limited(remote(group.command('reviews')))
    .description('emergencies of other owners that this member reviews; judge one with --judge')
    .option('--judge <id>', 'say what this member thinks of it')
    .addOption(new Option('--verdict <word>', 'with --judge').choices(VERDICTS))
    .option('--note <text>', 'with --judge: in words')
  withHelp(command, {
    examples: [
      'mooring emergency reviews',
      'mooring emergency reviews --judge <id> --verdict justified --note "clear"',
    ],
    exits: [4, 6, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ReviewOptions>()
    const output = createOutput(context, options)
    const { judge, verdict = 'questionable', note = '', limit } = options
    if (judge !== undefined) {
      const judged = await withNode(context, options, (client) =>
        client.judgeEmergency(judge, { verdict, note }),
      )
      if (output.isJson) output.json({ schema: 'mooring/emergency-review/v1', ...judged })
      else output.text(`${shortDigest(judged.requestId)}: ${judged.verdict ?? verdict}`)
      return
    }
    const items = await withNode(context, options, (client) =>
      upTo(limit, (page) => client.emergencyReviews(page)),
    )
    if (output.isJson) output.json({ schema: 'mooring/emergency-reviews/v1', items })
    else if (items.length === 0) output.text('nothing to review')
    else output.text(formatTable(items, REVIEW_COLUMNS))
  })
}
