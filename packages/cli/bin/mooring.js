#!/usr/bin/env node
// The one file that an older Node can load: it says what is missing before a `.ts` file fails to load.
if (Number.parseInt(process.versions.node, 10) >= 24) {
  await import('../src/main.ts')
} else {
  const command = ['npx', 'mooring'].concat(process.argv.slice(2)).join(' ')
  process.stderr.write(`error: Mooring needs Node 24 or newer, this is ${process.versions.node} (MOR-1001)
  This program was started with the Node of this computer. "npm ci" puts the
  right one into node_modules, and npm and npx find it there first.
  → In the project's folder:   ${command}
  → If it still says this:     npm ci   (or install Node 24 or newer)
  More: npx mooring explain MOR-1001
`)
  process.exitCode = 3
}
