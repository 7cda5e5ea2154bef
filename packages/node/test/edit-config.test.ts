import assert from 'node:assert/strict'
import { test } from 'uvu'
import { formatConfigFile, parseConfigFile } from '../src/config-file.ts'
import { migrateConfig, setInConfig } from '../src/edit-config.ts'
import { NodeError } from '../src/node-error.ts'
import { OPTION_ENTRIES, type OptionEntry } from '../src/options.ts'
import { samplesOf } from './option-samples.ts'

function entryNamed(name: string): OptionEntry {
  const found = OPTION_ENTRIES.find((entry) => entry.name === name)
  assert.ok(found, name)
  return found
}

const refused = (code: string) => (error: unknown) =>
  error instanceof NodeError && error.code === code

const PEERS = entryNamed('p2p.max_peers')

test('a value is replaced where it stands, and every other byte stays', () => {
  const text =
    'config_version = 1 # first\n[p2p]\n  max_peers   =  64  # few\nallow = "members"\n[log]\n'
  assert.equal(
    setInConfig(text, PEERS, 32),
    'config_version = 1 # first\n[p2p]\n  max_peers   =  32  # few\nallow = "members"\n[log]\n',
  )
  const lists =
    'config_version = 1\n[p2p]\nlisten = [ # here\n  "/ip4/1.2.3.4/tcp/1", # and\n]\n[log]\n'
  assert.equal(
    setInConfig(lists, entryNamed('p2p.listen'), ['/ip4/5.6.7.8/tcp/1']),
    'config_version = 1\n[p2p]\nlisten = ["/ip4/5.6.7.8/tcp/1"]\n[log]\n',
  )
  assert.equal(setInConfig('p2p.max_peers = 64', PEERS, 5), 'p2p.max_peers = 5')
})

test('a default in a comment makes place, a section is found or added', () => {
  const whole = formatConfigFile({ 'node.name': 'st-mary' })
  const edited = setInConfig(whole, PEERS, 32)
  assert.equal(edited, whole.replace('# max_peers = 64\n', 'max_peers = 32\n'))
  assert.equal(setInConfig('[p2p]\n', PEERS, 7), '[p2p]\nmax_peers = 7\n')
  assert.equal(setInConfig('[p2p]', PEERS, 7), '[p2p]\nmax_peers = 7\n')
  assert.equal(setInConfig('[p2p]\n[log]\n', PEERS, 7), '[p2p]\nmax_peers = 7\n[log]\n')
  assert.equal(
    setInConfig('config_version = 1', PEERS, 7),
    'config_version = 1\n\n[p2p]\nmax_peers = 7\n',
  )
})

test('every option can be set in the file that init writes, and is read back', () => {
  for (const entry of OPTION_ENTRIES) {
    for (const [, , value] of samplesOf(entry)) {
      const text = setInConfig(formatConfigFile({}), entry, value)
      assert.ok(parseConfigFile(text).settings.has(entry.name), entry.name)
    }
  }
})

test('what only a person can change is left alone', () => {
  for (const text of ['p2p = { max_peers = 64 }\n', '[p2p', 'a = "']) {
    assert.throws(
      () => setInConfig(text, PEERS, 7),
      (error) => error instanceof NodeError && error.code === 'config_not_editable',
    )
  }
})

test('a file without a version gets one, one of this version nothing, a newer one is refused', () => {
  const migrated = migrateConfig('[node]\nname = "a"\n')
  assert.equal(migrated?.text, 'config_version = 1\n[node]\nname = "a"\n')
  assert.equal(migrated.from, 0)
  assert.equal(migrateConfig(migrated.text), undefined)
  assert.throws(() => migrateConfig('config_version = 2\n'), refused('config_newer'))
  assert.throws(() => migrateConfig('config_version = "x"\n'), refused('config_version_strange'))
})

test.run()
