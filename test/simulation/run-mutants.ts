/*
 * Takes the rules of agreement away one by one and counts the seeds until the oracle notices.
 *
 *   npm run sim:mutants -- [--seeds <most>] [--name <pattern>] [--jobs <n>]
 *
 * Each mutant runs in a process of its own over a copy of the source that exists in memory only. What
 * the simulation does not notice is shown to the tests of the package: some rules only save time, and
 * signatures are not real in a simulation. A mutant that survives both is a hole, and a failure. The
 * last line counts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MUTANTS, type Mutant } from './mutants.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    name: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
  },
})

interface Verdict {
  readonly isCaught: boolean
  readonly by: string
  readonly seeds: number
}

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

async function run(name: string, program: string, args: string[]): Promise<string> {
  const load = ['--disable-warning=ExperimentalWarning', '--import', pathOf('./mutate.ts')]
  const env = { ...process.env, MUTANT: name }
  const child = spawn(process.execPath, [...load, program, ...args], { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  await once(child, 'close')
  return output
}

async function simulate({ name, nodes, world }: Mutant): Promise<Verdict> {
  const args = [
    '--world',
    world ?? 'core',
    '--first',
    '--unshrunk',
    '--seeds',
    values.seeds,
    '--jobs',
    values.jobs,
  ]
  const output = await run(name, pathOf('./run.ts'), [...args, '--nodes', nodes ?? '4..10'])
  const [, passed = '0', failed = ''] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? []
  if (failed === '') throw new Error(`the run with "${name}" did not end well:\n${output}`)
  const [, by = ''] = /^FAIL {2}seed [^:]+: (.*)$/m.exec(output) ?? []
  return { isCaught: Number(failed) > 0, by, seeds: Number(passed) + Number(failed) }
}

/** The first test that fails, of those named or of the package. */
async function testSteps({ name, file: changed, tests }: Mutant): Promise<string | null> {
  const home = changed.includes('/')
    ? changed.split('/').slice(0, 2).join('/')
    : 'packages/consensus'
  const folder = pathOf(`../../${home}/test/`)
  const own = readdirSync(folder).filter((entry) => entry.endsWith('.test.ts'))
  const files = tests?.map((file) => pathOf(`../../${file}`)) ?? own.map((file) => folder + file)
  for (const file of files) {
    const output = await run(name, file, [])
    const failed = /FAIL {2}"(.*)"/.exec(output)
    if (failed !== null) return `${basename(file)}: ${failed[1] ?? ''}`
  }
  return null
}

async function hunt(mutant: Mutant): Promise<Verdict> {
  const unseen = { isCaught: false, by: '', seeds: 0 }
  const verdict = mutant.tests === undefined ? await simulate(mutant) : unseen
  if (verdict.isCaught) return verdict
  const failed = await testSteps(mutant)
  return failed === null ? verdict : { ...verdict, isCaught: true, by: `test ${failed}` }
}

let caught = 0
const wanted = MUTANTS.filter(({ name }) => new RegExp(values.name).test(name))
console.log('| mutant | noticed by | seeds |\n| --- | --- | --- |')
for (const mutant of wanted) {
  const { isCaught, by, seeds } = await hunt(mutant)
  if (isCaught) caught += 1
  console.log(`| ${mutant.name} | ${isCaught ? by.slice(0, 90) : '**survives**'} | ${seeds} |`)
}
console.log(`${caught} passed, ${wanted.length - caught} failed`)
process.exitCode = caught === wanted.length ? 0 : 1
