// Recovery, from the side of the owner: a new wallet asks, guardians and a desk answer, the time lock passes.
// And its other side: who still has the old key stops a recovery that is not theirs.

import type { Identity } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { CodecError, equalBytes, fromHex, toHex } from '@mooring/codec'
import { combineShares, x25519PublicKey } from '@mooring/crypto'
import {
  controlKeyDigest,
  encodeIdentityEvent,
  type IdentityEvent,
  signIdentityFinalize,
} from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  ATTESTATION,
  GUARDIAN_APPROVAL,
  openBackup,
  openShare,
  RECOVERY_REQUEST,
  type RecoveryRequest,
  RELEASE,
  requestFingerprint,
  rootSignKey,
  type Wallet,
  WALLET_BACKUP_BYTES_MAX,
  type WalletBackup,
} from '@mooring/records'
import type { Command } from 'commander'
import { askChain, askNetwork, findIdentity } from '../ask-chain.ts'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { readDocument, showDocument } from '../documents.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { createOutput, formatAmount } from '../output.ts'
import { firstIdentityId, seedOf } from '../own-identity.ts'
import { readInput } from '../read-input.ts'
import { type WalletOptions, walletRandom, withWallet } from '../wallet-session.ts'
import { addReturn } from './patient-return.ts'
import { formatIdentity } from './patient-guardians.ts'

type Options = RemoteOptions & WalletOptions
type Asked = NonNullable<Wallet['identity']['recovery']>

export function idOf(text: string): Uint8Array {
  if (/^[0-9a-f]{64}$/.test(text)) return fromHex(text)
  const detail = 'An identity is named by 64 hexadecimal digits.'
  throw new NodeError('usage', { detail, command: 'patient recover ' })
}

export async function knownIdentity(client: Client, id: Uint8Array): Promise<Identity> {
  const found = await findIdentity(client, id)
  if (found !== undefined) return found
  throw new NodeError('no_identity')
}

function askedOf({ identity: { recovery } }: Wallet): Asked {
  if (recovery !== null) return recovery
  throw new NodeError('no_recovery_asked')
}

async function begin(client: Client, wallet: Wallet, id: Uint8Array): Promise<Asked> {
  const seed = seedOf(wallet)
  const chain = await knownIdentity(client, id)
  const before = wallet.identity.recovery
  // Keys that an earlier attempt has shown are not used again.
  const rootIndex = Math.max(before?.rootIndex ?? -2, wallet.identity.own?.rootIndex ?? -2) + 2
  const sealSecret = walletRandom(32)
  return {
    request: {
      genesisDigest: await askNetwork(client),
      identity: id,
      sequence: chain.sequence + 1,
      controlKey: rootSignKey(seed, rootIndex).publicKey,
      nextKeyDigest: controlKeyDigest(rootSignKey(seed, rootIndex + 1).publicKey),
      sealKey: x25519PublicKey(sealSecret),
    },
    rootIndex,
    sealSecret,
  }
}

