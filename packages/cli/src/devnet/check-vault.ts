// What a devnet promises of its vault: no record is without enough shards, and one of each hospital is
// read back to show it. Cheap: strength is what the nodes know already, and a read leaves one trace.

import { setTimeout as pause } from 'node:timers/promises'
import type { Vault } from '@mooring/api'
import { ApiProblem, type Client } from '@mooring/api/client'
import type { Finding } from './check.ts'
import type { Acknowledgement } from './state.ts'

export type AskedVault = { name: string; client: Client }

const SETTLE_MS = 15_000
const POLL_MS = 500
const SWEEP_PURPOSE = 'HOPERAT'

export async function checkStrength(
  asked: readonly AskedVault[],
  settleMs = SETTLE_MS,
): Promise<Finding & { canRead: boolean }> {
  const check = 'every record has the shards that open it'
  const vaults = await settledVaults(asked, settleMs)
  const needed = Math.max(0, ...vaults.map(({ vault }) => vault.scheme?.needed ?? 0))
  if (asked.length < needed) {
    const detail = `not asked: ${asked.length} of the ${needed} hospitals that open a record run`
    return { check, ok: true, detail, canRead: false }
  }
  const lost = vaults.filter(({ vault }) => vault.records.lost > 0)
  const worst = lost.map(({ name, vault }) => `${vault.records.lost} of ${name} have too few`)
  const detail = lost.length > 0 ? worst.join('; ') : strengthOf(vaults.map(({ vault }) => vault))
  return { check, ok: lost.length === 0, detail, canRead: asked.length > 0 }
}

type Told = { name: string; vault: Vault }

/** A shard that is on its way when its holder is asked counts as missing, until somebody looks again. */
async function settledVaults(asked: readonly AskedVault[], settleMs: number): Promise<Told[]> {
  const deadline = performance.now() + settleMs
  for (;;) {
    const vaults = await Promise.all(
      asked.map(async ({ name, client }) => ({ name, vault: await client.vault() })),
    )
    const needed = Math.max(0, ...vaults.map(({ vault }) => vault.scheme?.needed ?? 0))
    const isSettled = vaults.every(({ vault }) => vault.records.lost === 0)
    if (isSettled || asked.length < needed || performance.now() >= deadline) return vaults
    await pause(POLL_MS)
  }
}

function strengthOf(vaults: readonly Vault[]): string {
  const sum = (pick: (records: Vault['records']) => number) =>
    vaults.reduce((total, { records }) => total + pick(records), 0)
  const weak = sum(({ reduced, critical }) => reduced + critical)
  const all = sum(({ total }) => total)
  return weak === 0
    ? `${all} records, all at full strength`
    : `${all} records, ${weak} of them reduced`
}

// The newest acknowledged record of each hospital that runs.
export async function checkReading(
  asked: readonly AskedVault[],
  promises: readonly Acknowledgement[],
): Promise<Finding> {
  const check = 'a record of each hospital is read back'
  const broken: string[] = []
  let read = 0
  for (const { name, client } of asked) {
    const last = promises.findLast(({ node }) => node === name)
    if (last === undefined) continue
    const problem = await problemOfReading(client, last.id)
    if (problem === undefined) read += 1
    else broken.push(`${last.id} of ${name}: ${problem}`)
  }
  const found = read === 0 ? 'none was submitted from here' : `${read} read`
  return { check, ok: broken.length === 0, detail: broken.length === 0 ? found : broken.join('; ') }
}

async function problemOfReading(client: Client, id: string): Promise<string | undefined> {
  try {
    const { body } = await client.openRecord(id, { purpose: SWEEP_PURPOSE })
    for await (const piece of body) if (piece.length === 0) break
    return undefined
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'erased') return undefined
    if (error instanceof ApiProblem && error.status !== 0) return error.detail
    throw error
  }
}
