// The story, as a newcomer starts it: it tells every chapter, and comes true.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import { commandEnvironment, endOf } from './command.ts'

const STORY = fileURLToPath(new URL('./story.ts', import.meta.url))
const STORY_MS = 580_000
const CHAPTERS = 14
// What is on the chain in the end, besides roots on the clock.
const GRANTS = ['key.replace', 'grant.open', 'grant.revoke']
const OTHERS = ['emergency.open', 'emergency.close', 'record.tombstone']
const IDENTITY = ['identity.create', 'identity.recover', 'identity.finalize']

test('a wallet, a timeline, a grant that ends and one that is revoked, an emergency, a recovery, an erasure', async () => {
  const child = spawn(process.execPath, [STORY], { env: commandEnvironment() })
  child.stdin.end()
  const { code, stdout, stderr } = await endOf(child, STORY_MS)
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  for (let chapter = 1; chapter <= CHAPTERS; chapter += 1) {
    assert.match(stdout, new RegExp(`^${chapter}\\. `, 'm'), stdout)
  }
  for (const kind of [...GRANTS, ...OTHERS, ...IDENTITY])
    assert.match(stdout, new RegExp(`block \\d+ {2}${kind}`), stdout)
  assert.match(stdout, /^All of it came true\.$/m)
})

test.run()
