/*
 * The runner on one fixture per way in which uvu says that all is well when it is not.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'

const RUNNER = join(import.meta.dirname, '..', 'test.ts')
const FIXTURES = join(import.meta.dirname, 'fixtures')

function run(args: string[], env = process.env): Promise<{ code: number | null; lines: string[] }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [RUNNER, ...args], { cwd: FIXTURES, env })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.on('close', (code) => resolve({ code, lines: stdout.trimEnd().split('\n') }))
  })
}

const TRAPS: Record<string, RegExp> = {
  failing: /1 of 2 tests failed/,
  'forgotten-run': /no test ran/,
  'late-test': /no test\.run\(\) after the last/,
  'forgotten-suite': /no sums\.run\(\) after the last/,
  only: /1 tests skipped/,
  'only-only': /was left in/,
  skip: /1 tests skipped/,
  'before-throws': /1 of 1 tests failed/,
  'after-throws': /no test ran/,
  'after-each-throws': /1 of 1 tests failed/,
  'throws-null': /1 of 1 tests failed/,
  'throws-string': /1 of 1 tests failed/,
  'never-settles': /no test ran/,
  'fails-late': /exit code 3 after green tests/,
  killed: /killed by SIGTERM/,
  'exits-early': /no test ran/,
  'exits-77': /exit code 77 outside test\/host/,
  imitates: /1 of 1 tests failed/,
  'test/host/skips-silently': /without a line "skip/,
}
const traps = run(Object.keys(TRAPS).map((name) => `${name}.fixture.ts`))

for (const [name, reason] of Object.entries(TRAPS)) {
  test(`${name} is red`, async () => {
    const { lines } = await traps
    const line = lines.find((text) => text.startsWith(`FAIL  ${name}.fixture.ts  `))
    assert.match(line ?? 'not reported', reason)
  })
}

test('the totals count tests, and one failure for a file that is red without a failing test', async () => {
  const { code, lines } = await traps
  assert.equal(code, 1)
  assert.equal(lines.at(-1), `7 passed, ${Object.keys(TRAPS).length} failed`)
})

test('a file that does not end is red after its time', async () => {
  const { code, lines } = await run(['hangs.fixture.ts', '--timeout', '1'])
  assert.equal(code, 1)
  assert.match(lines[0] ?? '', /^FAIL {2}hangs.* not finished after 1 s/)
  assert.equal(lines.at(-1), '1 passed, 1 failed')
})

test('an honest file is green and its output is not shown', async () => {
  const { code, lines } = await run(['honest.fixture.ts'])
  assert.equal(code, 0)
  assert.match(lines[0] ?? '', /^ok {4}honest\.fixture\.ts {2}2 {2}\d+\.\d s$/)
  assert.deepEqual(lines.slice(1), ['2 passed, 0 failed'])
})

test('of a green file the figures are shown, and nothing that could be taken for a total', async () => {
  const { code, lines } = await run(['measures.fixture.ts'])
  assert.equal(code, 0)
  assert.deepEqual(lines.slice(1), ['      recovered after 0.4 s', '1 passed, 0 failed'])
})

test('colours do not hide the counts', async () => {
  const { code, lines } = await run(['honest.fixture.ts'], { ...process.env, FORCE_COLOR: '1' })
  assert.equal(code, 0)
  assert.equal(lines.at(-1), '2 passed, 0 failed')
})

test('a process that a test leaves behind does not hold the run', async () => {
  const { code, lines } = await run(['leaves-a-process.fixture.ts', '--timeout', '20'])
  assert.equal(code, 0)
  assert.equal(lines.at(-1), '1 passed, 0 failed')
})

test('a host test that says why it skips counts as neither and is listed at the end', async () => {
  const { code, lines } = await run(['test/host/skips.fixture.ts', 'honest.fixture.ts'])
  assert.equal(code, 0)
  assert.deepEqual(lines.slice(-2), [
    'skip  test/host/skips.fixture.ts  no container engine here',
    '2 passed, 0 failed',
  ])
})

test('files are run once each and shown in full only when red', async () => {
  const { code, lines } = await run([
    'failing.fixture.ts',
    'honest.fixture.ts',
    './honest.fixture.ts',
  ])
  assert.equal(code, 1)
  assert.equal(lines.filter((line) => line.includes('honest.fixture.ts  2')).length, 1)
  assert.ok(lines.some((line) => line.includes('one and one is three')))
  assert.equal(lines.at(-1), '3 passed, 1 failed')
})

test('a folder without tests is red, also beside one that has some', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'mooring-empty-'))
  try {
    for (const folder of [empty, 'no-such-folder']) {
      const { code, lines } = await run([folder, 'honest.fixture.ts'])
      assert.equal(code, 1)
      assert.match(lines[0] ?? '', /holds no test file$/)
      assert.equal(lines.at(-1), '2 passed, 1 failed')
    }
  } finally {
    rmdirSync(empty)
  }
})

test('the pattern narrows the files, and one that matches none is red', async () => {
  const files = ['honest.fixture.ts', 'failing.fixture.ts']
  const narrowed = await run([...files, '--name', 'hon'])
  assert.deepEqual([narrowed.code, narrowed.lines.at(-1)], [0, '2 passed, 0 failed'])
  const none = await run([...files, '--name', 'nothing-is-called-this'])
  assert.deepEqual([none.code, none.lines.at(-1)], [1, '0 passed, 1 failed'])
})

test.run()
