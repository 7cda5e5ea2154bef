/*
 * Runs many seeds on all cores, or follows one.
 *
 *   npm run sim -- [--seeds <n>] [--from <seed>] [--nodes <a>..<b>] [--world core|whole|both]
 *                  [--jobs <n>] [--first] [--unshrunk]
 *   npm run sim -- --seed <seed> [--nodes <a>..<b>] [--world <one>] [--without <reductions>] [--trace]
 *
 * Two worlds take turns: `core` is the state machine of agreement alone, fast and with every liberty;
 * `whole` is the code of a node around it, on simulated networks, disks and clocks.
 *
 * A seed means the same run on every machine, for the same range of nodes. A seed of the core that fails
 * is made as small as it goes before it is printed (not with `--unshrunk`), and the printed command runs
 * that. `--trace` prints every step of one seed; `--first` ends at the first failure. In a long campaign,
 * whatever the runs are meant to reach and never reached is a failure too. The last line says how many
 * seeds passed and failed.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Campaign } from './campaign.ts'
import { ENOUGH_SEEDS, MUST_REACH } from './must-reach.ts'
import type { Sizes } from './plan.ts'
import type { SeedResult } from './seed-result.ts'
import { traceOf } from './trace-seed.ts'
import { WHOLE_MUST_REACH } from './whole/must-reach.ts'
import { isWorldChoice, type WorldChoice, worldOf } from './worlds.ts'

const ENOUGH_WHOLE_SEEDS = 300

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    world: { type: 'string', default: 'both' },
    nodes: { type: 'string', default: '4..10' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    without: { type: 'string', default: '' },
    trace: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    unshrunk: { type: 'boolean', default: false },
  },
})

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new RangeError(`a whole number is needed, not "${text}"`)
}

function sizesOf(text: string): Sizes {
  const [low = text, high = low] = text.split('..')
  const sizes = { low: wholeNumber(low), high: wholeNumber(high) }
  if (sizes.low >= 1 && sizes.high >= sizes.low) return sizes
  throw new RangeError(`a range of nodes is needed, not "${text}"`)
}

function worldChoiceOf(text: string): WorldChoice {
  if (isWorldChoice(text)) return text
  throw new RangeError(`a world is core, whole or both, not "${text}"`)
}

async function runOne(seed: number): Promise<boolean> {
  const without = values.without.split(',').filter((name) => name !== '')
  const world = worldOf(seed, worldChoiceOf(values.world))
  const { lines, holds } = await traceOf(seed, sizesOf(values.nodes), { world, without })
  console.log((values.trace ? lines : lines.slice(-1)).join('\n'))
  return holds
}

function tellFailure({ seed, world, failure }: SeedResult): void {
  if (failure === null) return
  const { detail, shrunkDetail, reductions } = failure
  console.log(`FAIL  ${detail}`)
  const without = reductions.length === 0 ? '' : ` --without ${reductions.join(',')}`
  if (without !== '') console.log(`      smaller: ${shrunkDetail}`)
  const which = `--world ${world} --seed ${seed} --nodes ${values.nodes}${without}`
  console.log(`      npm run sim -- ${which} --trace`)
}

function missedBy({ passed, passedWhole, counters }: Campaign): string[] {
  const wanted = [
    ...(passed - passedWhole >= ENOUGH_SEEDS ? MUST_REACH : []),
    ...(passedWhole >= ENOUGH_WHOLE_SEEDS ? WHOLE_MUST_REACH.map((what) => `whole: ${what}`) : []),
  ]
  return wanted.filter((what) => !counters.has(what))
}

async function runMany(): Promise<boolean> {
  const campaign = new Campaign({
    from: wholeNumber(values.from),
    seeds: wholeNumber(values.seeds),
    sizes: sizesOf(values.nodes),
    choice: worldChoiceOf(values.world),
    jobs: wholeNumber(values.jobs),
    stopsAtFirst: values.first,
    isShrinking: !values.unshrunk,
    onFailure: tellFailure,
  })
  const begun = performance.now()
  await campaign.run()
  const seconds = (performance.now() - begun) / 1_000
  const { passed, failed, counters, steps } = campaign
  const sorted = [...counters].toSorted(([a], [b]) => a.localeCompare(b))
  for (const [what, count] of sorted) console.log(`${String(count).padStart(9)}  ${what}`)
  const missed = missedBy(campaign)
  if (missed.length > 0) console.log(`FAIL  never reached: ${missed.join(', ')}`)
  const rate = ((passed + failed) / seconds).toFixed(1)
  const pace = `${rate} seeds/s, ${Math.round(steps / seconds)} steps/s`
  console.log(`${pace}, finality at most ${campaign.slowestMs} ms after the calm`)
  const failures = failed + (missed.length > 0 ? 1 : 0)
  console.log(`${passed} passed, ${failures} failed`)
  return failures === 0
}

const seed = values.seed ?? (values.trace ? values.from : undefined)
process.exitCode = (await (seed === undefined ? runMany() : runOne(wholeNumber(seed)))) ? 0 : 1
