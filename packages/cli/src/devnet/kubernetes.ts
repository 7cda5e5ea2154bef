// A network for a cluster: one overlay for each hospital over docker/kubernetes/base, with its configuration and
// its keys. The keys are made for it and are in no other place: a devnet here with the same ones would sign
// against the cluster.

import { cp, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevnet, type Devnet } from '@mooring/node/devnet'
import { homePaths } from '@mooring/node/home'
import { keyFileName } from '@mooring/node/keys'
import { NodeError } from '@mooring/node/node-error'
import { containerConfig } from './containers.ts'

export type KubernetesInput = {
  folder: string
  sources: string
  name: string
  version: string
  nodes: number
  heartbeatMs: number
}

export type KubernetesFiles = { file: string; hospitals: string[]; networkId: string }

// What the node signs with; the key of governance goes beside, to be taken away.
const DUTIES = ['consensus', 'transport', 'anchor', 'seal'] as const

const serviceOf = (hospital: string) => `${hospital}-mooring`

function formatOverlay(name: string, version: string): string {
  const files = DUTIES.map((duty) => `      - keys/${keyFileName(duty)}`).join('\n')
  return `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: ${name}-
labels:
  - includeSelectors: true
    pairs: { app.kubernetes.io/instance: ${name} }
resources:
  - ../base
images:
  - { name: mooring, newName: mooring, newTag: "${version}" }
configMapGenerator:
  - name: mooring
    files:
      - mooring.toml
      - genesis.json
secretGenerator:
  - name: mooring-keys
    files:
${files}
`
}

function formatWhole(hospitals: readonly string[]): string {
  const resources = hospitals.map((name) => `  - ${name}\n`).join('')
  return `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${resources}`
}

async function refuseUsed(folder: string): Promise<void> {
  const content = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  if (content.length > 0) throw new NodeError('file_exists', { path: folder })
}

async function writeHospital(devnet: Devnet, name: string, input: KubernetesInput): Promise<void> {
  const from = homePaths(join(devnet.dir, name))
  const folder = join(input.folder, name)
  await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 })
  for (const duty of DUTIES) {
    await copyFile(join(from.keys, keyFileName(duty)), join(folder, 'keys', keyFileName(duty)))
  }
  const governance = join(input.folder, 'governance')
  await mkdir(governance, { recursive: true, mode: 0o700 })
  await copyFile(join(from.keys, keyFileName('governance')), join(governance, `${name}.json`))
  await copyFile(from.genesisFile, join(folder, 'genesis.json'))
  const { networkId, nodes: members } = devnet
  const config = containerConfig({ name, networkId, members, hostOf: serviceOf })
  await writeFile(join(folder, 'mooring.toml'), config)
  await writeFile(join(folder, 'kustomization.yaml'), formatOverlay(name, input.version))
}

export async function exportKubernetes(input: KubernetesInput): Promise<KubernetesFiles> {
  const { folder, name, nodes, heartbeatMs } = input
  await refuseUsed(folder)
  const draft = await mkdtemp(join(tmpdir(), 'mooring-export-'))
  try {
    const devnet = await createDevnet({ dir: draft, nodes, basePort: 7420, name, heartbeatMs })
    const hospitals = devnet.nodes.map((node) => node.name)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const base = join(input.sources, 'docker', 'kubernetes', 'base')
    await cp(base, join(folder, 'base'), { recursive: true })
    for (const hospital of hospitals) await writeHospital(devnet, hospital, input)
    const file = join(folder, 'kustomization.yaml')
    await writeFile(file, formatWhole(hospitals))
    return { file, hospitals, networkId: devnet.networkId }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}
