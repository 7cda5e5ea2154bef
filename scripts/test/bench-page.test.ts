// docs/performance.md and its charts say what the kept results say, and nothing else.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import { CATALOGUE } from '../bench/catalogue.ts'
import { filesOf, readSaved, type Saved } from '../bench/saved.ts'
import { drawChart } from '../bench/svg.ts'
import { sampleResult } from './sample-result.ts'

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url))

const written = 'npm run bench -- --write'

test('the page and the charts are what the program makes of the kept results', async () => {
  const files = filesOf(await readSaved(DOCS))
  for (const [path, text] of files) {
    assert.equal(readFileSync(join(DOCS, path), 'utf8'), text, `${path}: ${written}`)
  }
  const drawn = readdirSync(join(DOCS, 'performance')).filter((name) => name.endsWith('.svg'))
  assert.deepEqual(
    drawn.map((name) => `performance/${name}`).filter((path) => !files.has(path)),
    [],
  )
})

test('what is kept was measured, by benchmarks that are there', async () => {
  const { results, remarks } = await readSaved(DOCS)
  for (const { bench, isQuick, figures } of results) {
    assert.ok(CATALOGUE[bench] !== undefined, bench)
    assert.ok(!isQuick && figures.length > 0, bench)
  }
  for (const bench of Object.keys(remarks)) assert.ok(CATALOGUE[bench] !== undefined, bench)
})

const saved = (rates: readonly number[]): Saved => ({
  results: [
    sampleResult(
      rates.map((rate) => ({
        name: 'final, p50',
        unit: 'ms',
        at: { authorities: 4, rate },
        values: [10 * rate, 12 * rate, 15 * rate],
        target: rate === 100 ? { under: 25 } : null,
      })),
    ),
  ],
  optimisations: [
    { what: 'one|two', measure: 'CPU', unit: 'µs', before: 300, after: 200, command: 'npm run x' },
  ],
  remarks: { consensus: ['The signatures are the limit.'] },
})

test('a chart is drawn when there is more than one point, and the page shows it', () => {
  const files = filesOf(saved([1, 100]))
  const page = files.get('performance.md') ?? ''
  assert.ok(files.get('performance/finality.svg')?.startsWith('<svg '))
  assert.ok(page.includes('(performance/finality.svg)'))
  assert.ok(page.includes('| 1,200 ms | 1,000 .. 1,500 | under 25 | missed |'))
  assert.ok(page.includes('The signatures are the limit.') && page.includes('| one\\|two |'))
  assert.deepEqual([...filesOf(saved([1])).keys()], ['performance.md'])
})

test('every mark of a chart is inside of it, whatever the values', () => {
  for (const scale of ['linear', 'log'] as const) {
    for (const values of [
      [0.004, 7e6],
      [3, 3],
      [1, 1_000, 12],
    ]) {
      const points = values.map((y, x) => ({ x: x + 1, y, low: y / 2, high: y }))
      const svg = drawChart({
        title: 'a < b',
        x: { label: 'x', scale },
        y: { label: 'y', scale },
        lines: [0, 1, 2, 3, 4, 5].map((name) => ({ name: `line ${name}`, points })),
      })
      assert.ok(!svg.includes('NaN') && !svg.includes('Infinity'), `${scale} ${values.join(' ')}`)
      for (const [, x, y] of svg.matchAll(/<circle [^>]*cx="([^"]+)" cy="([^"]+)"/g)) {
        assert.ok(Number(x) >= 0 && Number(x) <= 720 && Number(y) >= 0 && Number(y) <= 360)
      }
    }
  }
})

test.run()
