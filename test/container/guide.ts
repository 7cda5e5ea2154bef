// The pages about containers, as a reader types them: their `sh container` blocks, with an engine of our own behind
// the word `docker`, in a folder that looks like the sources.

import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { testBlocks } from '../../scripts/doc-blocks.ts'
import { must } from './commands.ts'
import type { Engine } from './engine.ts'

const SOURCES = ['docker', 'docs', 'node_modules', 'packages', 'package.json', 'package-lock.json']
const PAGE_MS = 420_000

// Compose as a program of its own asks for a terminal, and loses what a command says once its input has ended; its
// successor does neither.
const docker = (client: string, compose: string) => `#!/bin/bash
if [ "$1" != compose ]; then exec ${client} "$@"; fi
shift
files=()
while [ $# -gt 0 ] && [ "$1" != exec ] && [ "$1" != run ]; do files+=("$1"); shift; done
case "$1" in
  exec)
    if [ "$2" = -T ]; then shift; fi
    exec ${client} exec --interactive "$(${compose} "\${files[@]}" ps --quiet "$2")" "\${@:3}" ;;
  run) exec ${compose} "\${files[@]}" run -T "\${@:2}" ;;
  *) exec ${compose} "\${files[@]}" ;;
esac
`

export class Guide {
  readonly #engine: Engine
  readonly #path: string
  readonly folder: string

  constructor(engine: Engine, work: string) {
    this.#engine = engine
    this.folder = join(work, 'guide')
    const programs = join(work, 'programs')
    for (const folder of [this.folder, programs]) mkdirSync(folder)
    for (const name of SOURCES) symlinkSync(resolve(name), join(this.folder, name))
    const [client = ''] = engine.command()
    const script = join(programs, 'docker')
    writeFileSync(script, docker(client, engine.composeCommand.join(' ')))
    chmodSync(script, 0o755)
    this.#path = [programs, process.env['PATH'] ?? ''].join(delimiter)
  }

  /** The blocks of a page, or those before or after one of its headings. */
  async type(page: string, part?: { before?: string; from?: string }): Promise<string> {
    const text = readFileSync(page, 'utf8')
    const lineOf = (heading: string) => text.split('\n').indexOf(heading) + 1
    const first = part?.from === undefined ? 0 : lineOf(part.from)
    const last = part?.before === undefined ? Infinity : lineOf(part.before)
    const blocks = testBlocks(text, 'container').filter(({ line }) => line > first && line < last)
    if (blocks.length === 0) throw new Error(`${page} has no block there`)
    const script = blocks.map(({ line, commands }) => `echo '--- ${page}:${line}'\n${commands}\n`)
    return must('bash', ['--norc', '-euo', 'pipefail', '-c', script.join('')], {
      cwd: this.folder,
      timeoutMs: PAGE_MS,
      env: { ...this.#engine.environment, PATH: this.#path },
    })
  }
}
