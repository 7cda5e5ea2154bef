import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { formatTicket, parseTicket, RecordsError } from '../src/index.ts'

const ticket = {
  organisation: 'riverside',
  endpoint: 'https://riverside.example:8443/patients',
  code: new Uint8Array(16).fill(3),
  genesisPrefix: new Uint8Array(8).fill(0xab),
}

test('a ticket comes back from its text, also with spaces around it', () => {
  const written = formatTicket(ticket)
  assert.ok(written.startsWith('mooring-ticket:1:riverside:'))
  assert.ok(written.endsWith(':abababababababab'))
  assert.deepEqual(parseTicket(` ${written}\n`), ticket)
})

test('a ticket that was cut or changed says where it is wrong', () => {
  const written = formatTicket(ticket)
  const parts = written.split(':')
  const withPart = (index: number, part: string) => parts.with(index, part).join(':')
  const wrong: [string, string][] = [
    ['', ''],
    ['mooring-offer:1:x', ''],
    [written.replace(':1:', ':2:'), ''],
    [`${written}:more`, ''],
    [written + 'a'.repeat(1_000), ''],
    [withPart(2, 'River Side'), 'organisation'],
    [withPart(3, '%%'), 'endpoint'],
    [withPart(3, Buffer.from('file:///etc/passwd').toString('base64url')), 'endpoint'],
    [withPart(3, Buffer.from(`http://${'a'.repeat(260)}`).toString('base64url')), 'endpoint'],
    [withPart(4, 'AAAA'), 'code'],
    [withPart(5, 'ABABABABABABABAB'), 'genesis'],
    [written.slice(0, -1), 'genesis'],
  ]
  for (const [text, path] of wrong) {
    const isAtPath = (error: unknown) => error instanceof RecordsError && error.path === path
    assert.throws(() => parseTicket(text), isAtPath, text.slice(0, 80))
  }
})

test('no text makes the reader fail in another way', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.array(fc.string(), { maxLength: 6 }).map((all) => `mooring-ticket:1:${all.join(':')}`),
  )
  fc.assert(
    fc.property(anything, (text) => {
      try {
        parseTicket(text)
      } catch (error) {
        assert.ok(error instanceof RecordsError)
      }
    }),
  )
})

test.run()
