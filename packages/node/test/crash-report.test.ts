import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { readCrashReports, writeCrashReport } from '../src/crash-report.ts'

const NOW = Date.UTC(2026, 10, 20, 9, 30)

async function inHome(scenario: (home: string) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'mooring-crash-'))
  try {
    await scenario(home)
  } finally {
    rmSync(home, { recursive: true })
  }
}

test('a crash report has the error with its causes, the last lines, and is for the owner alone', () =>
  inHome(async (home) => {
    const cause = Object.assign(new Error('disk gone'), { code: 'EIO' })
    const error = new TypeError('x is not a function', { cause })
    const recent = ['{"message":"new height","height":7}']
    const path = writeCrashReport(error, { home, now: new Date(NOW), recent })
    assert.equal(path, join(home, 'logs', 'crash-2026-11-20T09-30-00-000Z.json'))
    assert.equal(statSync(path ?? '').mode & 0o777, 0o600)
    const [kept] = await readCrashReports(home)
    const text = JSON.stringify(kept)
    assert.match(text, /"schema":"mooring\/crash\/v1"/)
    assert.match(text, /"name":"TypeError","message":"x is not a function","stack":"TypeError/)
    assert.match(text, /"cause":\{"name":"Error","code":"EIO","message":"disk gone"/)
    assert.match(text, /"log":\[\{"message":"new height","height":7\}\]/)
  }))

test('ten reports are kept, the newest', () =>
  inHome(async (home) => {
    for (let minute = 0; minute < 14; minute += 1) {
      const now = new Date(NOW + minute * 60_000)
      assert.ok(writeCrashReport(new Error(`number ${minute}`), { home, now, recent: [] }))
    }
    const names = readdirSync(join(home, 'logs')).toSorted()
    assert.equal(names.length, 10)
    assert.match(names[0] ?? '', /09-34/)
    assert.match(JSON.stringify((await readCrashReports(home))[0]), /number 13/)
  }))

test('a report that cannot be written is no second crash', () => {
  const place = { home: import.meta.filename, now: new Date(NOW), recent: [] }
  assert.equal(writeCrashReport(new Error('x'), place), undefined)
})

test.run()
