import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  checkCertificate,
  checkEvidence,
  checkVote,
  decodeCertificate,
  decodeEvidence,
  decodeMessage,
  decodeVote,
  encodeCertificate,
  encodeEvidence,
  encodeMessage,
  encodeVote,
  voteMessage,
} from '../src/index.ts'
import { chain, keys, vectorFolder, vectors } from './vectors.ts'

function frozen(name: string): string {
  return readFileSync(new URL(name, vectorFolder), 'utf8')
}

/** The hex texts of a member of that name, wherever they stand. */
function hexOf(name: string, member: string): string[] {
  return [...frozen(name).matchAll(new RegExp(`"${member}": "([0-9a-f]*)"`, 'g'))].map(
    ([, hex = '']) => hex,
  )
}

for (const [name, made] of Object.entries(vectors)) {
  test(`${name} is what consensus signs and encodes today`, () => {
    assert.deepEqual(JSON.parse(frozen(name)), made)
  })
}

test('the frozen votes and certificates read back and hold', () => {
  const [firstVote, ...rest] = hexOf('consensus-votes.json', 'bytes')
  assert.equal(rest.length, 5)
  const signed = hexOf('consensus-votes.json', 'signed')
  for (const [index, hex] of [firstVote ?? '', ...rest.slice(0, 2)].entries()) {
    const vote = decodeVote(fromHex(hex))
    assert.equal(toHex(encodeVote(vote)), hex)
    assert.equal(toHex(voteMessage(chain, vote.kind, vote.subject)), signed[index])
    assert.equal(checkVote(vote, { chain, keys }), true)
  }
  for (const hex of rest.slice(2)) {
    const certificate = decodeCertificate(fromHex(hex))
    assert.equal(toHex(encodeCertificate(certificate)), hex)
    assert.equal(checkCertificate(certificate, { chain, keys }), undefined)
  }
})

test('the frozen evidence reads back and convicts', () => {
  const all = hexOf('consensus-evidence.json', 'bytes')
  assert.equal(all.length, 3)
  for (const hex of all) {
    const evidence = decodeEvidence(fromHex(hex))
    assert.equal(toHex(encodeEvidence(evidence)), hex)
    assert.equal(checkEvidence(evidence, { chain, keys }), undefined)
  }
})

test('the frozen messages read back', () => {
  const messages = hexOf('consensus-messages.json', 'bytes')
  const kinds = messages.map((hex) => {
    const message = decodeMessage(fromHex(hex))
    assert.equal(toHex(encodeMessage(message)), hex)
    return message.kind
  })
  assert.deepEqual(kinds, ['votes', 'certificates', 'proposal', 'status', 'evidence', 'compact'])
})

test.run()
