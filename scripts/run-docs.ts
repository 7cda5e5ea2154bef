/*
 * Runs the commands of documents, as a reader would type them.
 *
 *   node scripts/run-docs.ts README.md docs/tutorial.md [--timeout <seconds per document>]
 *
 * The `sh test` blocks of a document run in order in one bash in the current folder, so a variable set
 * in one is there in the next; the first command that fails ends the document. A network to talk to
 * comes from the environment (MOORING_ENDPOINT and the like). A document without such a block is a
 * failure. The last line, `N passed, N failed`, counts blocks.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { testBlocks } from './doc-blocks.ts'
import { killAllOnSignal, runProcess } from './run-process.ts'

killAllOnSignal()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { timeout: { type: 'string', default: '120' } },
})

let passed = 0
let failed = positionals.length === 0 ? 1 : 0
for (const path of positionals) {
  const blocks = testBlocks(readFileSync(path, 'utf8'))
  const mark = (line: number) => `--- ${path}:${line}`
  const script = blocks.map(({ line, commands }) => `echo '${mark(line)}'\n${commands}\n`)
  const args = ['-euo', 'pipefail', '-c', script.join('')]
  const ended = await runProcess('bash', args, Number(values.timeout) * 1000)
  const started = blocks.filter(({ line }) => ended.stdout.includes(mark(line)))
  if (ended.code === 0 && blocks.length > 0 && started.length === blocks.length) {
    passed += blocks.length
    console.log(`ok    ${path}  ${blocks.length}`)
    continue
  }
  passed += Math.max(0, started.length - 1)
  failed += 1
  const reason = ended.timedOut
    ? `not finished after ${values.timeout} s`
    : `exit code ${ended.code}`
  const where = started.at(-1)?.line
  if (where === undefined) console.log(`FAIL  ${path}  has no block that ran`)
  else console.log(`FAIL  ${path}:${where}  ${reason}\n${ended.output}`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
