import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { failureOf } from '../src/error-text.ts'
import { formatFile, prepareHomeFormat, readHomeFormat } from '../src/home-format.ts'
import { NodeError } from '../src/node-error.ts'
import { readVersion } from '../src/version.ts'

async function inData(work: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mooring-format-'))
  try {
    await work(dataDir)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}

test('acceptance 18: a home without a format is brought to the present one, once', () =>
  inData(async (dataDir) => {
    assert.equal(await readHomeFormat(dataDir), null)
    assert.equal(await prepareHomeFormat(dataDir), 0)
    assert.deepEqual(await readHomeFormat(dataDir), { format: 1, mooring: readVersion() })
    assert.equal(await prepareHomeFormat(dataDir), 1)
  }))

test('acceptance 18: a home of a newer version is refused with exit code 13 and not touched', () =>
  inData(async (dataDir) => {
    const text = 'format 2 mooring 9.1.0\n'
    await writeFile(formatFile(dataDir), text)
    const refused = await prepareHomeFormat(dataDir).catch((error: unknown) => error)
    assert.ok(refused instanceof NodeError)
    assert.equal(refused.code, 'home_newer')
    const { entry, what, where } = failureOf(refused)
    assert.equal(entry.exitCode, 13)
    assert.match(`${what} ${where}`, /9\.1\.0/)
    assert.equal(await readFile(formatFile(dataDir), 'utf8'), text)
  }))

test('a format that nobody can read may be that of a newer version, and is refused like one', () =>
  inData(async (dataDir) => {
    for (const text of ['', 'format x\n', '{"format":2}', 'format 1 mooring 0.1.0']) {
      await writeFile(formatFile(dataDir), text)
      await assert.rejects(prepareHomeFormat(dataDir), { code: 'home_newer' }, JSON.stringify(text))
    }
  }))

test.run()
