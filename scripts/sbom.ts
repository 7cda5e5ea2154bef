/*
 * Prints the bill of materials of what is shipped, as CycloneDX.
 *
 *   npm run --silent sbom > mooring.cdx.json
 *
 * npm makes it of the whole lockfile; its own `--omit dev` also leaves out what is needed both here and in an
 * image, so that what is not shipped is taken out by the lockfile instead.
 */
import { execFileSync } from 'node:child_process'
import { lockedPackages } from './lockfile.ts'

type Component = { 'bom-ref': string; name: string; version: string }
type Bill = { components: Component[]; dependencies: { ref: string; dependsOn?: string[] }[] }

const OUTPUT_MAX = 64 * 1024 * 1024

const text = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
  encoding: 'utf8',
  maxBuffer: OUTPUT_MAX,
})
const bill: Bill = JSON.parse(text)
const left = new Set(
  lockedPackages()
    .filter(({ isShipped }) => !isShipped)
    .map(({ name, version }) => `${name}@${version}`),
)
const gone = new Set(
  bill.components
    .filter(({ name, version }) => left.has(`${name}@${version}`))
    .map((component) => component['bom-ref']),
)
const stays = (reference: string) => !gone.has(reference)
bill.components = bill.components.filter((component) => stays(component['bom-ref']))
bill.dependencies = bill.dependencies
  .filter(({ ref }) => stays(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(stays) }))
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`)
