// A container engine of our own: dockerd in namespaces for its processes, its mounts and its network, with its
// own data and socket. Nothing on this computer sees it but through the socket, and when the first process of the
// namespaces ends, by whatever, all that it ran ends with it: containers, mounts, bridges.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../e2e/eventually.ts'
import { type CommandOptions, type Ended, must, run, whereIs } from './commands.ts'
import { CGROUP } from './workplace.ts'

const START_MS = 60_000
const STOP_MS = 60_000
const CGROUPS = '/sys/fs/cgroup'

type Tools = {
  dockerd: string
  docker: string
  compose: string[]
  unshare: string
  debootstrap: string
}

// Version 23 and later of the client build through a plugin; before, they can by themselves.
async function canBuild(docker: string): Promise<boolean> {
  if ((await run(docker, ['buildx', 'version'])).code === 0) return true
  const { stdout } = await run(docker, ['--version'])
  const major = Number(/version (\d+)\./.exec(stdout)?.[1])
  return major >= 19 && major < 23
}

async function findDocker(): Promise<string | undefined> {
  for (const place of [whereIs('docker'), '/usr/local/bin/docker']) {
    if (place !== undefined && (await canBuild(place))) return place
  }
  return undefined
}

async function findCompose(docker: string | undefined): Promise<string[] | undefined> {
  if (docker !== undefined && (await run(docker, ['compose', 'version'])).code === 0) {
    return [docker, 'compose']
  }
  const alone = whereIs('docker-compose')
  return alone === undefined ? undefined : [alone]
}

/** The programs for it, or what is missing. */
export async function findEngine(): Promise<Tools | string> {
  if (process.platform !== 'linux') return 'an engine of our own needs Linux'
  if (process.getuid?.() !== 0) return 'an engine of our own needs root'
  const [dockerd, unshare] = [whereIs('dockerd'), whereIs('unshare')]
  const debootstrap = whereIs('debootstrap')
  const docker = await findDocker()
  const compose = await findCompose(docker)
  if (dockerd === undefined || docker === undefined) return 'no dockerd, or no client that builds'
  if (compose === undefined) return 'neither docker compose nor docker-compose'
  if (debootstrap === undefined) return 'no debootstrap to make a base image with'
  if (unshare === undefined) return 'no unshare'
  return { dockerd, docker, compose, unshare, debootstrap }
}

export class Engine {
  readonly #tools: Tools
  readonly #process: ChildProcess
  readonly environment: Readonly<Record<string, string>>
  readonly log: string

  private constructor(tools: Tools, child: ChildProcess, work: string) {
    this.#tools = tools
    this.#process = child
    this.log = join(work, 'dockerd.log')
    const host = `unix://${join(work, 'docker.sock')}`
    this.environment = { DOCKER_HOST: host, DOCKER_BUILDKIT: '1', DOCKER_CONFIG: work }
  }

  static async start(tools: Tools, work: string): Promise<Engine> {
    for (const folder of ['data', 'exec']) await mkdir(join(work, folder), { recursive: true })
    // Not what the engine of this computer is told, if it has one.
    await writeFile(join(work, 'daemon.json'), '{}')
    const host = `unix://${join(work, 'docker.sock')}`
    const flags = Object.entries({
      'data-root': join(work, 'data'),
      'exec-root': join(work, 'exec'),
      host,
      pidfile: join(work, 'docker.pid'),
      'config-file': join(work, 'daemon.json'),
      'cgroup-parent': `/${CGROUP}`,
      'default-address-pool': 'base=10.213.0.0/16,size=24',
    }).map(([name, value]) => `--${name}=${value}`)
    const namespaces = ['--mount', '--pid', '--net', '--fork', '--mount-proc']
    const script = 'ip link set lo up && exec "$0" "$@"'
    const child = spawn(
      tools.unshare,
      [...namespaces, '--kill-child=SIGKILL', 'sh', '-c', script, tools.dockerd, ...flags],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: SYSTEM_PATH } },
    )
    const engine = new Engine(tools, child, work)
    const log = createWriteStream(engine.log)
    child.stdout?.pipe(log)
    child.stderr?.pipe(log)
    try {
      await eventually('the engine answers', START_MS, async () => {
        if (child.exitCode !== null) throw new Error(readFileSync(engine.log, 'utf8').slice(-2_000))
        return (await engine.run('version')).code === 0 ? true : undefined
      })
    } catch (error) {
      await engine.close()
      throw error
    }
    return engine
  }

  run(line: string | readonly string[], options: CommandOptions = {}): Promise<Ended> {
    return run(this.#tools.docker, wordsOf(line), this.#with(options))
  }

  docker(line: string | readonly string[], options: CommandOptions = {}): Promise<string> {
    return must(this.#tools.docker, wordsOf(line), this.#with(options))
  }

  /** The client's words for a line of a shell, to be run with the environment. */
  command(...words: string[]): string[] {
    return [this.#tools.docker, ...words]
  }

  get composeCommand(): readonly string[] {
    return this.#tools.compose
  }

  compose(line: string, options: CommandOptions = {}): Promise<string> {
    const [program = '', ...first] = this.#tools.compose
    return must(program, [...first, ...wordsOf(line)], this.#with(options))
  }

  /** A program in the network of the engine, where its published ports are. */
  inNetwork(words: readonly string[], options: CommandOptions = {}): Promise<string> {
    return must('nsenter', ['--target', String(this.#inner()), '--net', ...words], options)
  }

  /** A signal from outside, as the kernel's killer of processes gives it. */
  async signal(container: string, signal: string): Promise<void> {
    const pid = (await this.docker(['inspect', '--format', '{{.State.Pid}}', container])).trim()
    const target = ['--target', String(this.#inner()), '--pid']
    await must('nsenter', [...target, 'sh', '-c', `kill -${signal} ${pid}`])
  }

  #with(options: CommandOptions): CommandOptions {
    return { ...options, env: { ...this.environment, ...options.env } }
  }

  // dockerd itself, as this side of the namespaces counts it.
  #inner(): number {
    const pid = this.#process.pid ?? 0
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    return Number(children[0])
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = once(this.#process, 'exit')
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS)
      try {
        process.kill(this.#inner(), 'SIGTERM')
      } catch {
        this.#process.kill('SIGKILL')
      }
      await gone
      clearTimeout(timer)
    }
    removeCgroups(CGROUP)
  }
}

const SYSTEM_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

function wordsOf(line: string | readonly string[]): readonly string[] {
  return typeof line === 'string' ? line.split(' ') : line
}

// What the containers were counted in stays as empty folders, one in each hierarchy.
function removeCgroups(name: string): void {
  for (const hierarchy of ['', ...readdirSync(CGROUPS)])
    removeCgroup(join(CGROUPS, hierarchy, name))
}

function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name))
  }
  rmdirSync(folder)
}
