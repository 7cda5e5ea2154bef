// A patient, guardians and desks, each with a wallet file of their own, on a chain with the real rules whose
// clock is put forward by hand.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '@mooring/crypto'
import { encodeGenesis, genesisDigest } from '@mooring/ledger'
import { createDevnet, type Devnet, readGenesisFile, readKeyFile } from '@mooring/node'
import { createWallet, deriveWalletKey, sealWallet } from '@mooring/records'
import { LedgerNode } from './ledger-node.ts'
import { inWorld, type Ran, serve } from './world.ts'

const PASSPHRASE = 'correct horse battery staple'
// A test makes many files; what a thief would pay is measured elsewhere.
const CHEAP = { N: 2 ** 10, r: 8, p: 1 }

export type Scene = {
  folder: string
  node: LedgerNode
  url: string
  // With the wallet file of that name.
  as: (name: string, line: string | string[]) => Promise<Ran>
  run: (line: string | string[]) => Promise<Ran>
  newWallet: (name: string, isDevice?: boolean) => Promise<void>
  // One of four hospitals that this node is: whose anchor key it signs with.
  beHospital: (index: number) => Promise<void>
}

const named = (what: string) => sha256(new TextEncoder().encode(what))

export const json = (ran: Ran): Record<string, unknown> => {
  assert.equal(ran.code, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

export const textOf = (ran: Ran): string => String(json(ran)['text'])

export const codeOf = ({ code, stderr }: Ran): string | undefined => {
  assert.notEqual(code, 0)
  return /MOR-\d{4}/.exec(stderr)?.[0]
}

const words = (line: string | string[]) => (typeof line === 'string' ? line.split(' ') : line)

async function anchorKeyOf({ nodes }: Devnet, index: number) {
  const { home = '', name = '' } = nodes[index] ?? {}
  return { name, anchorKey: await readKeyFile(join(home, 'keys', 'anchor.json'), 'anchor') }
}

export function recoveryScene(scenario: (scene: Scene) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const { folder } = world
    const time = Date.parse('2026-11-20T09:29:00Z')
    const input = { dir: join(folder, 'net'), nodes: 4, basePort: 7420, name: 'test', time }
    const devnet = await createDevnet({ ...input, heartbeatMs: 1_000 })
    const [first] = devnet.nodes
    assert.ok(first)
    const genesis = await readGenesisFile(join(first.home, 'config', 'genesis.json'))
    const node = new LedgerNode(genesis)
    const passphrase = join(folder, 'passphrase')
    writeFileSync(passphrase, PASSPHRASE, { mode: 0o600 })
    await serve(world, node, async ({ run, url }) => {
      const beHospital = async (index: number) => {
        node.relayIdentities(await anchorKeyOf(devnet, index))
      }
      await beHospital(0)
      const fileOf = (name: string) => join(folder, `${name}.json`)
      await scenario({
        folder,
        node,
        url,
        run,
        beHospital,
        as: (name, line) => {
          const wallet = ['--wallet', fileOf(name), '--passphrase-file', passphrase]
          const [group = '', ...rest] = words(line)
          return run([group, ...wallet, ...rest, '--json'])
        },
        newWallet: async (name, isDevice = false) => {
          let count = 0
          const random = (length: number) => {
            count += 1
            return named(`${name} ${count}`).subarray(0, length)
          }
          const wallet = createWallet({
            label: name,
            createdAt: 1,
            seed: isDevice ? null : named(`seed of ${name}`),
            deviceSecret: named(`device of ${name}`),
          })
          const pinned = { digest: genesisDigest(genesis), encoded: encodeGenesis(genesis) }
          const key = await deriveWalletKey(PASSPHRASE, random, CHEAP)
          const text = sealWallet({ ...wallet, genesis: pinned }, key, random)
          writeFileSync(fileOf(name), text, { mode: 0o600 })
        },
      })
    })
  })
}

/** Everybody has a wallet, and the first one has named the others its guardians. */
export async function withGuardians(
  scene: Scene,
  { names = ['ann', 'ben', 'cem'], rest = '' }: { names?: string[]; rest?: string } = {},
): Promise<{ identity: string; kits: Record<string, string> }> {
  const { as, newWallet } = scene
  await newWallet('ada')
  const keys: string[] = []
  for (const name of names) {
    await newWallet(name)
    keys.push(textOf(await as(name, ['guardian', 'key', '--label', name])))
  }
  return setGuardians(scene, { names, keys, rest })
}

export async function setGuardians(
  { as }: Scene,
  { names, keys, rest = '' }: { names: string[]; keys: string[]; rest?: string },
) {
  const extra = rest === '' ? [] : rest.split(' ')
  const line = ['patient', 'guardians', 'set', '--guardian', ...keys, ...extra]
  const { identity, kits } = json(await as('ada', line))
  const texts: Record<string, string> = {}
  assert.ok(Array.isArray(kits))
  for (const { label, text } of kits) texts[label] = text
  for (const name of names) json(await as(name, ['guardian', 'accept', texts[name] ?? '']))
  return { identity: String(identity), kits: texts }
}

/** A new wallet asks, and these guardians sign. */
export async function askGuardians(
  { as }: Scene,
  { wallet, identity, by }: { wallet: string; identity: string; by: string[] },
): Promise<{ request: string; fingerprint: string; approvals: string[] }> {
  const asked = json(await as(wallet, ['patient', 'recover', 'start', '--identity', identity]))
  const request = String(asked['text'])
  const fingerprint = String(asked['fingerprint'])
  const approvals: string[] = []
  for (const name of by) {
    const line = ['guardian', 'approve', request, '--fingerprint', fingerprint]
    approvals.push(textOf(await as(name, line)))
  }
  return { request, fingerprint, approvals }
}
