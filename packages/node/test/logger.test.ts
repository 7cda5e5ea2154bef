import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { LOG_EVENTS } from '../src/log-events.ts'
import { createLogger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'

const CALL =
  /(?:[lL]ogger|\blog)(?:\?\.)?(?:\.module\('\w+'\))?(?:\.(?:trace|debug|info|warn|error|log))?\(\s*(?:(?:'(?:trace|debug|info|warn|error)'|level),\s*)?(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`([^`]*)`)/g
const LEVEL = /^(trace|debug|info|warn|error)$/

// Every sentence that some source of a node hands to the log.
async function loggedSentences(): Promise<Set<string>> {
  const found = new Set<string>()
  const root = join(import.meta.dirname, '..', '..')
  for (const name of ['node', 'network', 'api']) {
    for await (const file of glob(join(root, name, 'src', '**', '*.ts'))) {
      const source = (await readFile(file, 'utf8')).replaceAll(/^\s*\/\/.*$/gm, '')
      for (const [, single, double, template] of source.matchAll(CALL)) {
        const sentence = single ?? double ?? template ?? ''
        if (!LEVEL.test(sentence)) found.add(sentence)
      }
    }
  }
  return found
}

function capture(format: 'json' | 'pretty', modules: Record<string, 'debug' | 'error'> = {}) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({ levels: { base: 'info', modules }, format, destination })
  return { lines, logger }
}

test('a line is a constant sentence and its fields', () => {
  const { lines, logger } = capture('json')
  logger.info('a test speaks', { height: 3, view: 4 })
  const line: unknown = JSON.parse(lines[0] ?? '')
  assert.ok(typeof line === 'object' && line !== null && 'time' in line)
  const { time, ...rest } = line
  assert.deepEqual(rest, { level: 'info', height: 3, view: 4, message: 'a test speaks' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/)
})

test('modules have levels of their own, which change while the node runs', () => {
  const { lines, logger } = capture('json', { p2p: 'debug', http: 'error' })
  const p2p = logger.module('p2p')
  const http = logger.module('http')
  logger.debug('not this')
  p2p.debug('peer dialled', { peer: 'riverside' })
  http.warn('not this')
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /"module":"p2p"/)
  logger.setLevels({ base: 'debug', modules: { p2p: 'error' } })
  logger.debug('this')
  p2p.info('not this')
  http.log('debug', 'and this')
  assert.equal(lines.length, 3)
})

test('a line has a code for machines, and each sentence that is logged has one of its own', async () => {
  const { lines, logger } = capture('json')
  logger.module('p2p').log('info', 'peer connected', { peer: 'riverside' })
  assert.equal(JSON.parse(lines[0] ?? '').event, 'peer_connected')
  assert.equal(new Set(LOG_EVENTS.values()).size, LOG_EVENTS.size, 'a code is used twice')
  const logged = await loggedSentences()
  const unnamed = [...logged].filter((sentence) => !LOG_EVENTS.has(sentence))
  assert.deepEqual(unnamed, [], 'give these a code in node/src/log-events.ts')
  const gone = [...LOG_EVENTS.keys()].filter((sentence) => !logged.has(sentence))
  assert.deepEqual(gone, [], 'nothing logs these any more')
})

test('the last lines are kept as JSON, within bounds', () => {
  const { logger } = capture('pretty')
  for (let height = 1; height <= 5_000; height += 1) logger.info('new height', { height })
  const kept = logger.recent()
  assert.equal(kept.length, 2_000)
  assert.equal(JSON.parse(kept.at(-1) ?? '').height, 5_000)
  logger.info('long', { text: 'x'.repeat(600_000) })
  assert.equal(logger.recent().length, 1)
})

test('an operator names further fields that no line shows', () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const levels = { base: 'info', modules: {} } as const
  const logger = createLogger({
    levels,
    format: 'json',
    destination,
    redact: ['*.address', 'peer'],
  })
  logger.info('x', { peer: 'canary', at: { address: 'canary' }, seed: 'canary', height: 3 })
  assert.ok(!lines.join('').includes('canary'))
  assert.ok(!logger.recent().join('').includes('canary'))
  assert.match(lines[0] ?? '', /"height":3/)
})

test('what could open something is redacted at the top and one level down', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { lines, logger } = capture(format)
    logger.warn('key read', {
      seed: 'canary',
      token: 'canary',
      key: { seed: 'canary', passphrase: 'canary' },
      record: { payload: 'canary' },
      peer: 'riverside',
    })
    assert.ok(!lines.join('').includes('canary'), format)
    assert.match(lines.join(''), /riverside/)
  }
})

test('an error with a code is told by it; one without brings its stack', () => {
  const { lines, logger } = capture('json')
  const cause = Object.assign(new Error('disk gone'), { code: 'EIO' })
  const error = Object.assign(new Error('cannot write', { cause }), { code: 'io' })
  logger.error('write failed', { error })
  logger.error('unexpected', { error: new TypeError('x') })
  assert.match(lines[0] ?? '', /"code":"io","message":"cannot write","cause":\{.*"code":"EIO"/)
  assert.ok(!lines[0]?.includes('"stack"'))
  assert.match(lines[1] ?? '', /"stack":"TypeError: x/)
})

test('every metric is named, described and given in the text of a scrape', async () => {
  const metrics = createMetrics()
  try {
    let scrapes = 0
    metrics.beforeScrape(() => {
      scrapes += 1
      metrics.mempoolTransactions.set(7)
    })
    metrics.consensusVotes.inc({ authority: 'st-mary', vote: 'notarize', result: 'on_time' })
    metrics.finality.observe({ origin: 'local' }, 0.3)
    metrics.chainHeight.set(12)
    const text = await metrics.text()
    assert.equal(scrapes, 1)
    assert.match(text, /^mooring_mempool_transactions 7$/m)
    assert.match(text, /^mooring_chain_height 12$/m)
    assert.match(
      text,
      /^mooring_consensus_votes_total\{authority="st-mary",vote="notarize",result/m,
    )
    assert.match(text, /^mooring_finality_seconds_bucket\{le="0\.5",origin="local"\} 1$/m)
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m)
    for (const { name, type, help } of metrics.catalogue()) {
      assert.ok(text.includes(`# HELP ${name} ${help}`), name)
      assert.match(help, /\.$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      assert.match(name, /^mooring(_[a-z0-9]+)+$/)
    }
  } finally {
    metrics.close()
  }
})

test.run()
