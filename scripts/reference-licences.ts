// The licences of all that is shipped, as the lockfile has them.

import { lockedPackages } from './lockfile.ts'

export function licencePage(): string {
  const shipped = lockedPackages().filter(({ isShipped }) => isShipped)
  const counts = Map.groupBy(shipped, ({ licence }) => licence ?? 'unknown')
  const summary = [...counts]
    .toSorted(([, one], [, other]) => other.length - one.length)
    .map(([licence, packages]) => `| ${licence} | ${packages.length} |`)
  const rows = shipped.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`)
  return `# Licences

Mooring is under Apache-2.0. What an image holds besides, without Node and its base, is under the licences below;
their texts stay in the image, in the folder of each package. \`npm run sbom\` writes the same as CycloneDX.

| licence | packages |
| --- | ---: |
${summary.join('\n')}

| package | version | licence |
| --- | --- | --- |
${rows.join('\n')}
`
}
