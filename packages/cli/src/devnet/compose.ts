// The compose file of a devnet: its hospitals as containers, over the homes that are there. docker/compose.yaml
// is what this makes of four of them, so that both stay one.

import type { ContainerNetwork } from './containers.ts'

// Above what a drain takes at most, [shutdown] timeout.
const STOP_GRACE = '30s'
const METRICS_PORT = 7423
const PORT_STEP = 10

const COMMON = (network: ContainerNetwork) => `x-hospital: &hospital
  image: \${MOORING_IMAGE:-mooring:${network.version}}
${network.source === null ? '' : formatBuild(network.source)}  user: "${network.user}"
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  restart: unless-stopped
  stop_grace_period: ${STOP_GRACE}
  mem_limit: 768m
  pids_limit: 128
  networks: [hospitals]
  environment:
    MOORING_CONFIG: /etc/mooring/mooring.toml
  healthcheck:
    test: ["CMD", "node", "packages/cli/src/healthcheck.ts"]
    interval: 10s
    timeout: 5s
    start_period: 20s
    retries: 3
  logging:
    driver: json-file
    options: { max-size: "10m", max-file: "5" }
`

const formatBuild = (source: string) => `  build:
    context: ${source}
    dockerfile: docker/Dockerfile
    args:
      BASE: \${MOORING_BASE:-node:24-bookworm-slim}
`

function formatHospital(network: ContainerNetwork, name: string, index: number): string {
  const [uid, gid] = network.user.split(':')
  return `  ${name}:
    <<: *hospital
    hostname: ${name}
    volumes:
      - ${network.homes}/${name}:/var/lib/mooring
      - ${network.configs}/${name}:/etc/mooring:ro
    tmpfs:
      - /tmp
      - /var/lib/mooring/run:uid=${uid},gid=${gid},mode=0700
    ports:
      - "127.0.0.1:${METRICS_PORT + PORT_STEP * index}:${METRICS_PORT}"
`
}

const formatMetrics = (network: ContainerNetwork, docker: string) => `
  prometheus:
    image: \${PROMETHEUS_IMAGE:-prom/prometheus:v3.5.0}
    profiles: [metrics]
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    restart: unless-stopped
    networks: [hospitals]
    tmpfs: [/tmp]
    volumes:
      - ${network.prometheusFile}:/etc/prometheus/prometheus.yml:ro
      - ${docker}/prometheus/alerts.yml:/etc/prometheus/alerts.yml:ro
      - prometheus:/prometheus
    ports:
      - "127.0.0.1:9090:9090"

  grafana:
    image: \${GRAFANA_IMAGE:-grafana/grafana:12.0.2}
    profiles: [metrics]
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    restart: unless-stopped
    networks: [hospitals]
    depends_on: [prometheus]
    tmpfs: [/tmp]
    environment:
      GF_AUTH_ANONYMOUS_ENABLED: "true"
      GF_AUTH_ANONYMOUS_ORG_ROLE: Viewer
      GF_AUTH_DISABLE_LOGIN_FORM: "true"
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true"
      GF_ANALYTICS_REPORTING_ENABLED: "false"
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
    volumes:
      - ${docker}/grafana/provisioning:/etc/grafana/provisioning:ro
      - ${docker}/grafana/dashboards:/etc/grafana/dashboards:ro
      - grafana:/var/lib/grafana
    ports:
      - "127.0.0.1:3000:3000"
`

const VOLUMES = `
volumes:
  prometheus:
  grafana:
`

export function formatCompose(network: ContainerNetwork): string {
  const { hospitals, docker, title } = network
  const head = `# ${title}
#
# Each hospital: an own home, keys and address, a numeric user, nothing writable but its home and /tmp, no
# capabilities. Metrics and dashboards come along with --profile metrics, only on this computer.
`
  const services = hospitals.map((name, index) => formatHospital(network, name, index)).join('\n')
  const metrics = docker === null ? '' : formatMetrics(network, docker)
  const volumes = docker === null ? '' : VOLUMES
  return `${head}\n${COMMON(network)}\nservices:\n${services}${metrics}\nnetworks:\n  hospitals:\n${volumes}`
}

/** What Prometheus asks: the metrics of every hospital. */
export function formatPrometheus(hospitals: readonly string[]): string {
  return `# Scrapes every hospital of the compose file. The alerts expect the job to be called mooring.
global:
  scrape_interval: 15s
  evaluation_interval: 15s
rule_files:
  - /etc/prometheus/alerts.yml
scrape_configs:
  - job_name: mooring
    static_configs:
      - targets:
${hospitals.map((name) => `          - ${name}:7423\n`).join('')}`
}
