#!/usr/bin/env node
// The one file that an older Node can load: it says what is missing before a `.ts` file fails to load.
//
// What Node makes of the sources, types stripped and compiled, is kept beside the packages, whose
// owner alone can write there: half of the time to start, and the compiler that strips types, some
// 13 MB, stays out of memory. The threads of a node learn of it by the environment: for each of them the
// same. NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE=1 does without; with coverage
// it would hide which functions ran.
import module from 'node:module'
import { fileURLToPath } from 'node:url'

if (Number.parseInt(process.versions.node, 10) >= 24) {
  if (process.env.NODE_V8_COVERAGE === undefined) {
    const folder = new URL('../../../node_modules/.cache/mooring', import.meta.url)
    process.env.NODE_COMPILE_CACHE ??= fileURLToPath(folder)
    module.enableCompileCache()
  }
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
