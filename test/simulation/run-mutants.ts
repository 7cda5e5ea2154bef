/*
 * Takes the rules of agreement away one by one and counts the seeds until the oracle notices.
 *
 *   npm run sim:mutants -- [--seeds <most>] [--name <pattern>] [--jobs <n>]
 *
 * Each mutant runs in a process of its own over a copy of the source that exists in memory only. A
 * mutant that survives is a hole in the simulation, and a failure. The last line counts both.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

async function hunt({ name, nodes }: Mutant): Promise<Verdict> {
  const load = ['--disable-warning=ExperimentalWarning', '--import', pathOf('./mutate.ts')]
  const what = ['--first', '--seeds', values.seeds, '--jobs', values.jobs]
  const args = [...load, pathOf('./run.ts'), ...what, '--nodes', nodes ?? '4..10']
  const child = spawn(process.execPath, args, { env: { ...process.env, MUTANT: name } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  await once(child, 'close')
  const [, passed = '0', failed = ''] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? []
  if (failed === '') throw new Error(`the run with "${name}" did not end well:\n${output}`)
  const [, by = ''] = /^FAIL {2}seed [^:]+: (.*)$/m.exec(output) ?? []
  return { isCaught: Number(failed) > 0, by, seeds: Number(passed) + Number(failed) }
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
