/*
 * Writes the reference pages and the schemas from the code that they describe.
 *
 *   node scripts/reference.ts [--check]
 *
 * Nothing in docs/reference is written by hand. With --check nothing is written: each page that differs
 * is named, and the exit code is 1.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { referencePages } from './reference-pages.ts'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const folder = join(import.meta.dirname, '../docs/reference')
const pages = await referencePages()
const stale = globSync('**/*.{md,json}', { cwd: folder }).filter((path) => !pages.has(path))
const differing = [...pages].filter(([path, text]) => {
  const file = join(folder, path)
  return !existsSync(file) || readFileSync(file, 'utf8') !== text
})

for (const path of stale) {
  console.log(`${values.check ? 'not made from code' : 'removed'}  ${path}`)
  if (!values.check) rmSync(join(folder, path))
}
for (const [path, text] of differing) {
  const file = join(folder, path)
  console.log(`${values.check ? 'out of date' : 'written'}  ${relative('.', file)}`)
  if (values.check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
console.log(`${pages.size} pages, ${differing.length + stale.length} changed`)
if (values.check && differing.length + stale.length > 0) process.exitCode = 1
