import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { fromHex, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { hkdfSha256, hmacSha256 } from '../src/hmac.ts'

const utf8 = new TextEncoder()

// RFC 4231, test cases 1, 2, 3, 6 and 7.
const VECTORS: [key: Uint8Array, message: Uint8Array, tag: string][] = [
  [
    new Uint8Array(20).fill(0x0b),
    utf8.encode('Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    utf8.encode('Jefe'),
    utf8.encode('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    new Uint8Array(20).fill(0xaa),
    new Uint8Array(50).fill(0xdd),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    new Uint8Array(131).fill(0xaa),
    utf8.encode('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    new Uint8Array(131).fill(0xaa),
    utf8.encode(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
]

test('the vectors of RFC 4231 come out', () => {
  for (const [key, message, tag] of VECTORS) {
    assert.equal(toHex(hmacSha256(key)(message)), tag)
  }
})

test('any key and message give what OpenSSL gives, in whatever parts the message comes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }),
      (key, parts) => {
        const reference = createHmac('sha256', key)
        for (const part of parts) reference.update(part)
        assert.deepEqual(hmacSha256(key)(...parts), fromHex(reference.digest('hex')))
      },
    ),
  )
})

test('any secret, salt, info and length give the HKDF that OpenSSL gives', () => {
  const some = fc.uint8Array({ maxLength: 100 })
  fc.assert(
    fc.property(
      some,
      some,
      some,
      fc.integer({ min: 1, max: 200 }),
      (secret, salt, info, length) => {
        const expected = new Uint8Array(hkdfSync('sha256', secret, salt, info, length))
        assert.deepEqual(hkdfSha256(secret, salt, info, length), expected)
      },
    ),
  )
})

test.run()
