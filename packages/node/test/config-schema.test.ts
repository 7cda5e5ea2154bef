import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'smol-toml'
import { test } from 'uvu'
import { formatConfigFile, parseConfigFile } from '../src/config-file.ts'
import { configSchema } from '../src/config-schema.ts'
import { OPTION_ENTRIES } from '../src/options.ts'
import { samplesOf } from './option-samples.ts'

const validate = new Ajv2020({ strict: false, allErrors: true }).compile(configSchema())

function isValid(toml: string): boolean {
  return validate(parse(toml))
}

test('the schema takes the file with everything, and each value that an option can have', () => {
  const all = formatConfigFile({ 'node.name': 'st-mary' }).replaceAll(/^# ([a-z_]+ = .*)$/gm, '$1')
  assert.ok(isValid(all), JSON.stringify(validate.errors))
  for (const entry of OPTION_ENTRIES) {
    for (const [, toml] of samplesOf(entry)) {
      const text = `config_version = 1\n[${entry.section}]\n${entry.key} = ${toml}\n`
      assert.deepEqual(
        parseConfigFile(text).problems.map(({ sentence }) => sentence),
        [],
      )
      assert.ok(isValid(text), `${text}${JSON.stringify(validate.errors)}`)
    }
  }
})

test('the schema refuses what the loader refuses', () => {
  const broken = [
    '[http]\nlistn = "127.0.0.1:1"',
    '[htpp]\nlisten = "127.0.0.1:1"',
    'http = 7',
    '[shutdown]\ntimeout = 20',
    '[shutdown]\ntimeout = "20"',
    '[shutdown]\ntimeout = "20y"',
    '[storage]\ncache = "64MB"',
    '[storage]\nretention = "sometimes"',
    '[p2p]\nmax_peers = 0',
    '[p2p]\nmax_peers = "64"',
    '[p2p]\nmax_peers = 6.5',
    '[node]\nrole = "king"',
    '[node]\nname = "St Mary"',
    '[p2p]\nlisten = "x"',
    '[p2p]\npeers = ["a"]',
    '[http]\nlisten = "127.0.0.1"',
    '[log]\nlevel = "loud"',
    '[log]\nlevel = "info,p2p=loud"',
  ]
  for (const text of broken) assert.ok(!isValid(`config_version = 1\n${text}\n`), text)
  assert.ok(!isValid('config_version = 2'))
  assert.ok(!isValid('[node]\nname = "a"'))
})

test('every property says its variable, its flag and its default', () => {
  const text = JSON.stringify(configSchema())
  for (const { variable, flag, description } of OPTION_ENTRIES) {
    for (const word of [variable, flag, JSON.stringify(description)]) {
      assert.ok(text.includes(word), word)
    }
  }
})

test.run()
