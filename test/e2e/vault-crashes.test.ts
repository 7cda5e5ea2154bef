// The custodian is killed under load, at random, again and again, wherever its pipeline is by then. Whoever
// had no answer sends the same again under the same key, as a hospital's system would. Afterwards every
// record is there once, and no anchor is on the chain that no record knows.
//
//   SEED=… KILLS=200 npx node test/e2e/vault-crashes.test.ts

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem, type Client } from '@mooring/api/client'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { randomOf } from '../simulation/random.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { grantAll, readAll } from './granted-reads.ts'
import { controlPower, pauseBetween, type Power } from './power.ts'
import { type SpreadRecord, spreadRecordsOf } from './provider-spread.ts'
import { type Source, sourceOf } from './sources.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const KILLS = Number(process.env['KILLS'] ?? 20)
const CUSTODIAN = 0
const READER = 4
const CLIENTS = 3
const SETTLE_MS = 120_000
const START_MS = 60_000
const AGAIN_MS = 100
const PAGE = 500
// Byte for byte; of a long campaign a part.
const READS_MAX = 300

const starting = startDevnet('-n 5')
const records: SpreadRecord[] = []
let again = 0

test('the custodian dies under load, and returns, again and again', async () => {
  process.stdout.write(`SEED=${SEED} KILLS=${KILLS}\n`)
  const devnet = await starting
  const random = randomOf(SEED)
  const power = await controlPower(devnet)
  const { client } = nodeAt(devnet, CUSTODIAN)
  const stop = new AbortController()
  // Once the custodian is given up, nobody sends to it for ever.
  const patience = new AbortController()
  let seed = random.between(1, 1_000_000)
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (!stop.signal.aborted) {
        seed += 1
        const source = sourceOf(`patient ${seed}`, generatePatient(seed))
        await submitUntilTaken(devnet, source, patience.signal)
      }
    }),
  )
  clients.catch(() => undefined)
  const started = performance.now()
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await answers(client, power)
      await pauseBetween(random, 0, 1_500)
      await power.cut([CUSTODIAN])
    }
    await answers(client, power)
    stop.abort()
    await clients
  } finally {
    stop.abort()
    patience.abort()
  }
  const seconds = (performance.now() - started) / 1_000
  process.stdout.write(
    `figure: ${KILLS} kills in ${seconds.toFixed(0)} s, ${records.length} records taken, ` +
      `${again} submissions sent again\n`,
  )
  assert.ok(records.length > 0)
  await power.checkAlive()
})

test('every record is there once, final, and no anchor is left over', async () => {
  const devnet = await starting
  const { client } = nodeAt(devnet, CUSTODIAN)
  await eventually('everything is anchored', SETTLE_MS, async () => {
    const { records: counts } = await client.status()
    return counts.anchored === counts.accepted ? true : undefined
  })
  const anchors = new Map<string, string>()
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof client.records>> = await client.records(
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    )
    for (const { id, transactionId } of page.items) {
      assert.ok(transactionId !== null, `${id} has no anchor`)
      assert.ok(!anchors.has(id), `${id} is there twice`)
      anchors.set(id, transactionId)
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  const promised = new Set(records.map(({ id }) => id))
  assert.equal(promised.size, records.length, 'an id for two records')
  for (const id of promised) assert.ok(anchors.has(id), `${id} was accepted and is gone`)
  assert.equal(anchors.size, promised.size, 'records that nobody was promised')
  const known = new Set(anchors.values())
  const onChain = await anchorsOnChain(devnet, nodeAt(devnet, CUSTODIAN).name)
  assert.deepEqual(
    onChain.filter((id) => !known.has(id)),
    [],
    'anchors of which no record knows',
  )
  assert.equal(onChain.length, known.size)
})

test('all of it is read at another hospital', async () => {
  const devnet = await starting
  const step = Math.ceil(records.length / READS_MAX)
  const chosen = records.filter((_, index) => index % step === 0)
  const reader = nodeAt(devnet, READER)
  const bytes = await readAll(reader, chosen, await grantAll(devnet, chosen, reader))
  const { records: strength } = await nodeAt(devnet, CUSTODIAN).client.vault()
  assert.equal(strength.lost, 0)
  process.stdout.write(`figure: ${chosen.length} records (${bytes} bytes) read, none lost\n`)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function answers(client: Client, power: Power): Promise<void> {
  try {
    await eventually('the custodian answers', START_MS, async () => {
      await client.status()
      return true
    })
  } catch (error) {
    await power.checkAlive()
    throw error
  }
}

async function submitUntilTaken(
  devnet: Devnet,
  source: Source,
  patience: AbortSignal,
): Promise<void> {
  const { client } = nodeAt(devnet, CUSTODIAN)
  const options = { contentType: source.contentType, idempotencyKey: source.name.replace(' ', '-') }
  for (;;) {
    try {
      const taken = await client.submitRecords(source.bytes, options)
      records.push(...spreadRecordsOf(source, taken.records, CUSTODIAN))
      return
    } catch (error) {
      if (!(error instanceof ApiProblem) || patience.aborted) throw error
      again += 1
      await pause(AGAIN_MS)
    }
  }
}

async function anchorsOnChain({ nodes }: Devnet, submitter: string): Promise<string[]> {
  const found: string[] = []
  const client = nodes[READER]?.client
  assert.ok(client !== undefined)
  const { chain } = await client.status()
  for (let height = 1; height <= chain.height; height += 1) {
    const { contents } = await client.block(height)
    for (const { id, kind, organisation } of contents) {
      if (kind === 'record.anchor' && organisation === submitter) found.push(id)
    }
  }
  return found
}

test.run()
