// What an image holds of us, made as docker/Dockerfile says but without an engine: the sources that are sent to
// a build, their production modules, pruned. The cache of npm that comes of it lets an engine do the same
// without a network.

import { cpSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DockerfileParser, JSONInstruction } from 'dockerfile-ast'
import { must } from './commands.ts'

export type Shipped = { tree: string; npmCache: string }

const SOURCES = ['package.json', 'package-lock.json', '.npmrc', 'packages', 'scripts']
const LEFT_OUT = /^packages\/[^/]+\/(test|bench)$|node_modules$/
const INSTALL_MS = 300_000

export const DOCKERFILE = 'docker/Dockerfile'

/** The npm of this run, or the one of the system. */
export async function npmFolder(): Promise<string> {
  const own = process.env['npm_execpath']
  if (own !== undefined && own.endsWith('npm-cli.js')) return join(own, '..', '..')
  if (own !== undefined && own.endsWith('npx-cli.js')) return join(own, '..', '..')
  return join((await must('npm', ['root', '--global'])).trim(), 'npm')
}

export async function shipTree(work: string): Promise<Shipped> {
  const tree = join(work, 'app')
  const npmCache = join(work, 'npm-cache')
  await mkdir(tree)
  for (const source of SOURCES) {
    cpSync(source, join(tree, source), {
      recursive: true,
      filter: (path) => !LEFT_OUT.test(path),
    })
  }
  const npm = join(await npmFolder(), 'bin', 'npm-cli.js')
  const flags = ['--omit=dev', '--omit=optional', '--ignore-scripts']
  await must(process.execPath, [npm, 'ci', ...flags, '--cache', npmCache], {
    cwd: tree,
    timeoutMs: INSTALL_MS,
  })
  await must(process.execPath, ['scripts/prune-modules.ts'], { cwd: tree })
  rmSync(join(tree, 'scripts'), { recursive: true })
  return { tree, npmCache }
}

function execForm(keyword: string): string[] {
  const dockerfile = DockerfileParser.parse(readFileSync(DOCKERFILE, 'utf8'))
  const found = dockerfile.getInstructions().findLast((each) => each.getKeyword() === keyword)
  if (!(found instanceof JSONInstruction)) throw new TypeError(`${keyword} has no exec form`)
  return found.getJSONStrings().map((each) => each.getJSONValue())
}

export type ImageContract = {
  entrypoint: string[]
  command: string[]
  healthcheck: string[]
  environment: Record<string, string>
}

/** What the Dockerfile promises whoever runs the image. */
export function imageContract(): ImageContract {
  const source = readFileSync(DOCKERFILE, 'utf8')
  const probe = /^HEALTHCHECK .*CMD (\[.+\])$/m.exec(source)?.[1] ?? '[]'
  const settings = [...source.matchAll(/^ENV (.+)$/gm)].flatMap(([, line = '']) => line.split(' '))
  const environment = settings.map((setting) =>
    setting.split('=', 1).concat(setting.slice(setting.indexOf('=') + 1)),
  )
  const healthcheck: string[] = JSON.parse(probe)
  return {
    entrypoint: execForm('ENTRYPOINT'),
    command: execForm('CMD'),
    healthcheck,
    environment: Object.fromEntries(environment),
  }
}
