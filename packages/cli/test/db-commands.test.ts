// Databases from the command line: verified, compacted, damaged, set back, and made again as far as that
// is possible without the others.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { answer, withHome } from './stopped-home.ts'

function flip(path: string): void {
  const bytes = readFileSync(path)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

test('a stopped home tells what it keeps, verifies it and gives room back', async () => {
  await withHome(async ({ run, home, start }) => {
    const info = answer(await run(`--home ${home} db info --json`))
    assert.match(JSON.stringify(info['home']), /"format":1,"known":1,"writtenBy":"0/)
    const verified = answer(await run(`--home ${home} db verify --json`))
    assert.equal(verified['ok'], true)
    assert.ok(Number(verified['blocks']) >= 45)
    assert.match((await run(`--home ${home} db verify`)).stdout, /^VERIFIED {2}\d+ blocks/)
    answer(await run(`--home ${home} db compact --json`))
    const again = answer(await run(`--home ${home} db verify --json`))
    assert.equal(again['stateRoot'], verified['stateRoot'])
    const node = await start()
    try {
      const running = answer(await run(`--home ${home} db verify --json`))
      assert.equal(running['ok'], true)
      assert.ok(Number(running['height']) >= Number(verified['height']))
      for (const words of [
        'db info',
        'db compact',
        'db rollback --to 3',
        'db repair --from-peers',
      ]) {
        const refused = await run(`--home ${home} ${words}`)
        assert.equal(refused.code, 10, words)
        assert.match(refused.stderr, /MOR-1010/)
      }
    } finally {
      await node.close()
    }
  })
})

test('the chain is set back by many blocks, and only when it was said twice', async () => {
  await withHome(async ({ run, home }) => {
    const before = answer(await run(`--home ${home} db info --json`))
    const planned = answer(await run(`--home ${home} db rollback --to 7 --json`))
    assert.equal(planned['done'], false)
    const after = answer(await run(`--home ${home} db info --json`))
    assert.deepEqual(after['chain'], before['chain'], 'only a plan')
    const votes = readdirSync(join(home, 'guard'), { recursive: true })
    const guard = readFileSync(join(home, 'guard', 'signer.state'))

    const done = answer(await run(`--home ${home} db rollback --to 7 --yes --json`))
    assert.equal(done['executed'], 7)
    const { chain } = answer(await run(`--home ${home} db info --json`))
    assert.match(JSON.stringify(chain), /"height":7,/)
    assert.equal(answer(await run(`--home ${home} db verify --json`))['ok'], true)
    assert.deepEqual(readdirSync(join(home, 'guard'), { recursive: true }), votes)
    assert.deepEqual(readFileSync(join(home, 'guard', 'signer.state')), guard)
    assert.deepEqual(readdirSync(String(done['trash'])), ['chain'], 'what went is kept')
    for (const to of ['7', '99']) {
      const refused = await run(`--home ${home} db rollback --to ${to}`)
      assert.equal(refused.code, 7)
      assert.match(refused.stderr, /MOR-1241/)
    }
  })
})

test('a chain whose state, index or newest file is damaged comes again from its own blocks', async () => {
  await withHome(async ({ run, home }) => {
    const before = answer(await run(`--home ${home} db verify --json`))
    answer(await run(`--home ${home} db compact --json`))
    const [table = ''] = readdirSync(join(home, 'data', 'chain')).filter((name) =>
      name.endsWith('.ldb'),
    )
    flip(join(home, 'data', 'chain', table))
    const found = await run(`--home ${home} db verify --json`)
    assert.equal(found.code, 11)
    const document: { findings: { database: string; what: string }[] } = JSON.parse(found.stdout)
    assert.ok(
      document.findings.some(({ database, what }) => database === 'chain' && what === table),
    )
    const planned = answer(await run(`--home ${home} db repair --from-peers --dry-run --json`))
    assert.equal(JSON.stringify(planned['done']), '[]')
    // Alone in its network: what its own blocks give is all there is.
    const repaired = await run(`--home ${home} db repair --from-peers --timeout 1s`)
    assert.equal(repaired.code, 9, repaired.stderr)
    assert.match(repaired.stderr, /MOR-1242/)
    const after = answer(await run(`--home ${home} db verify --json`))
    assert.equal(after['ok'], true)
    assert.ok(Number(after['height']) <= Number(before['height']))
  })
})

test.run()
