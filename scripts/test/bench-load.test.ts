// The load that benchmarks give, over an engine that is a few lines of arithmetic; and what CometBFT is told. No
// peer is started here: whoever has one runs `npm run bench -- consensus --vs cometbft`.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import { OpenLoop, type Plan, rateWithin } from '../bench/load/open-loop.ts'
import { keyValueOf } from '../bench/peers/cometbft-client.ts'
import { findBinary, parseSettings, setAll } from '../bench/peers/cometbft.ts'
import type { EngineClient } from '../bench/peers/engine.ts'
import { peersNamed } from '../bench/peers/engines.ts'
import { signAnchor, strangerAt } from '../bench/peers/payloads.ts'

type OnFinal = (ids: readonly string[], at: number) => void

/** Takes at most so many of a list, each of them once, and calls them final after a while. */
class FakeEngine implements EngineClient {
  readonly nodes = 2
  readonly taken: string[] = []
  readonly againMs = 5
  readonly #takenMax: number
  readonly #finalMs: number
  #onFinal: OnFinal = () => undefined

  constructor({ takenMax = 200, finalMs = 1 }) {
    this.#takenMax = takenMax
    this.#finalMs = finalMs
  }

  prepare(node: number, count: number) {
    const bytes = new Uint8Array(1)
    return Array.from({ length: count }, (_, index) => ({ id: `${node}/${index}`, bytes }))
  }

  submit(_: number, payloads: readonly { id: string }[]): Promise<number> {
    const ids = payloads.slice(0, this.#takenMax).map(({ id }) => id)
    this.taken.push(...ids)
    setTimeout(() => this.#onFinal(ids, performance.now()), this.#finalMs)
    return Promise.resolve(ids.length)
  }

  observe(_: number, onFinal: OnFinal): Promise<void> {
    this.#onFinal = onFinal
    return Promise.resolve()
  }

  close(): void {
    this.taken.length = 0
  }
}

const plan = (given: Partial<Plan>): Plan => ({
  transactions: 40,
  rate: 1_000,
  windowMax: 0,
  patienceMs: 5_000,
  isCut: false,
  nodes: [0, 1],
  observers: 'first',
  ...given,
})

async function run(engine: FakeEngine, given: Partial<Plan>) {
  const loop = new OpenLoop(engine)
  await engine.observe(0, loop.onFinal)
  return loop.run(plan(given))
}

test('every transaction is submitted once, in the order of its node', async () => {
  const engine = new FakeEngine({})
  const { final, latencies, refusals } = await run(engine, {})
  assert.deepEqual([final, latencies.length, refusals], [40, 40, 0])
  const ofFirst = engine.taken.filter((id) => id.startsWith('0/'))
  assert.deepEqual(
    ofFirst,
    Array.from({ length: 20 }, (_, index) => `0/${index}`),
  )
})

test('what is not taken is submitted again, and nothing is lost', async () => {
  const engine = new FakeEngine({ takenMax: 7 })
  const { final, refusals } = await run(engine, { rate: null, windowMax: 20 })
  assert.equal(final, 40)
  assert.ok(refusals > 0)
  assert.equal(new Set(engine.taken).size, engine.taken.length)
})

test('a latency runs from the moment at which a transaction was due, not from when it left', async () => {
  const engine = new FakeEngine({ finalMs: 0 })
  const slow = engine.submit.bind(engine)
  engine.submit = async (node, payloads) => {
    await pause(50)
    return slow(node, payloads)
  }
  const { latencies } = await run(engine, { transactions: 20, rate: 1_000, nodes: [0] })
  const waitedForTheFirst = latencies.filter((ms) => ms > 60)
  assert.ok(waitedForTheFirst.length > 10, latencies.join(' '))
})

test('a run that is cut says what was final by then', async () => {
  const engine = new FakeEngine({ finalMs: 30 })
  const { final } = await run(engine, { isCut: true, transactions: 60, rate: 1_000 })
  assert.ok(final < 60)
})

test('a run whose transactions do not become final fails', async () => {
  const engine = new FakeEngine({ finalMs: 500 })
  await assert.rejects(run(engine, { transactions: 2, patienceMs: 10 }), /2 of 2 were not final/)
})

test('the peer gets as many bytes as were signed, as one key and one value', () => {
  for (let sequence = 1; sequence < 50; sequence += 1) {
    const signed = signAnchor(strangerAt(0), sequence)
    const { id, bytes } = keyValueOf(signed)
    assert.equal(bytes.length, signed.length)
    const text = Buffer.from(bytes).toString('latin1')
    assert.equal(text.split('=').length, 2)
    assert.ok(!text.includes(':') && !text.startsWith('=') && !text.endsWith('='))
    assert.equal(Buffer.from(id, 'base64').toString('latin1'), text)
  }
})

test('a setting is written where it stands, and an unknown one is refused', () => {
  const file = 'log_level = "info"\n\n[mempool]\n# so many\nsize = 5000\n[rpc]\nsize = 1\n'
  assert.equal(
    setAll(file, { log_level: '"error"', 'mempool.size': '7' }),
    file.replace('"info"', '"error"').replace('5000', '7'),
  )
  assert.throws(() => setAll(file, { 'mempool.sise': '7' }), /mempool\.sise/)
  assert.deepEqual(parseSettings('a.b="1s",c=2'), { 'a.b': '"1s"', c: '2' })
})

test('a peer that is not known or not there is said so', () => {
  const given = { vs: '', cometbft: '/nowhere/cometbft', checking: '', tune: '' }
  assert.deepEqual(peersNamed(given), [])
  assert.equal(findBinary('cometbft', '/nowhere/cometbft'), null)
  assert.throws(() => peersNamed({ ...given, vs: 'cometbft' }), /not on the PATH/)
  assert.throws(() => peersNamed({ ...given, vs: 'other' }), /no peer other/)
})

test('a rate is counted from block to block, wherever its time begins and ends', () => {
  const blocks = Array.from({ length: 12 }, (_, at) =>
    Array.from({ length: 2_000 }, () => at * 700),
  )
  for (const shift of [0, 100, 350, 650]) {
    const rate = rateWithin(blocks.flat(), 2_000 + shift, 6_000 + shift)
    assert.equal(Math.round(rate), Math.round(2_000 / 0.7))
  }
})

test('where hardly anything comes it is what came, by the time', () => {
  assert.equal(rateWithin([], 0, 2_000), 0)
  assert.equal(rateWithin([100, 105, 110], 0, 2_000), 1.5)
})

test.run()
