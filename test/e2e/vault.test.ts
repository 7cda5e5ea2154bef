// Patients of five hospitals, of which any two burn down: switched off, and what was on their disks
// deleted. A third reads every record of all five under the patients' grants, before anything is repaired;
// then the two come back with nothing but their keys and guards, and the vault is made whole again.
//
//   npx node test/e2e/vault.test.ts [pair, as 1,3 | all]
//
// Without an argument one of the ten pairs, by the seed that is printed. With CI=true every fourth record
// is read while they are away, and all of them are at full strength in the end.

import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { randomOf } from '../simulation/random.ts'
import { acknowledge, type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { type Grants, grantAll, readAll } from './granted-reads.ts'
import { type SpreadRecord, spread } from './provider-spread.ts'
import { HAS_SHARED_DATA, sharedSources } from './sources.ts'

const FOLDERS = ['synthea-2019-r4', 'synthea-2021-r4']
const GENERATED = 12
const HOSPITALS = 5
const READ_STEP = process.env['CI'] === 'true' ? 4 : 1
// Afterwards some are enough.
const SAMPLE_STEP = 8
const STALL_MS = 90_000
const BACK_MS = 240_000
const PAIRS: readonly (readonly [number, number])[] = [0, 1, 2, 3].flatMap((a) =>
  [1, 2, 3, 4].filter((b) => b > a).map((b): [number, number] => [a, b]),
)

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const pairs = chosenPairs(process.argv[2])
const starting = startDevnet(`-n ${HOSPITALS}`)

let records: SpreadRecord[] = []
const grantsOf = new Map<number, Grants>()

test('patients are spread over the hospitals that treated them, and grant others to read', async () => {
  process.stdout.write(`SEED=${SEED}, pairs ${pairs.map((pair) => pair.join('+')).join(' ')}\n`)
  const devnet = await starting
  const sources = sharedSources(FOLDERS, GENERATED)
  records = await spread(devnet, sources)
  for (const node of devnet.nodes) {
    const own = records.filter(({ custodian }) => custodian === node.index)
    await acknowledge(devnet, node, own)
    assert.ok(own.length > 0 || !HAS_SHARED_DATA, `${node.name} has no patients`)
  }
  for (const reader of new Set(pairs.map(readerBeside))) {
    grantsOf.set(reader, await grantAll(devnet, records, nodeAt(devnet, reader)))
  }
  const counts = devnet.nodes.map(
    ({ index }) => records.filter(({ custodian }) => custodian === index).length,
  )
  const what = HAS_SHARED_DATA ? FOLDERS.join(' and ') : 'generated patients'
  process.stdout.write(`figure: ${records.length} records of ${what}, spread ${counts.join('+')}\n`)
})

for (const pair of pairs) {
  const which = READ_STEP === 1 ? 'every record' : `every ${READ_STEP}th record`
  test(`without hospitals ${pair.join(' and ')} ${which} is read, and they come back`, async () => {
    const devnet = await starting
    await burn(devnet, pair)
    await readAt(devnet, pair, oneOf(records, READ_STEP))
    await comeBack(devnet, pair)
    await readAt(devnet, pair, oneOf(records, SAMPLE_STEP))
  })
}

test('what was acknowledged is kept, final, and at full strength', async () => {
  const devnet = await starting
  const { stdout } = await devnet.succeed('devnet check', { timeoutMs: BACK_MS })
  process.stdout.write(stdout)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

const oneOf = <T>(all: readonly T[], step: number): T[] =>
  all.filter((_, index) => index % step === 0)

async function burn(devnet: Devnet, pair: readonly number[]): Promise<void> {
  await devnet.succeed(`devnet kill ${pair.join(' ')}`)
  for (const index of pair) {
    await rm(join(nodeAt(devnet, index).home, 'data'), { recursive: true })
  }
  await eventually('the chain stalls', STALL_MS, async () => {
    const { consensus } = await nodeAt(devnet, readerBeside(pair)).client.status()
    return consensus.stall === null ? undefined : true
  })
}

async function readAt(
  devnet: Devnet,
  pair: readonly number[],
  chosen: readonly SpreadRecord[],
): Promise<void> {
  const reader = nodeAt(devnet, readerBeside(pair))
  const grants = grantsOf.get(reader.index)
  assert.ok(grants !== undefined)
  const started = performance.now()
  const bytes = await readAll(reader, chosen, grants, { areFinal: true })
  const seconds = (performance.now() - started) / 1_000
  process.stdout.write(
    `figure: ${chosen.length} records (${(bytes / 1e6).toFixed(1)} MB) read at ${reader.name} ` +
      `in ${seconds.toFixed(1)} s, ${(chosen.length / seconds).toFixed(0)}/s\n`,
  )
}

async function comeBack(devnet: Devnet, pair: readonly number[]): Promise<void> {
  await devnet.succeed(`devnet restart ${pair.join(' ')} --timeout 120s`, { timeoutMs: BACK_MS })
  for (const { index, name, client } of devnet.nodes) {
    const own = new Set(records.flatMap(({ id, custodian }) => (custodian === index ? [id] : [])))
      .size
    await eventually(`${name} knows its records again`, BACK_MS, async () => {
      const vault = await client.vault()
      return vault.records.total === own ? true : undefined
    })
    const home = ['--home', nodeAt(devnet, index).home]
    const repair = await devnet.succeed([...home, 'vault', 'repair'], { timeoutMs: BACK_MS })
    const verify = await devnet.succeed([...home, 'vault', 'verify'], { timeoutMs: BACK_MS })
    const { records: strength } = await client.vault()
    assert.equal(strength.full, own, `${name}\n${repair.stdout}${verify.stdout}`)
  }
}

// Some hospital that is not of the pair.
function readerBeside(pair: readonly number[]): number {
  return [0, 1, 2].find((index) => !pair.includes(index)) ?? 0
}

function chosenPairs(argument: string | undefined): readonly (readonly [number, number])[] {
  if (argument === 'all') return PAIRS
  if (argument === undefined) return [randomOf(SEED).pick(PAIRS)]
  const found = PAIRS.find((pair) => pair.join() === argument)
  assert.ok(found !== undefined, `no pair ${argument}`)
  return [found]
}

test.run()
