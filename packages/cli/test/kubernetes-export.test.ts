// Hospitals for a cluster: what the manifests promise, and what an export adds to them.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { homePaths, loadNodeOptions, OPTION_ENTRIES } from '@mooring/node'
import { test } from 'uvu'
import { parseAllDocuments, parse } from 'yaml'
import { seedHome } from '../src/seed-home.ts'
import { inWorld } from './world.ts'

const BASE = 'docker/kubernetes/base'

type Port = { name?: string; containerPort?: number; port?: number; protocol?: string }
type Container = {
  name: string
  image: string
  command?: string[]
  env: { name: string; value: string }[]
  ports?: Port[]
  securityContext: Record<string, unknown>
  resources: { limits: { memory: string } }
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[]
  livenessProbe?: { httpGet: { path: string; port: string } }
  readinessProbe?: { httpGet: { path: string; port: string } }
}
type Pod = {
  automountServiceAccountToken: boolean
  enableServiceLinks: boolean
  terminationGracePeriodSeconds: number
  securityContext: Record<string, unknown>
  initContainers: Container[]
  containers: Container[]
  volumes: { name: string; configMap?: { name: string }; secret?: { secretName: string } }[]
}
type Manifest = {
  kind: string
  metadata: { name: string; labels?: Record<string, string> }
  spec: {
    replicas: number
    updateStrategy: { type: string }
    template: { metadata: { labels: Record<string, string> }; spec: Pod }
    selector: { matchLabels: Record<string, string> } & Record<string, string>
    volumeClaimTemplates: { metadata: { name: string }; spec: { accessModes: string[] } }[]
    ingress: { ports: Port[]; from?: unknown[] }[]
    ports: Port[]
    maxUnavailable?: number
  }
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text, { merge: true }).map((document) => document.toJS())
}

const list: { resources: string[] } = parse(readFileSync(join(BASE, 'kustomization.yaml'), 'utf8'))
const manifests = list.resources.flatMap((file) =>
  manifestsIn(readFileSync(join(BASE, file), 'utf8')),
)

function only(kind: string, all = manifests): Manifest {
  const found = all.filter((manifest) => manifest.kind === kind)
  assert.equal(found.length, 1, `${found.length} of ${kind}`)
  return found[0] ?? assert.fail()
}

test('acceptance 15: the base names every manifest of its folder', () => {
  const files = readdirSync(BASE).filter((name) => name !== 'kustomization.yaml')
  assert.deepEqual(list.resources.toSorted(), files.toSorted())
})

test('acceptance 15: one key has one pod, also while it is updated or moved', () => {
  const { spec } = only('StatefulSet')
  assert.equal(spec.replicas, 1)
  assert.equal(spec.updateStrategy.type, 'OnDelete')
  assert.deepEqual(spec.volumeClaimTemplates[0]?.spec.accessModes, ['ReadWriteOncePod'])
  assert.equal(only('PodDisruptionBudget').spec.maxUnavailable, 0)
  assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels)
})

test('acceptance 15: a pod has no rights, no token and nothing writable but its home and /tmp', () => {
  const pod = only('StatefulSet').spec.template.spec
  assert.equal(pod.automountServiceAccountToken, false)
  assert.equal(only('ServiceAccount').metadata.name, 'mooring')
  assert.equal(pod.enableServiceLinks, false)
  assert.deepEqual(pod.securityContext, {
    runAsNonRoot: true,
    runAsUser: 10_001,
    runAsGroup: 10_001,
    fsGroup: 10_001,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  })
  const containers = [...pod.initContainers, ...pod.containers]
  assert.equal(containers.length, 2)
  for (const container of containers) {
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    assert.ok(container.resources.limits.memory)
    const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true)
    const expected = container.name === 'home' ? ['/var/lib/mooring'] : ['/var/lib/mooring', '/tmp']
    assert.deepEqual(
      writable.map(({ mountPath }) => mountPath),
      expected,
    )
  }
})

test('acceptance 15: the variables of a pod are those that a node reads, and its home is below the volume', () => {
  const known = [
    'MOORING_HOME',
    'MOORING_CONFIG',
    ...OPTION_ENTRIES.map(({ variable }) => variable),
  ]
  const pod = only('StatefulSet').spec.template.spec
  for (const { env } of [...pod.initContainers, ...pod.containers]) {
    for (const { name, value } of env) {
      assert.ok(known.includes(name), name)
      if (name === 'MOORING_HOME') assert.match(value, /^\/var\/lib\/mooring\/.+/)
    }
  }
})

test('a pod lives by /livez, is ready by /readyz, and has time to drain', () => {
  const pod = only('StatefulSet').spec.template.spec
  const [node] = pod.containers
  assert.deepEqual(node?.livenessProbe?.httpGet, { path: '/livez', port: 'metrics' })
  assert.deepEqual(node?.readinessProbe?.httpGet, { path: '/readyz', port: 'metrics' })
  const timeout = OPTION_ENTRIES.find(({ name }) => name === 'shutdown.timeout')?.default
  assert.ok(pod.terminationGracePeriodSeconds * 1_000 > Number(timeout))
})

