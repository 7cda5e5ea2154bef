// The frame of a benchmark, which is a program of its own beside the package that it measures:
//
//   await runBench({
//     name: 'journal',
//     what: 'what a vote waits for',
//     options: { rounds: 1_000 },   // --rounds 500; the types follow from these
//     quick: { rounds: 20 },        // the same with --quick: seconds, to see that the program works
//     run: async ({ options, give, say }) => {
//       say('filling the journal')  // progress, on standard error
//       give('append and sync p50', 'ms', 1.2, { at: { votes: 1 }, target: { under: 5 } })
//     },
//   })
//
// `run` is called `--runs` times (three if nothing else is said) and gives the same figures each time. With
// --json one document goes to standard output and nothing else; without it, a table.

import { parseArgs, type ParseArgsConfig } from 'node:util'
import { type BenchResult, type Figure, isSameFigure, type Labels, type Target } from './figures.ts'
import { describeMachine } from './machine.ts'
import { tableOf } from './table.ts'

type Options = Record<string, number | boolean | string>

export interface Given {
  readonly at?: Labels
  readonly target?: Target
}

export type Give = (name: string, unit: string, value: number, given?: Given) => void

export interface Run<O extends Options> {
  readonly options: O
  readonly isQuick: boolean
  readonly give: Give
  /** Said once, however many runs say it. */
  readonly note: (line: string) => void
  readonly say: (line: string) => void
}

export interface Bench<O extends Options> {
  readonly name: string
  readonly what: string
  readonly options: O
  readonly quick?: Partial<O>
  readonly runs?: number
  run(run: Run<O>): Promise<void> | void
}

const RUNS = 3

export async function runBench<O extends Options>(bench: Bench<O>): Promise<void> {
  const { flags, options } = readOptions(bench)
  const runs = flags.runs ?? (flags.quick ? 1 : (bench.runs ?? RUNS))
  const figures: Figure[] = []
  const notes = new Set<string>()
  for (let run = 1; run <= runs; run += 1) {
    const say = (line: string) => process.stderr.write(`${bench.name} ${run}/${runs}: ${line}\n`)
    const give: Give = (name, unit, value, { at = {}, target = null } = {}) => {
      const known = figures.find((figure) => isSameFigure(figure, { name, at }))
      if (known === undefined) figures.push({ name, unit, at, values: [value], target })
      else known.values.push(value)
    }
    const note = (line: string) => notes.add(line)
    await bench.run({ options, isQuick: flags.quick, give, note, say })
  }
  const result: BenchResult = {
    bench: bench.name,
    what: bench.what,
    command: ['npm run bench --', bench.name, ...process.argv.slice(2)]
      .filter((word) => word !== '--json')
      .join(' '),
    runs,
    isQuick: flags.quick,
    machine: await describeMachine(),
    figures,
    notes: [...notes],
  }
  process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : `${tableOf(result)}\n`)
}

function readOptions<O extends Options>({ options: defaults, quick }: Bench<O>) {
  const config: NonNullable<ParseArgsConfig['options']> = {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    runs: { type: 'string' },
  }
  for (const [name, value] of Object.entries(defaults)) {
    config[name] = { type: typeof value === 'boolean' ? 'boolean' : 'string' }
  }
  const { values } = parseArgs({ options: config })
  const options = { ...defaults, ...(values['quick'] === true ? quick : {}) }
  for (const [name, fallback] of Object.entries(defaults)) {
    const given = values[name]
    if (given === undefined) continue
    const isNumber = typeof fallback === 'number' && typeof given === 'string'
    Object.assign(options, { [name]: isNumber ? readNumber(name, given) : given })
  }
  const runs = typeof values['runs'] === 'string' ? readNumber('runs', values['runs']) : null
  const flags = { json: values['json'] === true, quick: values['quick'] === true, runs }
  return { flags, options }
}

function readNumber(name: string, text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) {
    throw new RangeError(`--${name} ${text}: a number is needed`)
  }
  return value
}