function addStart(group: Command, context: Context): void {
  const command = remote(group.command('start'))
    .description('ask the guardians for the identity, from a new wallet')
    .requiredOption('--identity <name>', 'of the recovery sheet, or a guardian knows it')
    .option('-o, --output <file>', 'write the document for the guardians there')
    .option('--qr', 'show it as a QR code too')
  withHelp(command, {
    examples: ['mooring patient recover start --identity 5f…e1 -o recovery.txt'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options & { identity: string; output?: string }>()
    const output = createOutput(context, options)
    const id = idOf(options.identity)
    const { request } = await withWallet(context, options, (wallet, save) =>
      askChain(context, wallet, options, async (client) => {
        const recovery = await begin(client, wallet, id)
        await save({ ...wallet, identity: { ...wallet.identity, recovery } })
        return recovery
      }),
    )
    const shown = { kind: RECOVERY_REQUEST, value: request, output }
    const { text, file } = await showDocument(context, options, shown)
    const fingerprint = requestFingerprint(request)
    if (output.isJson) output.json({ schema: 'mooring/recovery/v1', fingerprint, file, text })
    else {
      output.note(
        `Give it to your guardians and read them these digits: ${fingerprint}\n` +
          'A desk of a hospital that sees you makes it faster:   mooring recovery attest <text> --fingerprint <digits>',
      )
    }
  })
}

async function recoverEvent(
  context: Context,
  request: RecoveryRequest,
  { words, attestation }: { words: string[]; attestation: string | undefined },
): Promise<IdentityEvent> {
  const isOf = (each: { identity: Uint8Array; sequence: number }) =>
    equalBytes(each.identity, request.identity) && each.sequence === request.sequence
  const approvals = []
  for (const word of words) {
    const answer = await readDocument(context, GUARDIAN_APPROVAL, word)
    if (!isOf(answer)) throw new NodeError('answer_of_another')
    approvals.push(answer.approval)
  }
  let desk = null
  if (attestation !== undefined) {
    const seen = await readDocument(context, ATTESTATION, attestation)
    if (!isOf(seen)) throw new NodeError('answer_of_another')
    const { organisation, key, signature } = seen
    desk = { organisation, key, signature }
  }
  const { identity, sequence, controlKey, nextKeyDigest } = request
  const content = { identity, sequence, controlKey, nextKeyDigest }
  return { kind: 'identity.recover', body: { ...content, approvals, desk } }
}

function addSubmit(group: Command, context: Context): void {
  const command = remote(group.command('submit'))
    .description('put what guardians have signed on the chain: the time lock begins')
    .argument('<approvals...>', 'of guardians, as text or files')
    .option('--attestation <text>', 'of a desk that has seen you')
  withHelp(command, {
    examples: [
      'mooring patient recover submit ann.txt ben.txt',
      'mooring patient recover submit ann.txt ben.txt --attestation riverside.txt',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async (words: string[]) => {
    const options = command.optsWithGlobals<Options & { attestation?: string }>()
    const output = createOutput(context, options)
    const { attestation } = options
    const chain = await withWallet(context, options, async (wallet) => {
      const { request } = askedOf(wallet)
      const event = await recoverEvent(context, request, { words, attestation })
      const work = askChain(context, wallet, options, async (client) => {
        await client.relayIdentityEvent(encodeIdentityEvent(event))
        return knownIdentity(client, request.identity)
      })
      return waitingFor(output.note, 'the chain', work)
    })
    if (output.isJson) output.json({ schema: 'mooring/identity/v1', ...chain })
    else {
      output.text(formatIdentity(chain))
      output.note('Then:   mooring patient recover finish')
    }
  })
}

function addStatus(group: Command, context: Context): void {
  const command = remote(group.command('status'))
    .description('an identity on the chain, and the recovery that runs')
    .option('--identity <name>', 'another than that of the wallet')
  withHelp(command, {
    examples: ['mooring patient recover status', 'mooring patient recover status --json'],
    exits: [3, 4, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options & { identity?: string }>()
    const output = createOutput(context, options)
    const chain = await withWallet(context, options, (wallet) => {
      const { own, recovery, deviceOf } = wallet.identity
      const named = options.identity === undefined ? undefined : idOf(options.identity)
      const known = named ?? recovery?.request.identity ?? own?.id ?? deviceOf
      const id = known ?? firstIdentityId(wallet)
      return askChain(context, wallet, options, (client) => knownIdentity(client, id))
    })
    if (output.isJson) output.json({ schema: 'mooring/identity/v1', ...chain })
    else output.text(formatIdentity(chain))
  })
}

function addFinish(group: Command, context: Context): void {
  const command = remote(group.command('finish')).description(
    'after the time lock: the new wallet controls the identity',
  )
  withHelp(command, {
    examples: ['mooring patient recover finish'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const id = await withWallet(context, options, async (wallet, save) => {
      const { request, rootIndex } = askedOf(wallet)
      const { identity, genesisDigest } = request
      const work = askChain(context, wallet, options, async (client) => {
        const { sequence } = await knownIdentity(client, identity)
        const place = { identity, sequence: sequence + 1 }
        const key = rootSignKey(seedOf(wallet), rootIndex)
        const body = signIdentityFinalize(genesisDigest, place, key)
        await client.relayIdentityEvent(encodeIdentityEvent({ kind: 'identity.finalize', body }))
      })
      await waitingFor(output.note, 'the chain', work)
      const own = { id: identity, rootIndex, generation: rootIndex, guardians: [], padding: [] }
      await save({ ...wallet, identity: { ...wallet.identity, own, next: null } })
      return identity
    })
    if (output.isJson) output.json({ schema: 'mooring/recovered/v1', identity: toHex(id) })
    else {
      output.text(`this wallet controls identity ${toHex(id)}`)
      output.note(
        'Guardians give their shares now:   mooring guardian release <text>\n' +
          'Enrol again at each hospital with a ticket; it retires the old key:   mooring patient enrol <ticket>\n' +
          'Name guardians anew:   mooring patient guardians set',
      )
    }
  })
}

const wrong = (detail: string) => new NodeError('shares_wrong', { detail })

async function openWithShares(
  context: Context,
  wallet: Wallet,
  { file, words }: { file: string; words: string[] },
): Promise<WalletBackup> {
  const { request, sealSecret: secret } = askedOf(wallet)
  const { identity } = request
  const shares = []
  for (const word of words) {
    const release = await readDocument(context, RELEASE, word)
    if (!equalBytes(release.identity, identity)) throw new NodeError('answer_of_another')
    const share = openShare(release.share, { identity, secret })
    if (share === undefined) throw wrong('One share is sealed to another wallet')
    shares.push(share)
  }
  if (new Set(shares.map(({ index }) => index)).size < shares.length) {
    throw wrong('One share is there twice')
  }
  const bytes = await readInput(context, file, WALLET_BACKUP_BYTES_MAX)
  try {
    const backup = openBackup(bytes, combineShares(shares))
    if (backup !== undefined) return backup
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new NodeError('shares_wrong', { detail: `${file} is no backup` }, { cause: error })
  }
  throw wrong(`${formatAmount(shares.length, 'share')} give another key, or the file was altered`)
}

// Where the lost wallet was known by keys of its own.
function returnsOf({ hospitals, salts }: WalletBackup): Wallet['identity']['returns'] {
  return hospitals.flatMap(({ organisation, endpoint, patient, access, patientKey: former }) => {
    const found = salts.find((each) => each.organisation === organisation)
    const isOwn = patient === '' && access === null
    return isOwn && found ? [{ organisation, endpoint, former, salt: found.salt }] : []
  })
}

async function revokeAll(client: Client, backup: WalletBackup): Promise<number> {
  let revoked = 0
  for (const { publicKey, signature } of backup.revocations) {
    if (await tryRevoke(client, { publicKey, signature })) revoked += 1
  }
  return revoked
}

// False for a handle that there is not, or that is dead already.
export async function tryRevoke(
  client: Client,
  { publicKey, signature }: { publicKey: Uint8Array; signature: Uint8Array },
): Promise<boolean> {
  try {
    await client.revokeHandle({ publicKey: toHex(publicKey), signature: toHex(signature) })
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (['unknown_handle', 'handle_revoked', 'handle_expired'].includes(String(code))) return false
    throw error
  }
}

function addOpen(group: Command, context: Context): void {
  const command = remote(group.command('open'))
    .description('what the lost wallet had, with the shares of guardians')
    .argument('<shares...>', 'of guardians, as text or files')
    .requiredOption('--backup <file>', 'the newest one')
    .option('--revoke-all', 'end what the lost wallet had permitted')
  withHelp(command, {
    examples: ['mooring patient recover open ann.txt ben.txt --backup ada.mooring-backup'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async (words: string[]) => {
    const options = command.optsWithGlobals<Options & { backup: string; revokeAll?: boolean }>()
    const output = createOutput(context, options)
    const { backup, revoked } = await withWallet(context, options, async (wallet, save) => {
      const opened = await openWithShares(context, wallet, { file: options.backup, words })
      const { formerSeals } = wallet.identity
      const isNew = ({ secretKey }: (typeof formerSeals)[number]) =>
        !formerSeals.some((each) => equalBytes(each.secretKey, secretKey))
      const seals = [...formerSeals, ...opened.seals.filter(isNew)]
      const genesis = wallet.genesis ?? opened.genesis
      const returns = returnsOf(opened)
      await save({
        ...wallet,
        genesis,
        identity: { ...wallet.identity, returns, formerSeals: seals },
      })
      if (options.revokeAll !== true) return { backup: opened, revoked: 0 }
      const known = { hospitals: [...wallet.hospitals, ...opened.hospitals] }
      const work = askChain(context, known, options, (client) => revokeAll(client, opened))
      return { backup: opened, revoked: await waitingFor(output.note, 'the chain', work) }
    })
    const hospitals = backup.hospitals
      .filter(({ patient }) => patient === '')
      .map(({ organisation }) => organisation)
    const { label, grants, seals } = backup
    if (output.isJson) {
      const counts = { grants: grants.length, seals: seals.length, revoked }
      output.json({ schema: 'mooring/backup/v1', label, hospitals, ...counts })
    } else {
      output.text(`the wallet "${label}" was enrolled at ${hospitals.join(', ') || 'no hospital'}`)
      output.note(`${formatAmount(revoked, 'grant')} ended`)
      output.note('Go back to the hospitals:   mooring patient recover return')
    }
  })
}

export function addPatientRecover(program: Command, context: Context): void {
  const group = program
    .command('recover')
    .description('the identity of a lost wallet, with the guardians')
  addStart(group, context)
  addSubmit(group, context)
  addStatus(group, context)
  addFinish(group, context)
  addOpen(group, context)
  addReturn(group, context)
  withHelp(group, {
    examples: [
      'mooring patient recover start --identity 5f…e1',
      'mooring patient recover submit ann.txt ben.txt',
      'mooring patient recover finish',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
}