test('from outside a pod is reached on the port of the members; metrics only where it is allowed', () => {
  const { ingress } = only('NetworkPolicy').spec
  const open = ingress.filter(({ from }) => from === undefined)
  assert.deepEqual(
    open.flatMap(({ ports }) => ports),
    [{ protocol: 'TCP', port: 7420 }],
  )
  const limited = ingress.filter(({ from }) => from !== undefined)
  assert.deepEqual(
    limited.flatMap(({ ports }) => ports),
    [{ protocol: 'TCP', port: 7423 }],
  )
})

test('acceptance 15: an export adds to each hospital its configuration and its own keys', () =>
  inWorld(async ({ folder, run }) => {
    const ran = await run('devnet export --format kustomize -o cluster --json')
    assert.equal(ran.code, 0, ran.stderr)
    const { hospitals }: { hospitals: string[] } = JSON.parse(ran.stdout)
    const seen = new Set<string>()
    for (const name of hospitals) {
      const place = join(folder, 'cluster', name)
      const home = join(folder, name)
      const keys = readdirSync(join(place, 'keys'))
      assert.deepEqual(keys.toSorted(), [
        'anchor.json',
        'consensus.json',
        'seal.json',
        'transport.json',
      ])
      assert.deepEqual(await seedHome(home, place), keys.toSorted())
      const configPath = join(place, 'mooring.toml')
      const options = await loadNodeOptions({ home, configPath, flags: {}, env: {} })
      assert.equal(options.organisation?.id, name)
      assert.deepEqual(
        options.p2p.peers.map((peer) => peer.split('/')[2]),
        hospitals.filter((other) => other !== name).map((other) => `${other}-mooring`),
      )
      const grace = only('StatefulSet').spec.template.spec.terminationGracePeriodSeconds
      assert.ok(grace * 1_000 > options.shutdown.timeoutMs)
      seen.add(options.networkId)
    }
    assert.equal(seen.size, 1, 'more than one network')
    const again = await run('devnet export --format kustomize -o cluster')
    assert.equal(again.code, 7)
    assert.equal((await run('devnet export --format kustomize')).code, 2)
    assert.deepEqual(readdirSync(folder).includes('.devnet'), false, 'a devnet has these keys too')
    renders(join(folder, 'cluster'), hospitals)
  }))

// By kustomize itself, where there is one.
function renders(folder: string, hospitals: readonly string[]): void {
  const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], {
    encoding: 'utf8',
  })
  if (error !== undefined) return
  assert.equal(status, 0, stderr)
  const all = manifestsIn(stdout)
  for (const name of hospitals) {
    const own = all.filter(({ metadata }) => metadata.name.startsWith(`${name}-`))
    const { spec } = only('StatefulSet', own)
    assert.equal(spec.selector.matchLabels['app.kubernetes.io/instance'], name)
    const names = own.map(({ metadata }) => metadata.name)
    for (const { configMap, secret } of spec.template.spec.volumes) {
      const wanted = configMap?.name ?? secret?.secretName
      assert.ok(
        wanted === undefined || names.includes(wanted),
        `${name}: nothing is called ${wanted}`,
      )
    }
    const services = own.filter(({ kind }) => kind === 'Service')
    assert.equal(services.length, 2)
    for (const service of services) {
      assert.equal(service.spec.selector['app.kubernetes.io/instance'], name)
    }
  }
}

test('a home is brought its keys once: what the network renewed since stays', () =>
  inWorld(async ({ folder }) => {
    const seed = join(folder, 'seed')
    mkdirSync(join(seed, 'keys', '..data'), { recursive: true })
    writeFileSync(join(seed, 'keys', 'consensus.json'), 'first', { mode: 0o644 })
    const home = join(folder, 'home')
    assert.deepEqual(await seedHome(home, seed), ['consensus.json'])
    const path = join(homePaths(home).keys, 'consensus.json')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(home).mode & 0o777, 0o700)
    writeFileSync(path, 'renewed')
    assert.deepEqual(await seedHome(home, seed), [])
    assert.equal(readFileSync(path, 'utf8'), 'renewed')
    assert.deepEqual(readdirSync(homePaths(home).guard), [])
  }))

test('a key that is not there whole does not have its name, and is brought the next time', () =>
  inWorld(async ({ folder }) => {
    const seed = join(folder, 'seed')
    const source = join(seed, 'keys', 'consensus.json')
    mkdirSync(join(seed, 'keys'), { recursive: true })
    assert.equal(spawnSync('mkfifo', [source]).status, 0)
    const home = join(folder, 'home')
    const seeding = seedHome(home, seed)
    // Opens when somebody reads.
    const writer = await openFile(source, 'w')
    await writer.write('first half')
    const { keys } = homePaths(home)
    assert.ok(!readdirSync(keys).includes('consensus.json'))
    await writer.write(', second half')
    await writer.close()
    assert.deepEqual(await seeding, ['consensus.json'])
    assert.equal(readFileSync(join(keys, 'consensus.json'), 'utf8'), 'first half, second half')
    rmSync(join(keys, 'consensus.json'))
    rmSync(source)
    writeFileSync(join(keys, 'consensus.json.part'), 'first h')
    writeFileSync(source, 'all of it')
    assert.deepEqual(await seedHome(home, seed), ['consensus.json'])
    assert.deepEqual(readdirSync(keys), ['consensus.json'])
    assert.equal(readFileSync(join(keys, 'consensus.json'), 'utf8'), 'all of it')
  }))

test.run()
