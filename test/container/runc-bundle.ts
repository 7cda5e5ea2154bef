// The image without an engine: a bundle of runc over this computer's own /usr, with the entrypoint, the variables
// and the limits that the Dockerfile and the compose file give.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandOptions, type Ended, must, run, whereIs } from './commands.ts'
import { imageContract } from './shipped.ts'

const USER = { uid: 10_001, gid: 10_001 }
const TIMEOUT_MS = 60_000

export function findRunc(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null
  return whereIs('runc') ?? null
}

type Mount = { destination: string; type: string; source: string; options: string[] }

const bind = (source: string, destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'none',
  source,
  options: ['rbind', 'nosuid', 'nodev', ...options],
})

const tmpfs = (destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', 'nodev', 'mode=0700', ...options],
})

export type BundleInput = {
  work: string
  tree: string
  home: string
  config: string
  command?: string[]
}

export class Bundle {
  readonly #runc: string
  readonly #folder: string
  readonly #state: string
  readonly id: string

  constructor(runc: string, { work, tree, home, config, command }: BundleInput) {
    this.#runc = runc
    this.#folder = join(work, 'bundle')
    this.#state = join(work, 'runc')
    this.id = `mooring-test-${process.pid}`
    const root = join(this.#folder, 'root')
    for (const folder of ['usr', 'app', 'proc', 'dev', 'tmp', 'etc/mooring', 'var/lib/mooring']) {
      mkdirSync(join(root, folder), { recursive: true })
    }
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name))
    mkdirSync(join(root, 'node'))
    const mounts = [
      {
        destination: '/proc',
        type: 'proc',
        source: 'proc',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      { ...tmpfs('/dev'), options: ['nosuid', 'mode=0755'] },
      bind('/usr', '/usr', 'ro'),
      bind(join(process.execPath, '..'), '/node', 'ro'),
      bind(tree, '/app', 'ro'),
      bind(config, '/etc/mooring', 'ro'),
      bind(home, '/var/lib/mooring', 'rw'),
      tmpfs('/var/lib/mooring/run', `uid=${USER.uid}`, `gid=${USER.gid}`),
      tmpfs('/tmp', `uid=${USER.uid}`),
    ]
    const text = JSON.stringify(this.#specification(mounts, command))
    writeFileSync(join(this.#folder, 'config.json'), text)
  }

  #specification(mounts: Mount[], command?: string[]): object {
    const image = imageContract()
    const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }
    const variables = {
      ...image.environment,
      PATH: '/node:/usr/bin',
      MOORING_CONFIG: '/etc/mooring/mooring.toml',
    }
    return {
      ociVersion: '1.0.2',
      root: { path: 'root', readonly: true },
      mounts,
      process: {
        terminal: false,
        user: USER,
        args: [...image.entrypoint, ...(command ?? image.command)],
        env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
        cwd: '/app',
        capabilities: none,
        noNewPrivileges: true,
      },
      linux: {
        namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })),
        resources: { memory: { limit: 768 * 1024 * 1024 } },
      },
    }
  }

  /** Runs it to its end. */
  run(): Promise<Ended> {
    return run(this.#runc, ['--root', this.#state, 'run', '--bundle', this.#folder, this.id], {
      timeoutMs: TIMEOUT_MS,
    })
  }

  exec(words: readonly string[], options?: CommandOptions): Promise<Ended> {
    return run(this.#runc, ['--root', this.#state, 'exec', this.id, ...words], options)
  }

  async kill(signal: string): Promise<void> {
    await must(this.#runc, ['--root', this.#state, 'kill', this.id, signal])
  }

  async delete(): Promise<void> {
    await run(this.#runc, ['--root', this.#state, 'delete', '--force', this.id])
  }
}
