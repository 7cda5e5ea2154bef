import assert from 'node:assert/strict'
import {
  decodeBase64url,
  encodeBase64url,
  keyPairFromSeed,
  sha256,
  x25519PublicKey,
} from '@mooring/crypto'
import { signAdmission } from '@mooring/ledger'
import { test } from 'uvu'
import { formatJoinLine, parseJoinLine, peerAddresses } from '../src/join-line.ts'

const ADDRESS = '/ip4/10.0.0.7/tcp/7420'
const genesisDigest = new Uint8Array(32).fill(7)
const keyOf = (duty: string) => keyPairFromSeed(sha256(new TextEncoder().encode(duty)))

function lineWith(addresses: string[]): string {
  const key = (duty: string) => keyOf(duty).publicKey
  const keys = {
    governance: key('governance'),
    consensus: key('consensus'),
    transport: key('transport'),
    anchor: key('anchor'),
    seal: x25519PublicKey(keyOf('seal').seed),
    issuer: null,
  }
  const organisation = {
    id: 'riverside',
    name: 'Riverside',
    legalGroup: 'riverside',
    roles: ['observer' as const],
    keys,
  }
  const admission = signAdmission(genesisDigest, organisation, keyOf('governance'))
  return formatJoinLine({ genesisDigest, admission, addresses })
}

test('a join line says who comes and where it listens', () => {
  const join = parseJoinLine(lineWith([ADDRESS]))
  assert.equal(join.admission.organisation.id, 'riverside')
  assert.match(peerAddresses(join)[0] ?? '', /^\/ip4\/10\.0\.0\.7\/tcp\/7420\/p2p\/12D3Koo/)
})

test('an address that was changed on the way writes nothing on the terminal of who reads it', () => {
  const [prefix = '', encoded = ''] = lineWith([ADDRESS]).split('.')
  for (const written of [0x1b, 0x0a, 0x0d, 0x20]) {
    const bytes = decodeBase64url(encoded)
    const place = bytes.findLastIndex((_, at) => at > 0 && bytes[at - 1] === 0x2f)
    bytes[place] = written
    const line = `${prefix}.${encodeBase64url(bytes)}`
    assert.throws(() => parseJoinLine(line), { code: 'join_line_malformed' })
  }
})

test.run()
