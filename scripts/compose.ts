/*
 * Writes docker/compose.yaml: what `mooring devnet export` makes of four hospitals, over the devnet in
 * .devnet/default.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { formatCompose } from '../packages/cli/src/devnet/compose.ts'
import { IMAGE_USER } from '../packages/cli/src/devnet/containers.ts'

const manifest: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'))

export const COMPOSE_FILE = 'docker/compose.yaml'

export function composeOfFour(): string {
  return formatCompose({
    title:
      'Four hospitals on this computer. Make their homes first:  npx mooring devnet export --format compose',
    version: manifest.version,
    hospitals: [0, 1, 2, 3].map((index) => `hospital-${index}`),
    homes: '../.devnet/default',
    configs: '../.devnet/default/containers',
    source: '..',
    docker: '.',
    user: `${IMAGE_USER}:${IMAGE_USER}`,
  })
}

if (import.meta.main) writeFileSync(COMPOSE_FILE, composeOfFour())
