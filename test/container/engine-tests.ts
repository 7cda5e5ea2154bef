// Level 4: four hospitals in an engine, from the build of their image to their last log line.

import assert from 'node:assert/strict'
import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { succeed } from '../e2e/devnet.ts'
import { eventually } from '../e2e/eventually.ts'
import { BASE, seedDockerfile } from './base-image.ts'
import { must } from './commands.ts'
import type { Engine } from './engine.ts'
import { Guide } from './guide.ts'
import { Hospitals } from './hospitals.ts'
import { DOCKERFILE, imageContract, type Shipped } from './shipped.ts'

export type EngineWorld = {
  work: string
  starting: Promise<Engine>
  shipping: Promise<Shipped>
  base: Promise<string>
  figure: (text: string) => void
}

const NAMES = [0, 1, 2, 3].map((index) => `hospital-${index}`)
const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'))
const TAG = `mooring:${version}`
const INSTALLING = 'docs/how-to/installing-the-container.md'
const UPGRADING = 'docs/how-to/upgrading.md'
const BUILD_MS = 300_000
const COME_BACK_MS = 60_000
const RECORD = readFileSync('docs/examples/allergy.json', 'utf8')

type Submitted = { items: { records: { id: string }[] }[] }
type BlockAnswer = { digest: string }

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`

async function build(world: EngineWorld): Promise<void> {
  const { work, figure } = world
  const engine = await world.starting
  const root = await world.base
  await must(
    'sh',
    ['-c', `tar -C "$0" -c . | "$@"`, root, ...engine.command('import', '-', BASE)],
    {
      env: engine.environment,
      timeoutMs: BUILD_MS,
    },
  )
  const seed = join(work, 'seed.Dockerfile')
  writeFileSync(seed, await seedDockerfile())
  const { npmCache } = await world.shipping
  const options = { timeoutMs: BUILD_MS }
  await engine.docker(['build', '--quiet', '--tag', 'seed', '--file', seed, npmCache], options)
  const base = ['--build-arg', `BASE=${BASE}`]
  const started = performance.now()
  await engine.docker(['build', ...base, '--tag', TAG, '--file', DOCKERFILE, '.'], options)
  const sizes = await Promise.all(
    [TAG, BASE].map((tag) => engine.docker(['inspect', '--format', '{{.Size}}', tag])),
  )
  const [whole = 0, below = 0] = sizes.map(Number)
  figure(`level 4: built in ${seconds(performance.now() - started)} without a network`)
  figure(`image: ${mebibytes(whole - below)} above a base of ${mebibytes(below)}`)
}

async function submit(hospitals: Hospitals, name: string): Promise<string> {
  const { items } = await hospitals.mooring<Submitted>(name, 'record submit - --wait', RECORD)
  const id = items[0]?.records[0]?.id
  assert.ok(id !== undefined, 'no record')
  return id
}

function testImage(world: EngineWorld): void {
  test('acceptance 15: level 4, an engine builds the Dockerfile as it is, from another base', async () => {
    await build(world)
    const engine = await world.starting
    type Image = {
      Config: Record<'User' | 'StopSignal', string> &
        Record<'Entrypoint' | 'Cmd', string[]> & { Healthcheck: { Test: string[] } }
    }
    const [image]: Image[] = JSON.parse(await engine.docker(['inspect', TAG]))
    const contract = imageContract()
    assert.equal(image?.Config.User, '10001:10001')
    assert.equal(image?.Config.StopSignal, 'SIGTERM')
    assert.deepEqual(image?.Config.Entrypoint, contract.entrypoint)
    assert.deepEqual(image?.Config.Healthcheck.Test, ['CMD', ...contract.healthcheck])
    const look = ['--format', '%a %u:%g', '/var/lib', '/var/lib/mooring', '/app/packages']
    const modes = await engine.docker(['run', '--rm', '--entrypoint', 'stat', TAG, ...look])
    assert.deepEqual(modes.trim().split('\n'), ['755 0:0', '750 10001:10001', '755 0:0'])
  })

  test('acceptance 15: level 4, a new volume becomes a home without anybody giving it away', async () => {
    const engine = await world.starting
    const limits = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
    const passphrase = join(world.work, 'passphrase')
    writeFileSync(passphrase, 'correct horse battery staple', { mode: 0o400 })
    chownSync(passphrase, 10_001, 10_001)
    const secret = ['--volume', `${passphrase}:/run/secrets/passphrase:ro`]
    const volume = ['--volume', 'one:/var/lib/mooring', ...secret]
    const line = ['run', '--rm', ...limits, ...volume, TAG]
    const init = ['init', '--name', 'st-mary', '--passphrase-file', '/run/secrets/passphrase']
    await engine.docker([...line, ...init])
    const again = await engine.run([...line, ...init])
    assert.equal(again.code, 7, again.stderr)
    const foreign = await engine.run([
      'run',
      '--rm',
      '--user',
      '12345:12345',
      ...line.slice(2),
      'start',
    ])
    assert.equal(foreign.code, 3, foreign.stderr)
    assert.match(foreign.stderr, /MOR-1009/)
    assert.match(foreign.stderr, /chown -R 12345/)
  })
}

type Trial = { guide: Guide; net: Hospitals }

function testHospitals(world: EngineWorld, trial: Promise<Trial>): void {
  const { figure, starting } = world
  const hospitals = trial.then(({ net }) => net)
  hospitals.catch(() => undefined)
  let record = ''

  test('acceptance 15: level 4, four hospitals of the compose file, and a fifth that joins them', async () => {
    const { guide, net } = await trial
    const started = performance.now()
    const said = await guide.type(INSTALLING, { before: '## Stop the trial' })
    figure(
      `trial, installation and admission, as the page says: ${seconds(performance.now() - started)}`,
    )
    assert.match(said, /riverside .*observer/)
    for (const name of NAMES) await net.healthy(name)
    for (const name of NAMES) await net.reaches(name, 3)
    const waits = []
    for (const name of NAMES) waits.push(await net.healthyAfterMs(name))
    figure(`healthy ${waits.map(seconds).join(', ')} after the start, asked every 10 s`)
    const blocks = []
    for (const name of NAMES) blocks.push(await net.mooring<BlockAnswer>(name, 'block get 3'))
    assert.equal(new Set(blocks.map(({ digest }) => digest)).size, 1, JSON.stringify(blocks))
    const { consensus } = await net.status('hospital-0')
    assert.equal(consensus.live, 4)
  })

  test('acceptance 15: level 4, a hospital is replaced by a new container, as the page says', async () => {
    const { guide, net } = await trial
    await guide.type(UPGRADING)
    net.forget('hospital-1')
    await net.healthy('hospital-1')
  })

  test('acceptance 15: level 4, a container has no rights, and may write to its home alone', async () => {
    const net = await hospitals
    const facts = (await net.exec('hospital-0', ['cat', '/proc/1/status'])).stdout
    assert.match(facts, /^Uid:\s+10001\s+10001\s+10001\s+10001$/m)
    assert.match(facts, /^CapEff:\s+0+$/m)
    assert.match(facts, /^CapBnd:\s+0+$/m)
    assert.match(facts, /^NoNewPrivs:\s+1$/m)
    assert.match(facts, /^Seccomp:\s+2$/m)
    for (const path of ['/app/x', '/etc/mooring/mooring.toml', '/x']) {
      const { code, stderr } = await net.exec('hospital-0', ['sh', '-c', `echo x >> ${path}`])
      assert.notEqual(code, 0, `${path} can be written`)
      assert.match(stderr, /Read-only file system|Permission denied/)
    }
    const [, resident = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(facts) ?? []
    figure(`a hospital at rest: ${mebibytes(Number(resident) * 1024)} resident`)
  })

  test('acceptance 15: level 4, records are taken, proved and read; the metrics are on their port', async () => {
    const net = await hospitals
    const engine = await starting
    record = await submit(net, 'hospital-0')
    const got = await net.exec('hospital-0', ['mooring', 'record', 'get', record])
    assert.equal(got.stdout, RECORD)
    const ask =
      "fetch('http://127.0.0.1:7433/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))"
    const metrics = await engine.inNetwork([process.execPath, '--eval', ask])
    assert.match(metrics, /^mooring_build_info\{.*version="/m)
    assert.match(metrics, /^mooring_ready 1$/m)
  })

  test('acceptance 15: level 4, one is killed: the others go on, it comes back and has all of it', async () => {
    const net = await hospitals
    const engine = await starting
    await engine.docker(['kill', await net.container('hospital-3')])
    const missed = await submit(net, 'hospital-1')
    assert.equal((await net.exec('hospital-1', ['mooring', 'record', 'get', missed])).code, 0)
    const { chain } = await net.status('hospital-0')
    const started = performance.now()
    await net.compose('start hospital-3')
    await net.healthy('hospital-3')
    await net.reaches('hospital-3', chain.height)
    figure(
      `a killed hospital healthy and level again ${seconds(performance.now() - started)} after its start`,
    )
    const digests = []
    for (const name of ['hospital-0', 'hospital-3']) {
      digests.push((await net.mooring<BlockAnswer>(name, `block get ${chain.height}`)).digest)
    }
    assert.equal(digests[0], digests[1])
  })

  test('acceptance 15: level 4, one that crashes is started again by the engine', async () => {
    const net = await hospitals
    const engine = await starting
    const before = await net.state('hospital-2')
    await engine.signal(await net.container('hospital-2'), 'KILL')
    await eventually('it is started again', COME_BACK_MS, async () => {
      const { RestartCount } = await net.state('hospital-2')
      return RestartCount > before.RestartCount ? true : undefined
    })
    await net.healthy('hospital-2')
    await eventually('all of them vote again', COME_BACK_MS, async () => {
      const { consensus } = await net.status('hospital-0')
      return consensus.live === 4 ? true : undefined
    })
  })

  test('acceptance 15: level 4, SIGTERM drains: in order, within the grace, and the log is kept', async () => {
    const net = await hospitals
    const engine = await starting
    const started = performance.now()
    await engine.docker(['stop', '--time', '30', await net.container('hospital-0')])
    figure(`a hospital drained in ${seconds(performance.now() - started)}`)
    assert.equal((await net.state('hospital-0')).ExitCode, 0)
    await net.compose('start hospital-0')
    await net.healthy('hospital-0')
    const again = await net.exec('hospital-0', ['mooring', 'record', 'get', record])
    assert.equal(again.stdout, RECORD, 'what was taken before the stop is there after it')
    await net.compose('stop')
    for (const name of NAMES) {
      const { ExitCode, Status } = await net.state(name)
      assert.deepEqual({ ExitCode, Status }, { ExitCode: 0, Status: 'exited' }, name)
    }
    const log = await net.logOf('hospital-0')
    assert.equal(log.match(/"message":"node started"/g)?.length, 2, log.slice(-3_000))
    assert.equal(log.match(/SIGTERM: stopping in order/g)?.length, 2, log.slice(-3_000))
    for (const line of log.split('\n').filter((text) => text.startsWith('{'))) JSON.parse(line)
    const { guide } = await trial
    await guide.type(INSTALLING, { from: '## Stop the trial', before: '## Kubernetes' })
    assert.equal((await (await starting).docker('ps --all --quiet')).trim(), '')
  })

  test('the same homes go on as processes, from where the containers stopped', async () => {
    const dir = join((await trial).guide.folder, 'hospitals')
    await succeed(`devnet up --detach --dir ${dir} --base-port 0`, world.work)
    const { stdout } = await succeed(`devnet check --dir ${dir}`, world.work)
    assert.doesNotMatch(stdout, /BROKEN/)
    await succeed(`devnet down --dir ${dir}`, world.work)
  })
}

export function testEngine(world: EngineWorld): void {
  testImage(world)
  const trial = (async () => {
    const engine = await world.starting
    const guide = new Guide(engine, world.work)
    return { guide, net: new Hospitals(engine, join(guide.folder, 'hospitals', 'compose.yaml')) }
  })()
  trial.catch(() => undefined)
  testHospitals(world, trial)
}
