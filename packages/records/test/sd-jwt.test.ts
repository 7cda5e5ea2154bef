import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { canonicalJson } from '@mooring/codec'
import { encodeBase64url, sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import {
  type Claims,
  type ClaimSelection,
  type DisclosureFrame,
  packClaims,
  SdJwtError,
  selectDisclosures,
  unpackClaims,
} from '../src/sd-jwt.ts'

const folder = new URL('../../../../shared/data/vectors/sd-jwt/', import.meta.url)
const utf8 = new TextEncoder()

interface Vector {
  claims: Claims
  disclosureFrame?: DisclosureFrame
  presentationFrames: { [name: string]: ClaimSelection }
  presentedClaims: Claims
}

function counting(): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    count += 1
    return sha256(Uint8Array.of(count & 255, count >> 8)).subarray(0, length)
  }
}

const vectors = existsSync(folder)
  ? readdirSync(folder).map((name): [string, Vector] => [
      name,
      JSON.parse(readFileSync(new URL(name, folder), 'utf8')),
    ])
  : []

/** The file leaves out an object of which nothing is shown; RFC 9901 keeps it, empty. */
const KEPT_EMPTY: Record<string, Claims> = { 'array_none_disclosed.json': { is_over: {} } }

for (const [name, vector] of vectors) {
  test(`shared vector ${name}: what is chosen is shown, everything is shown, nothing more`, () => {
    const { claims, disclosureFrame = {}, presentationFrames, presentedClaims } = vector
    const packed = packClaims(claims, disclosureFrame, counting())
    const chosen = selectDisclosures(packed, presentationFrames)
    const shown = unpackClaims({ claims: packed.claims, disclosures: chosen })
    assert.deepEqual(shown, { ...presentedClaims, ...KEPT_EMPTY[name] })
    assert.deepEqual(unpackClaims(packed), claims)
    if (packed.disclosures.length > chosen.length) assert.notDeepEqual(shown, claims)
  })
}

const frame = { _sd: ['licence', 'name'] }
const claims: Claims = { role: 'physician', licence: 'L-1', name: 'Ada' }
const packed = packClaims(claims, frame, counting())
const [licence = '', name = ''] = packed.disclosures

function disclosureOf(...content: unknown[]): string {
  return encodeBase64url(utf8.encode(JSON.stringify(content)))
}

function digestOf(disclosure: string): string {
  return encodeBase64url(sha256(utf8.encode(disclosure)))
}

test('what is hidden is not in the claims, and its salt makes it unguessable', () => {
  assert.equal(canonicalJson(packed.claims).includes('L-1'), false)
  const other = packClaims(claims, frame, (length) => new Uint8Array(length).fill(9))
  assert.notDeepEqual(other.claims['_sd'], packed.claims['_sd'])
})

test('what RFC 9901 refuses is refused', () => {
  const forged = disclosureOf('c2FsdA', 'role', 'surgeon')
  const unnamed = disclosureOf('c2FsdA', 'surgeon')
  const cases: [string, Claims, string[]][] = [
    ['a disclosure that nothing refers to', packed.claims, [licence, forged]],
    ['a disclosure twice', packed.claims, [licence, licence]],
    ['a digest twice', { ...packed.claims, more: { _sd: [digestOf(licence)] } }, [licence]],
    ['a claim over another', { role: 'nurse', _sd: [digestOf(forged)] }, [forged]],
    ['a claim without a name', { _sd: [digestOf(unnamed)] }, [unnamed]],
    ['an item with a name', { list: [{ '...': digestOf(forged) }] }, [forged]],
    ['an item outside of a list', { '...': digestOf(unnamed) }, [unnamed]],
    ['another algorithm', { _sd_alg: 'md5' }, []],
    ['digests that are none', { _sd: [1] }, []],
    ['no list', packed.claims, [encodeBase64url(utf8.encode('{}'))]],
    ['no base64url', packed.claims, ['?']],
    ['no salt', packed.claims, [disclosureOf(1, 'name', 'Ada')]],
    ['four parts', packed.claims, [disclosureOf('a', 'b', 'c', 'd')]],
    ['two readings', packed.claims, [encodeBase64url(utf8.encode('["s","n",{"a":1,"a":2}]'))]],
  ]
  for (const [what, given, disclosures] of cases) {
    assert.throws(() => unpackClaims({ claims: given, disclosures }), SdJwtError, what)
  }
  assert.deepEqual(unpackClaims({ claims: packed.claims, disclosures: [name] }), {
    role: 'physician',
    name: 'Ada',
  })
})

test('a claim cannot be named like a digest', () => {
  assert.throws(() => packClaims({ _sd: [] }, {}, counting()), SdJwtError)
})

test.run()
