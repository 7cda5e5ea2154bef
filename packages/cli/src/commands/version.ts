import { readFileSync } from 'node:fs'
import { PROTOCOL_VERSION } from '@mooring/ledger'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { createOutput, formatFields } from '../output.ts'

export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const manifest: { version: string } = JSON.parse(text)
  return manifest.version
}

export function addVersion(program: Command, context: Context): void {
  const command = program.command('version').description('print what runs here, and what it speaks')
  withHelp(command, { examples: ['mooring version', 'mooring version --json'], exits: [] })
  command.action(() => {
    const output = createOutput(context, command.optsWithGlobals<GlobalOptions>())
    const version = readVersion()
    const { node } = process.versions
    const platform = `${process.platform}-${process.arch}`
    if (output.isJson) {
      const schema = 'mooring/version/v1'
      output.json({ schema, version, node, platform, protocolVersions: [PROTOCOL_VERSION] })
      return
    }
    output.text(
      formatFields([
        ['mooring', version],
        ['node', node],
        ['platform', platform],
        ['protocol', `v${PROTOCOL_VERSION}`],
      ]),
    )
  })
}
