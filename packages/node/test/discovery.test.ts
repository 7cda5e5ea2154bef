import assert from 'node:assert/strict'
import { compareBytes } from '@mooring/codec'
import { type ShardHead, shardSetId } from '@mooring/records'
import { test } from 'uvu'
import { headPages, keyPages, newHeads } from '../src/discovery.ts'
import { type Page, PageBudget, type PageLimits } from '../src/holder-pages.ts'
import type { VaultPeers } from '../src/vault-peers.ts'
import { TestClock } from './test-clock.ts'

const honest: ShardHead = {
  set: Uint8Array.of(1),
  manifest: Uint8Array.of(2),
  holders: ['a', 'b', 'c'],
  index: 0,
}

test('a set comes once, and again with other holders', () => {
  const seen = new Map<string, string>()
  const moved = { ...honest, holders: ['a', 'b', 'd'] }
  assert.equal(newHeads([honest, { ...honest, index: 1 }], seen).length, 1)
  assert.deepEqual(
    newHeads([honest, moved], seen).map(({ holders }) => holders),
    [moved.holders],
  )
})

test('a holder with a made-up manifest does not hide the true one of another', () => {
  const seen = new Map<string, string>()
  const forged = { ...honest, manifest: Uint8Array.of(3) }
  const heads = [...newHeads([forged], seen), ...newHeads([honest], seen)]
  assert.deepEqual(
    heads.map(({ manifest }) => manifest),
    [forged.manifest, honest.manifest],
  )
})

const COUNT = 200
const heads = Array.from({ length: COUNT }, (_, at) => ({
  ...honest,
  set: Uint8Array.of(at),
})).toSorted((one, other) => compareBytes(shardSetId(one.set), shardSetId(other.set)))
const nameOf = (at: number) => shardSetId(heads[at]?.set ?? Uint8Array.of(0))
const ascending = (at: number) => new Uint8Array(32).fill(at + 1)
const pageAt = (at: number, next: Uint8Array | null = nameOf(at)): Page<ShardHead> => {
  return { items: heads.slice(at, at + 1), next }
}

/** A lister that would go on for long, and what became of it. */
async function follow(
  answer: (asked: number) => Page<ShardHead | Uint8Array>,
  {
    kind = 'list',
    limits,
    msEach = 0,
  }: { kind?: string; limits?: PageLimits; msEach?: number } = {},
) {
  const clock = new TestClock()
  const warnings: unknown[] = []
  const logger = { warn: (_: string, fields: unknown) => void warnings.push(fields) }
  const budget = new PageBudget({ clock, logger }, limits)
  let asked = 0
  const peers: VaultPeers = {
    self: 'a',
    isConnected: () => true,
    request: () => {
      clock.advance(msEach)
      const body = asked >= COUNT ? { items: [], next: null } : answer(asked)
      asked += 1
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the kind asked for
      return Promise.resolve({ kind, body } as never)
    },
  }
  const pages = kind === 'list' ? headPages : keyPages
  let items = 0
  const go = async (): Promise<void> => {
    for await (const page of pages({ peers, budget }, 'b', 'a')) items += page.length
  }
  await go()
  return { asked: () => asked, items: () => items, warnings, again: go }
}

test('an honest list is followed to its end', async () => {
  const { asked, items, warnings } = await follow((at) => pageAt(at, at < 20 ? nameOf(at) : null))
  assert.deepEqual([asked(), items(), warnings], [21, 21, []])
})

test('a list that does not go on behind its last item is left, and who gives it is named', async () => {
  const lists: ((at: number) => Page<ShardHead | Uint8Array>)[] = [
    (at) => pageAt(0, ascending(at)),
    () => pageAt(0),
    (at) => pageAt(COUNT - 1 - at),
    (at) => ({ items: [], next: ascending(at) }),
  ]
  for (const list of lists) {
    const { asked, warnings } = await follow(list)
    assert.ok(asked() <= 2)
    assert.deepEqual(warnings, [{ holder: 'b', reason: 'list_out_of_order' }])
  }
  const keys = await follow((at) => ({ items: [Uint8Array.of(1)], next: ascending(at) }), {
    kind: 'list-keys',
  })
  assert.equal(keys.asked(), 1)
  assert.equal(keys.warnings.length, 1)
})

test('a list of made-up names ends with the budget of its holder, which is for the whole pass', async () => {
  const many = await follow((at) => pageAt(at), { limits: { items: 10, ms: 1_000 } })
  assert.equal(many.items(), 11)
  assert.deepEqual(many.warnings, [{ holder: 'b', reason: 'too_many_items' }])
  await many.again()
  assert.equal(many.asked(), 11)
  const slow = await follow((at) => pageAt(at), {
    limits: { items: 1_000, ms: 1_000 },
    msEach: 300,
  })
  assert.equal(slow.asked(), 4)
  assert.deepEqual(slow.warnings, [{ holder: 'b', reason: 'too_slow' }])
})

test.run()
