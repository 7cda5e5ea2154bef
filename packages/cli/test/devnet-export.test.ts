// A devnet as containers: the file that runs them, and what each of them finds inside.

import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { loadNodeOptions, OPTION_ENTRIES, parseDuration } from '@mooring/node'
import { test } from 'uvu'
import { parse } from 'yaml'
import {
  COMPOSE_FILE,
  composeOfFour,
  PROMETHEUS_FILE,
  prometheusOfFour,
} from '../../../scripts/compose.ts'
import { readDevnetState } from '../src/devnet/state.ts'
import { inWorld } from './world.ts'

type Service = {
  user: string
  read_only: boolean
  cap_drop: string[]
  security_opt: string[]
  stop_grace_period: string
  mem_limit: string
  pids_limit: number
  profiles?: string[]
  environment: Record<string, string>
  volumes: string[]
  tmpfs: string[]
  ports: string[]
  image: string
}
type Compose = { services: Record<string, Service>; volumes?: Record<string, unknown> }

// What is no option and yet read from the environment by the program itself.
const OF_THE_PROGRAM = ['MOORING_HOME', 'MOORING_CONFIG']

function hospitalsOf(text: string): [string, Service][] {
  const { services }: Compose = parse(text, { merge: true })
  return Object.entries(services).filter(([name]) => name.startsWith('hospital-'))
}

test('acceptance 15: docker/compose.yaml is what devnet export makes of four hospitals', () => {
  const remedy = 'run: npx node scripts/compose.ts'
  assert.equal(readFileSync(COMPOSE_FILE, 'utf8'), composeOfFour(), remedy)
  assert.equal(readFileSync(PROMETHEUS_FILE, 'utf8'), prometheusOfFour(), remedy)
})

test('acceptance 15: every hospital of the compose file runs with as little as it needs', () => {
  const hospitals = hospitalsOf(composeOfFour())
  assert.equal(hospitals.length, 4)
  for (const [name, service] of hospitals) {
    assert.match(service.user, /^[1-9]\d*:[1-9]\d*$/, name)
    assert.equal(service.read_only, true)
    assert.deepEqual(service.cap_drop, ['ALL'])
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
    assert.ok(service.mem_limit !== undefined && service.pids_limit > 0)
    assert.ok(service.volumes.includes(`../.devnet/default/${name}:/var/lib/mooring`))
    const writable = service.volumes.filter((volume) => !volume.endsWith(':ro'))
    assert.equal(writable.length, 1, `${name} may write to ${writable.join(' and ')}`)
    for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:/, 'open to others')
    assert.doesNotMatch(service.image, /latest/)
  }
})

test('acceptance 15: every variable of the compose file is one that a node reads', () => {
  const known = [...OF_THE_PROGRAM, ...OPTION_ENTRIES.map(({ variable }) => variable)]
  for (const [name, { environment }] of hospitalsOf(composeOfFour())) {
    for (const variable of Object.keys(environment)) {
      assert.ok(known.includes(variable), `${name}: ${variable}`)
    }
  }
})

test('acceptance 15: the file of one hospital opens the port of the members, and nothing else', () => {
  const { services, volumes }: Compose = parse(readFileSync('docker/hospital.yaml', 'utf8'))
  const { node, ...others } = services
  assert.ok(node !== undefined)
  assert.deepEqual(others, {})
  assert.match(node.user, /^[1-9]\d*:[1-9]\d*$/)
  assert.equal(node.read_only, true)
  assert.deepEqual(node.cap_drop, ['ALL'])
  assert.deepEqual(node.security_opt, ['no-new-privileges:true'])
  assert.deepEqual(
    node.ports.filter((port) => !port.startsWith('127.0.0.1:')),
    ['7420:7420'],
  )
  const writable = node.volumes.filter((volume) => !volume.endsWith(':ro'))
  assert.deepEqual(writable, ['home:/var/lib/mooring'])
  assert.ok('home' in (volumes ?? {}))
  const known = OPTION_ENTRIES.map(({ variable }) => variable)
  for (const variable of Object.keys(node.environment))
    assert.ok(known.includes(variable), variable)
  const grace = parseDuration(node.stop_grace_period)
  const timeout = OPTION_ENTRIES.find(({ name }) => name === 'shutdown.timeout')?.default
  assert.ok('value' in grace && grace.value > Number(timeout), 'killed while draining')
  assert.doesNotMatch(node.image, /latest/)
})

test('what is no hospital comes only with the profile, pinned, and on this computer alone', () => {
  const { services, volumes }: Compose = parse(composeOfFour(), { merge: true })
  const others = Object.entries(services).filter(([name]) => !name.startsWith('hospital-'))
  assert.deepEqual(
    others.map(([name]) => name),
    ['prometheus', 'grafana'],
  )
  for (const [name, service] of others) {
    assert.deepEqual(service.profiles, ['metrics'], name)
    assert.match(service.image, /:v?\d+\.\d+\.\d+}$/)
    assert.deepEqual(service.cap_drop, ['ALL'])
    assert.equal(service.read_only, true)
    for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:/)
    assert.ok(name in (volumes ?? {}))
  }
})

test('an exported devnet keeps its homes and genesis; its containers know each other by name', () =>
  inWorld(async ({ folder, run }) => {
    const { code, stdout } = await run('devnet export --format compose --json')
    assert.equal(code, 0)
    const { file, hospitals }: { file: string; hospitals: string[] } = JSON.parse(stdout)
    const dir = join(folder, '.devnet', 'default')
    assert.equal(file, join(dir, 'compose.yaml'))
    const services = hospitalsOf(readFileSync(file, 'utf8'))
    assert.deepEqual(
      services.map(([name]) => name),
      hospitals,
    )
    const state = await readDevnetState(dir)
    for (const [name, service] of services) {
      assert.deepEqual(service.volumes, [
        `./${name}:/var/lib/mooring`,
        `./containers/${name}:/etc/mooring:ro`,
      ])
      const [uid] = service.user.split(':').map(Number)
      assert.equal(statSync(join(dir, name, 'keys', 'consensus.json')).uid, uid)
      const configPath = join(dir, 'containers', name, 'mooring.toml')
      const options = await loadNodeOptions({
        home: join(dir, name),
        configPath,
        flags: {},
        env: {},
      })
      assert.equal(options.networkId, state?.networkId)
      const others = state?.nodes.filter((node) => node.name !== name) ?? []
      const addresses = others.map((node) => `/dns4/${node.name}/tcp/7420/p2p/${node.peerId}`)
      assert.deepEqual(options.p2p.peers, addresses)
      const grace = parseDuration(service.stop_grace_period)
      assert.ok(
        'value' in grace && grace.value > options.shutdown.timeoutMs,
        'killed while draining',
      )
    }
    const again = await run('devnet export --format compose --json')
    assert.deepEqual(JSON.parse(again.stdout), JSON.parse(stdout))
  }))

test('a format that is none is refused', () =>
  inWorld(async ({ run }) => {
    assert.equal((await run('devnet export --format helm')).code, 2)
    assert.equal((await run('devnet export')).code, 2)
  }))

test.run()
