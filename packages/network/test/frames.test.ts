import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { encodeFrame, FrameReader } from '../src/frames.ts'

const framesSchema = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })

test('frames come out whole and in order, wherever the stream is cut', () => {
  const property = fc.property(framesSchema, fc.array(fc.nat(5_000)), (frames, cuts) => {
    const received: Uint8Array[] = []
    const reader = new FrameReader(300, (frame) => received.push(frame))
    for (const chunk of cut(join(frames.map(encodeFrame)), cuts)) {
      assert.equal(reader.push(chunk), undefined)
    }
    assert.deepEqual(received, frames)
  })
  fc.assert(property)
})

test('a frame belongs to its receiver, not to the chunk it came in', () => {
  const received: Uint8Array[] = []
  const reader = new FrameReader(100, (frame) => received.push(frame))
  const chunk = Buffer.from(encodeFrame(new Uint8Array([1, 2, 3])))
  reader.push(chunk)
  chunk.fill(9)
  assert.deepEqual(received, [new Uint8Array([1, 2, 3])])
  assert.equal(received[0]?.buffer.byteLength, 3)
})

test('a frame over the limit is refused by its header, before its bytes', () => {
  const reader = new FrameReader(100, () => assert.fail('no frame'))
  const refused = reader.push(encodeFrame(new Uint8Array(101)).subarray(0, 4))
  assert.equal(refused?.code, 'too_large')
  assert.deepEqual(refused?.data, { bytes: 101, bytesMax: 100 })
})

test('a header cut into single bytes still has its limit', () => {
  const reader = new FrameReader(100, () => assert.fail('no frame'))
  const outcomes = [0xff, 0xff, 0xff, 0xff].map((byte) => reader.push(new Uint8Array([byte])))
  assert.deepEqual(
    outcomes.map((refused) => refused?.code),
    [undefined, undefined, undefined, 'too_large'],
  )
})

test('a large frame in tiny pieces costs its own size and linear time', () => {
  const frame = new Uint8Array(1 << 20).fill(5)
  const framed = encodeFrame(frame)
  const received: Uint8Array[] = []
  const reader = new FrameReader(1 << 20, (one) => received.push(one))
  for (let offset = 0; offset < framed.length; offset += 7) {
    assert.equal(reader.push(framed.subarray(offset, offset + 7)), undefined)
  }
  assert.deepEqual(received, [frame])
  assert.equal(received[0]?.buffer.byteLength, framed.length)
})

function join(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function cut(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [0, ...cuts.filter((position) => position < bytes.length), bytes.length]
  at.sort((a, b) => a - b)
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

test.run()
