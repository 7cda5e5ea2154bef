import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { withNode } from './world.ts'

const CALLER = { patientKey: new Uint8Array(32), signer: new Uint8Array(32), delegation: null }
const open = (byte: number) => ({
  publicKey: new Uint8Array(32).fill(byte),
  expiresAt: Date.UTC(2027, 0, 1),
  kind: 'share' as const,
  signature: new Uint8Array(64),
})

test('the grants of a patient are listed, and one is taken back by its handle', () =>
  withNode(async ({ run, node }) => {
    const none = await run('grant list --patient Patient/7')
    assert.equal(none.stdout, 'this patient has granted nothing here\n')
    for (const byte of [1, 2, 3])
      await node.patients.depositGrant(CALLER, { grant: '{}', open: open(byte) })
    const listed = await run('grant list --patient Patient/7 --limit 2')
    assert.equal(listed.code, 0, listed.stderr)
    assert.match(listed.stdout, /^recipient +purposes +classes +until +state +made +handle\n/)
    assert.equal(listed.stdout.trim().split('\n').length, 3)
    const { items } = JSON.parse((await run('grant list --patient 7 --json')).stdout)
    assert.equal(items.length, 3)
    const [{ handle }] = items
    const revoked = await run(`grant revoke ${handle}`)
    assert.equal(revoked.stdout, 'revoked in block 3: nobody serves it any more\n')
    assert.equal(JSON.parse((await run(`grant revoke ${handle} --json`)).stdout).handle, handle)
  }))

test('a handle that is none, is unknown, or is cut off is refused', () =>
  withNode(async ({ run }) => {
    const unknown = await run(`grant revoke ${toHex(new Uint8Array(32))}`)
    assert.equal(unknown.code, 6)
    assert.match(unknown.stderr, /no grant has this handle/)
    const cut = await run('grant revoke abcd')
    assert.equal(cut.code, 2)
    assert.match(cut.stderr, /A handle has 64 hexadecimal digits; "abcd" has 4/)
    assert.equal((await run('grant revoke nowhere.json')).code, 6)
    assert.equal((await run('grant list')).code, 2)
  }))

test.run()
