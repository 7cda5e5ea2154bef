// The unit for a node without a container: how it is started again, stopped, and shut in.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { OPTION_ENTRIES } from '@mooring/node'
import { test } from 'uvu'
import { EXIT_CODES } from '../../packages/cli/src/command-help.ts'

const PATH = 'docker/systemd/mooring.service'

function settings(): Map<string, string> {
  const lines = readFileSync(PATH, 'utf8').split('\n')
  const pairs = lines.filter((line) => /^[A-Za-z]+=/.test(line))
  return new Map(
    pairs.map((line): [string, string] => [
      line.split('=', 1)[0] ?? '',
      line.slice(line.indexOf('=') + 1),
    ]),
  )
}

test('what no restart cures is not restarted, least of all what the guard stopped', () => {
  assert.equal(settings().get('Restart'), 'on-failure')
  const codes = (settings().get('RestartPreventExitStatus') ?? '').split(' ').map(Number)
  assert.deepEqual(codes, [2, 3, 10, 11, 12, 13, 14])
  for (const code of codes) assert.ok(EXIT_CODES[code], `there is no exit code ${code}`)
})

test('the unit stops a node as it wants to be stopped, and gives it the time', () => {
  assert.equal(settings().get('KillSignal'), 'SIGTERM')
  const timeout = OPTION_ENTRIES.find(({ name }) => name === 'shutdown.timeout')?.default
  assert.ok(Number(settings().get('TimeoutStopSec')) * 1_000 > Number(timeout))
  const start = settings().get('ExecStart') ?? ''
  assert.match(start, /--disable-sigusr1/)
  const entry = /(packages\/\S+)/.exec(start)?.[1]
  assert.ok(existsSync(entry ?? ''), entry)
})

test('the unit shuts the node in, but lets V8 compile', () => {
  const wanted = {
    NoNewPrivileges: 'yes',
    CapabilityBoundingSet: '',
    ProtectSystem: 'strict',
    SystemCallFilter: '@system-service',
    LimitCORE: '0',
    UMask: '0077',
    User: 'mooring',
  }
  for (const [name, value] of Object.entries(wanted))
    assert.equal(settings().get(name), value, name)
  assert.ok(!settings().has('MemoryDenyWriteExecute'))
  assert.ok(Number(settings().get('LimitNOFILE')) >= 4096)
})

test('the variables of the unit are those that a node reads', () => {
  const known = [
    'MOORING_HOME',
    'MOORING_CONFIG',
    ...OPTION_ENTRIES.map(({ variable }) => variable),
  ]
  const variables = [...(settings().get('Environment') ?? '').matchAll(/(MOORING_\w+)=/g)]
  assert.ok(variables.length > 0)
  for (const [, name = ''] of variables) assert.ok(known.includes(name), name)
})

test('systemd itself takes the unit, where it is there to ask', () => {
  const { error, stderr } = spawnSync('systemd-analyze', ['verify', `./${PATH}`], {
    encoding: 'utf8',
  })
  if (error !== undefined) return
  const complaints = stderr
    .split('\n')
    .filter((line) => /unknown|invalid|failed to parse|ignoring/i.test(line))
  assert.deepEqual(complaints, [])
})

test.run()
