/*
 * Writes docker/compose.yaml, what `mooring devnet export` makes of four hospitals, over the devnet in
 * .devnet/default, and what Prometheus asks of them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { formatCompose, formatPrometheus } from '../packages/cli/src/devnet/compose.ts'
import { IMAGE_USER } from '../packages/cli/src/devnet/containers.ts'

const manifest: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'))

export const COMPOSE_FILE = 'docker/compose.yaml'
export const PROMETHEUS_FILE = 'docker/prometheus/prometheus.yml'

const HOSPITALS = [0, 1, 2, 3].map((index) => `hospital-${index}`)

export function composeOfFour(): string {
  return formatCompose({
    title:
      'Four hospitals on this computer. Make their homes first:  npx mooring devnet export --format compose',
    version: manifest.version,
    hospitals: HOSPITALS,
    homes: '../.devnet/default',
    configs: '../.devnet/default/containers',
    source: '..',
    docker: '.',
    prometheusFile: './prometheus/prometheus.yml',
    user: `${IMAGE_USER}:${IMAGE_USER}`,
  })
}

export const prometheusOfFour = (): string => formatPrometheus(HOSPITALS)

if (import.meta.main) {
  writeFileSync(COMPOSE_FILE, composeOfFour())
  writeFileSync(PROMETHEUS_FILE, prometheusOfFour())
}
