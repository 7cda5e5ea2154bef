// The hospitals of an exported devnet, as an engine runs them.

import { eventually } from '../e2e/eventually.ts'
import type { Ended } from './commands.ts'
import type { Engine } from './engine.ts'

const HEALTHY_MS = 90_000
const AGREE_MS = 60_000
const COMPOSE_MS = 180_000
const TRIAL_MS = 60_000

export type State = {
  Status: string
  ExitCode: number
  RestartCount: number
  StartedAt: string
  FinishedAt: string
  Health?: { Status: string; Log: { Start: string; ExitCode: number; Output: string }[] }
}

type Status = {
  chain: { height: number }
  consensus: { live: number }
  node: { role: string }
}

export class Hospitals {
  readonly #engine: Engine
  readonly #file: string
  readonly #ids = new Map<string, string>()

  constructor(engine: Engine, file: string) {
    this.#engine = engine
    this.#file = file
  }

  compose(line: string): Promise<string> {
    return this.#engine.compose(`--file ${this.#file} ${line}`, { timeoutMs: COMPOSE_MS })
  }

  /** Its container was replaced by another one. */
  forget(name: string): void {
    this.#ids.delete(name)
  }

  async container(name: string): Promise<string> {
    const known = this.#ids.get(name)
    if (known !== undefined) return known
    const id = (await this.compose(`ps --quiet ${name}`)).trim()
    this.#ids.set(name, id)
    return id
  }

  async state(name: string): Promise<State> {
    const text = await this.#engine.docker(['inspect', await this.container(name)])
    const [found]: { State: State; RestartCount: number }[] = JSON.parse(text)
    if (found === undefined) throw new Error(`there is no container of ${name}`)
    return { ...found.State, RestartCount: found.RestartCount }
  }

  /** From the start of its container to the first probe that it passed. */
  async healthyAfterMs(name: string): Promise<number> {
    const { StartedAt, Health } = await this.state(name)
    const passed = Health?.Log.find(({ ExitCode }) => ExitCode === 0)
    return Date.parse(passed?.Start ?? '') - Date.parse(StartedAt)
  }

  async healthy(name: string): Promise<State> {
    return eventually(`${name} is healthy`, HEALTHY_MS, async () => {
      const state = await this.state(name)
      return state.Health?.Status === 'healthy' ? state : undefined
    })
  }

  /** A program of the image, beside the node. */
  async exec(name: string, words: readonly string[], stdin = ''): Promise<Ended> {
    const container = await this.container(name)
    const line = ['exec', '--interactive', container, ...words]
    return this.#engine.run(line, { stdin, timeoutMs: TRIAL_MS })
  }

  /** A command of the node that must end well; gives its JSON document. */
  async mooring<T>(name: string, line: string, stdin = ''): Promise<T> {
    const { code, stdout, stderr } = await this.exec(
      name,
      ['mooring', ...line.split(' '), '--json'],
      stdin,
    )
    if (code !== 0) throw new Error(`${name}: mooring ${line}: ${code}\n${stdout}${stderr}`)
    const document: T = JSON.parse(stdout)
    return document
  }

  status(name: string): Promise<Status> {
    return this.mooring<Status>(name, 'status')
  }

  async reaches(name: string, height: number): Promise<number> {
    return eventually(`${name} has block ${height}`, AGREE_MS, async () => {
      const { chain } = await this.status(name)
      return chain.height >= height ? chain.height : undefined
    })
  }

  async logOf(name: string): Promise<string> {
    const { stdout, stderr } = await this.#engine.run(['logs', await this.container(name)])
    return stdout + stderr
  }
}
