import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import { test } from 'uvu'
import { crc32c } from '../src/crc32c.ts'
import {
  decodeSegment,
  encodeGroup,
  encodeHead,
  type JournalState,
  parseSegmentName,
} from '../src/journal-format.ts'
import { MarksFile } from '../src/marks.ts'
import { MemoryFileSystem } from '../src/memory-file-system.ts'

const NAME = { epoch: 2, sequence: 5 }
const SALT = fromHex('a1a2a3a4a5a6a7a8')
const MARKS = { epoch: 2, notarized: 7, nullified: 6, finalized: 5 }
const STATE: JournalState = { group: 40, batch: 30, marks: MARKS }

test('the checksum is CRC-32C', () => {
  const check = new TextEncoder().encode('123456789')
  assert.equal(crc32c(check), 0xe3069283)
  for (let cut = 0; cut <= check.length; cut += 1) {
    assert.equal(crc32c(check.subarray(cut), crc32c(check.subarray(0, cut))), 0xe3069283)
  }
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
})

test('the bytes of a segment are frozen', () => {
  const head = encodeHead(NAME, SALT, STATE)
  const group = encodeGroup(SALT, { ...STATE, group: 41 }, [
    { epoch: 2, view: 7, type: 'vote', payload: Uint8Array.of(1, 2, 3) },
  ])
  assert.equal(
    toHex(head),
    '0000004a84204a72000000000000000200000000000000050001a1a2a3a4a5a6a7a80000000000000028000000000000001e0000000000000002000000000000000700000000000000060000000000000005',
  )
  assert.equal(
    toHex(group),
    '00000049a9db21f70000000000000002000000000000000001a1a2a3a4a5a6a7a80000000000000029000000000000001e0000000000000002000000000000000700000000000000060000000000000005000000148794c9e10000000000000002000000000000000702010203',
  )
  const bytes = new Uint8Array([...head, ...group])
  assert.deepEqual(decodeSegment(bytes, NAME, true), {
    name: NAME,
    salt: SALT,
    before: STATE,
    state: { ...STATE, group: 41 },
    records: [{ epoch: 2, view: 7, type: 'vote', payload: Uint8Array.of(1, 2, 3) }],
    end: bytes.length,
    isTorn: false,
  })
})

test('the bytes of the marks are frozen', async () => {
  const fileSystem = new MemoryFileSystem()
  const file = await MarksFile.create(fileSystem, '/signer.state', { batch: 1, marks: MARKS })
  await file.write({ batch: 2, marks: { ...MARKS, notarized: 2 ** 40 } })
  const bytes = await (await fileSystem.openExisting('/signer.state'))?.read()
  assert.ok(bytes)
  assert.equal(
    toHex(bytes.subarray(0, 48)),
    '4b6f0b9b0000000100000000000000010000000000000002000000000000000700000000000000060000000000000005',
  )
  assert.equal(
    toHex(bytes.subarray(512, 560)),
    '6363fb320000000100000000000000020000000000000002000001000000000000000000000000060000000000000005',
  )
  assert.equal((await MarksFile.open(fileSystem, '/signer.state'))?.newest.marks.notarized, 2 ** 40)
})

test('only names of segments are read', () => {
  assert.deepEqual(parseSegmentName('2-5.log'), NAME)
  for (const other of ['2-5.log~', '-5.log', '2.log', '2-5.LOG', 'x2-5.log']) {
    assert.equal(parseSegmentName(other), undefined)
  }
})

test.run()
