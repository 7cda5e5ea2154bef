// The stand-in for the base of docker/Dockerfile where no registry of images is reached: the same Debian, by
// debootstrap, with this project's Node and the npm of this run, which works from a cache alone.

import { copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from './commands.ts'
import { npmFolder } from './shipped.ts'

const SUITE = 'bookworm'
const DEBOOTSTRAP_MS = 400_000
// Debian's own slim image leaves these out as well.
const SLIM = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var/lib/apt/lists']

export const BASE = 'mooring-test-base:bookworm'

export async function makeBaseRoot(debootstrap: string, root: string): Promise<void> {
  await must(debootstrap, ['--variant=minbase', SUITE, root], { timeoutMs: DEBOOTSTRAP_MS })
  for (const folder of SLIM) await rm(join(root, folder), { recursive: true, force: true })
  await must('sh', ['-c', 'rm -f "$0"/var/cache/apt/archives/*.deb', root])
  const local = join(root, 'usr', 'local')
  await copyFile(process.execPath, join(local, 'bin', 'node'))
  const modules = join(local, 'lib', 'node_modules')
  await mkdir(modules, { recursive: true })
  await cp(await npmFolder(), join(modules, 'npm'), { recursive: true })
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'))
  await writeFile(join(local, 'etc', 'npmrc'), 'offline=true\n')
}

/** Fills the cache that the Dockerfile mounts, under the name that it has there. */
export async function seedDockerfile(): Promise<string> {
  const source = await readFile('docker/Dockerfile', 'utf8')
  const target = /--mount=type=cache,target=(\S+)/.exec(source)?.[1]
  if (target === undefined) throw new TypeError('the Dockerfile mounts no cache of npm')
  return `FROM ${BASE}
COPY . /seed
RUN --mount=type=cache,target=${target} cp -a /seed/. ${target}/
`
}
