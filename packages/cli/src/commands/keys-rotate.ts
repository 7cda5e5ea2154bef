// New keys in the place of those in use. The next key is on the disk before its public half is on the
// chain, and the old one goes only once the chain has named the new one; so this can stop anywhere and
// be typed again.

import { setTimeout as pause } from 'node:timers/promises'
import type { Change } from '@mooring/api'
import { canonicalJson, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import {
  type Change as LedgerChange,
  changeAsJson,
  type ChangeOf,
  signNewKey,
} from '@mooring/ledger'
import { KEY_DUTIES, type KeyDuty } from '@mooring/node/keys'
import { findNextHalf, prepareNextKey, promoteNextKey } from '@mooring/node/next-keys'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { formatWaiting, shortId } from '../change-text.ts'
import { withHelp } from '../command-help.ts'
import { type Context, homeOf } from '../context.ts'
import { withNode } from '../endpoint.ts'
import {
  type Governance,
  governanceKeyPath,
  type GovernanceOptions,
  openGovernance,
} from '../governance.ts'
import { type KeyState, ownerOf, readKeyStates, standingOf, withChain } from '../home-keys.ts'
import { governanceLock, homeLock } from '../keys-lock.ts'
import { createOutput, type Output } from '../output.ts'
import { propose } from '../propose.ts'
import { governance, waitForPass, waitMsOf } from './change-propose.ts'

type RotateOptions = GovernanceOptions & {
  type: KeyDuty | 'all'
  reason?: string
  wait?: number | true
}

type World = { context: Context; options: RotateOptions; output: Output }

const PICKED_UP_MS = 20_000
const POLL_MS = 200
const AGAIN_SO_SOON =
  'keys were renewed within the last ten minutes, or often: this time the others must approve'
const EXPIRES_MS = 7 * 86_400_000

// Keys made in one home and proposed for another hospital would lock that hospital out.
function checkOwner(
  { members, organisation }: Governance,
  states: readonly KeyState[],
  { context, options }: Pick<World, 'context' | 'options'>,
): void {
  const owner = ownerOf(
    states.filter(({ duty }) => duty !== 'governance'),
    members,
  )
  if (owner === undefined || owner.id === organisation) return
  const path = governanceKeyPath(context, options)
  const home = homeOf(context, options)
  throw new NodeError('governance_elsewhere', { path, organisation, home, owner: owner.id })
}

// What is to be replaced; refuses when the chain does not name the key that is in use here.
async function keysToRotate(opened: Governance, { context, options }: World): Promise<KeyState[]> {
  const found = await readKeyStates(context, options)
  checkOwner(opened, found, { context, options })
  const states = withChain(found, opened.members)
  const chosen = states.filter(({ duty }) => options.type === 'all' || duty === options.type)
  for (const state of chosen) {
    const { duty, path } = state
    const standing = standingOf(state)
    if (standing === 'in force') continue
    const detail =
      standing === 'next in force'
        ? `The next ${duty} key is in force already; the node takes it at its next start.`
        : `The chain names another ${duty} key than ${path} holds.`
    throw new NodeError('nothing_to_rotate', { detail })
  }
  return chosen
}

function newKey(
  { genesisDigest, organisation }: Governance,
  duty: KeyDuty,
  keyPair: KeyPair,
): ChangeOf<'rekey'>['keys'][number] {
  // X25519 keys sign nothing.
  if (duty === 'seal') return { duty, key: keyPair.publicKey, signature: null }
  return signNewKey(genesisDigest, { organisation, duty }, keyPair)
}

async function prepare(
  opened: Governance,
  chosen: readonly KeyState[],
  { context, options, output }: World,
): Promise<ChangeOf<'rekey'>> {
  const keys: ChangeOf<'rekey'>['keys'] = []
  const locks = {
    home: await homeLock(context, options),
    governance: await governanceLock(context, options),
  }
  for (const { duty, path } of chosen) {
    const lock = duty === 'governance' ? locks.governance : locks.home
    const how = { created: context.now(), lock }
    const { keyPair, isNew } = await prepareNextKey(path, duty, how)
    output.note(`${isNew ? 'made' : 'found'} the next ${duty} key`)
    keys.push(newKey(opened, duty, keyPair))
  }
  return { organisation: opened.organisation, keys }
}

// The proposal of before a crash, if it is there.
async function findOpen(
  { client }: Governance,
  body: ChangeOf<'rekey'>,
): Promise<string | undefined> {
  const { items } = await client.changes({ status: 'open' })
  const asked = canonicalJson(changeAsJson({ kind: 'rekey', body }))
  const proposed = items.find(
    ({ kind, details }) => canonicalJson({ kind, body: details }) === asked,
  )
  return proposed?.id
}

async function proposeRekey(
  opened: Governance,
  body: ChangeOf<'rekey'>,
  { context, options, output }: World,
): Promise<string> {
  const found = await findOpen(opened, body)
  if (found !== undefined) {
    output.note('it is proposed already')
    return found
  }
  const duties = body.keys.map(({ duty }) => duty).join(', ')
  const reason = options.reason ?? `rotation of keys: ${duties}`
  const change: LedgerChange = { kind: 'rekey', body }
  const now = context.now()
  const { id } = await propose(opened, change, { reason, expires: EXPIRES_MS }, { output, now })
  return id
}

// The governance key is taken into use here; the others by their node, once it sees them in force.
async function takeIntoUse(
  chosen: readonly KeyState[],
  output: Output,
  patienceMs: number,
): Promise<KeyDuty[]> {
  const deadline = performance.now() + patienceMs
  let waiting = chosen
  for (;;) {
    const left: KeyState[] = []
    for (const state of waiting) {
      const { path, duty } = state
      if ((await findNextHalf(path, duty)) === undefined) continue
      if (duty === 'governance') await promoteNextKey(path, duty)
      else left.push(state)
    }
    if (left.length === 0) return []
    if (performance.now() >= deadline) {
      const duties = left.map(({ duty }) => duty)
      output.note(`the node of this home takes its next ${duties.join(', ')} key when it runs`)
      return duties
    }
    waiting = left
    await pause(POLL_MS)
  }
}

// Before the wait, so that nobody waits for what others have to do.
function sayWhoApproves(change: Change, chosen: readonly KeyState[], output: Output): void {
  const { id, status, approvals, approvalsNeeded } = change
  if (status !== 'open' || approvals.length >= approvalsNeeded) return
  if (chosen.every(({ duty }) => duty !== 'governance')) output.note(AGAIN_SO_SOON)
  output.note(`the others approve it:   mooring change approve ${shortId(id)}`)
}

async function rotate(opened: Governance, world: World): Promise<void> {
  const { options, output } = world
  const chosen = await keysToRotate(opened, world)
  const body = await prepare(opened, chosen, world)
  const id = await proposeRekey(opened, body, world)
  const timeoutMs = waitMsOf(options)
  const proposed = await opened.client.change(id)
  sayWhoApproves(proposed, chosen, output)
  const change =
    timeoutMs === undefined ? proposed : await waitForPass(opened, id, { timeoutMs, output })
  const pending =
    change.status === 'passed'
      ? await takeIntoUse(chosen, output, timeoutMs === undefined ? 0 : PICKED_UP_MS)
      : chosen.map(({ duty }) => duty)
  const keys = Object.fromEntries(body.keys.map(({ duty, key }) => [duty, toHex(key)]))
  if (output.isJson) {
    const { status, height } = change
    output.json({ schema: 'mooring/key-rotation/v1', id, status, height, keys, pending })
    return
  }
  output.text(`change ${id}`)
  for (const [duty, key] of Object.entries(keys)) output.text(`  ${duty.padEnd(12)}${key}`)
  if (change.status === 'passed') {
    output.text(output.good(`in force since block ${change.height ?? 0}`))
    return
  }
  output.text(`it waits for ${formatWaiting(change)}`)
  output.note('wait until the new keys are in force:   the same command with --wait')
}

export function addRotate(group: Command, context: Context): void {
  const command = governance(group.command('rotate'))
    .description('make new keys and propose them; the node takes them once they are in force')
    .addOption(
      new Option('--type <duty>', 'which key')
        .choices([...KEY_DUTIES, 'all'])
        .makeOptionMandatory(),
    )
    .option('--passphrase-file <file>', 'what opens the keys of the home')
    .option('--reason <text>', 'why, for the others; it stays on the chain')
  withHelp(command, {
    examples: [
      'mooring keys rotate --type consensus --wait',
      'mooring keys rotate --type all --governance-key /media/usb/governance.json',
    ],
    exits: [3, 4, 5, 7, 9, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RotateOptions>()
    const output = createOutput(context, options)
    await withNode(context, options, async (client, endpoint) => {
      const opened = await openGovernance(context, options, { client, endpoint })
      await rotate(opened, { context, options, output })
    })
  })
}
