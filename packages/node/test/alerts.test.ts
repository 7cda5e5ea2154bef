// What watches the network must not point at nothing: every metric that a dashboard, an alert or a runbook
// names is one that a node exports, with the labels it is asked for, and every alert has its runbook and its
// text. PromQL is parsed by the grammar of Prometheus itself.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'
import { test } from 'uvu'
import { parse } from 'yaml'
import { ALERT_CODES, type AlertName, isAlertName, runbookOf } from '../src/alerts.ts'
import { explain } from '../src/errors.ts'
import { createMetrics } from '../src/metrics.ts'

const TOP = new URL('../../../', import.meta.url)
const DASHBOARDS = ['1-network', '2-node', '3-connections', '4-api-and-records']
  .concat('5-storage-and-backup', '6-devnet')
  .map((name) => `docker/grafana/dashboards/${name}.json`)

interface Rule {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: { summary: string; description: string; code: string; runbook: string }
}

function read(path: string): string {
  return readFileSync(new URL(path, TOP), 'utf8')
}

function rules(): Rule[] {
  const document: { groups: { rules: Rule[] }[] } = parse(read('docker/prometheus/alerts.yml'))
  return document.groups.flatMap((group) => group.rules)
}

/** Every query of a dashboard: panels, variables and annotations. */
function queriesOf(path: string): string[] {
  const found: string[] = []
  JSON.parse(read(path), (key, value: unknown) => {
    if (key === 'expr' && typeof value === 'string') found.push(value)
    const values = key === 'query' && typeof value === 'string' ? labelValues(value) : null
    if (values !== null) found.push(values)
    return value
  })
  return found
}

/** `label_values(metric, label)` is Grafana's and asks for a metric with that label. */
function labelValues(query: string): string | null {
  const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? []
  return metric === undefined ? null : `${metric}{${label}!=""}`
}

interface Selector {
  metric: string
  labels: string[]
}

interface Parsed {
  selectors: Selector[]
  grouped: string[]
  isWhole: boolean
}

function parseQuery(query: string): Parsed {
  const parsed: Parsed = { selectors: [], grouped: [], isWhole: true }
  parser.parse(query).iterate({
    enter: ({ name, type, from, to, node }) => {
      const text = query.slice(from, to)
      if (type.isError) parsed.isWhole = false
      if (name === 'VectorSelector') parsed.selectors.push({ metric: '', labels: [] })
      const selector = parsed.selectors.at(-1)
      const above = node.parent?.name
      if (name === 'Identifier' && above === 'VectorSelector' && selector) selector.metric = text
      if (name !== 'LabelName') return
      if (above === 'GroupingLabels') parsed.grouped.push(text)
      else selector?.labels.push(text)
    },
  })
  return parsed
}

/** Names that a query may use, with the labels that each has. */
function exported(): Map<string, Set<string>> {
  const metrics = createMetrics()
  const names = new Map([['up', new Set(['job', 'instance'])]])
  const scraped = ['job', 'instance']
  for (const { name, type, labels } of metrics.catalogue()) {
    if (type !== 'histogram') names.set(name, new Set([...labels, ...scraped]))
    else
      for (const suffix of ['_bucket', '_sum', '_count'])
        names.set(`${name}${suffix}`, new Set([...labels, ...scraped, 'le']))
  }
  for (const { name, type } of metrics.names()) {
    if (name.startsWith('mooring_')) continue
    const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    for (const suffix of suffixes)
      names.set(`${name}${suffix}`, new Set([...scraped, 'kind', 'le']))
  }
  metrics.close()
  return names
}

const NAMES = exported()

function problemsOf(where: string, query: string): string[] {
  const { selectors, grouped, isWhole } = parseQuery(query)
  const problems = isWhole ? [] : [`${where}: not PromQL: ${query}`]
  if (selectors.length === 0) problems.push(`${where}: asks for nothing: ${query}`)
  const all = new Set<string>()
  for (const { metric, labels } of selectors) {
    const known = NAMES.get(metric)
    if (known === undefined) problems.push(`${where}: no such metric: ${metric}`)
    for (const label of known ?? []) all.add(label)
    for (const label of labels)
      if (known?.has(label) === false) problems.push(`${where}: ${metric} has no label ${label}`)
  }
  for (const label of grouped)
    if (!all.has(label)) problems.push(`${where}: grouped by ${label}, which nothing here has`)
  return problems
}

function runbooks(): string[] {
  return globSync('docs/how-to/runbooks/*.md', { cwd: TOP }).toSorted()
}

test('acceptance 13: dashboards, alerts and runbooks name only what a node exports', () => {
  const problems = rules().flatMap(({ alert, expr }) => problemsOf(alert, expr))
  for (const path of DASHBOARDS) {
    const queries = queriesOf(path)
    assert.ok(queries.length > 5, path)
    problems.push(...queries.flatMap((query) => problemsOf(path, query)))
  }
  for (const path of runbooks()) {
    for (const [, query = ''] of read(path).matchAll(/`((?:mooring|nodejs|process)_[^`]*)`/g)) {
      const bare = /^\w+/.exec(query)?.[0] ?? ''
      const name = NAMES.has(bare) ? bare : `${bare}_count`
      problems.push(...problemsOf(path, query.replace(bare, name)))
    }
  }
  assert.deepEqual(problems, [])
})

function problemCount(query: string): number {
  return problemsOf('here', query).length
}

test('a query with a wrong name, a wrong label or no sense is found', () => {
  assert.equal(problemCount('rate(mooring_chain_block_interval_seconds_bucket{le="1"}[5m])'), 0)
  assert.equal(problemCount('mooring_chain_hight'), 1)
  assert.equal(problemCount('mooring_chain_height{peer="a"}'), 1)
  assert.equal(problemCount('sum by (peer) (mooring_chain_height)'), 1)
  assert.equal(problemCount('mooring_chain_height > > 3'), 1)
  assert.equal(problemCount('mooring_finality_seconds'), 1)
  assert.equal(problemCount(labelValues('label_values(mooring_build_info, instance)') ?? ''), 0)
})

test('acceptance 13: every metric of the catalogue is shown, or somebody is woken by it', () => {
  const asked = new Set<string>()
  const queries = [...rules().map(({ expr }) => expr), ...DASHBOARDS.flatMap(queriesOf)]
  for (const { metric } of queries.flatMap((query) => parseQuery(query).selectors))
    asked.add(metric.replace(/_(bucket|sum|count)$/, ''))
  const metrics = createMetrics()
  const unseen = metrics.catalogue().filter(({ name }) => !asked.has(name))
  metrics.close()
  assert.deepEqual(
    unseen.map(({ name }) => name),
    ['mooring_network_info'],
  )
})

test('every alert has a runbook and a text, and there is no runbook without an alert', () => {
  const alerts = new Set<AlertName>()
  for (const { alert, for: after, labels, annotations } of rules()) {
    assert.ok(isAlertName(alert), alert)
    alerts.add(alert)
    assert.match(after, /^\d+[mh]$/, alert)
    assert.ok(['page', 'ticket'].includes(labels.severity), alert)
    const found = explain(alert)
    assert.equal(annotations.code, found?.entry.mor, alert)
    assert.equal(annotations.runbook, runbookOf(alert))
    assert.ok(annotations.summary !== '' && annotations.description !== '', alert)
    const text = read(annotations.runbook)
    assert.ok(text.startsWith(`# ${alert}\n`), alert)
    assert.ok(text.includes(`\`mooring explain ${annotations.code}\``), alert)
    for (const heading of ['What it means', 'What to look at', 'What to do', 'When it is over'])
      assert.ok(text.includes(`\n## ${heading}\n`), `${alert}: ${heading}`)
  }
  assert.deepEqual([...alerts].toSorted(), Object.keys(ALERT_CODES).toSorted())
  assert.deepEqual(runbooks(), Array.from(alerts, (alert) => runbookOf(alert)).toSorted())
})

test('a runbook sends nobody to a page that is not there', () => {
  for (const path of runbooks()) {
    for (const [, link = ''] of read(path).matchAll(/\]\(([^)#]+)[^)]*\)/g))
      assert.ok(existsSync(new URL(link, new URL(path, TOP))), `${path}: ${link}`)
  }
})

interface Panel {
  id: number
  title: string
  type: string
  gridPos: { x: number; y: number; w: number; h: number }
}

function overlap(a: Panel['gridPos'], b: Panel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

test('each dashboard is provisioned, has an id of its own, and no panel lies on another', () => {
  assert.deepEqual(
    globSync('docker/grafana/dashboards/*.json', { cwd: TOP }).toSorted(),
    DASHBOARDS,
  )
  const provider: { providers: { options: { path: string } }[] } = parse(
    read('docker/grafana/provisioning/dashboards/mooring.yml'),
  )
  const source: { datasources: { uid: string }[] } = parse(
    read('docker/grafana/provisioning/datasources/prometheus.yml'),
  )
  const compose = read('docker/compose.yaml')
  assert.ok(compose.includes(`./grafana/dashboards:${provider.providers[0]?.options.path}:ro`))
  const uids = new Set<string>()
  for (const path of DASHBOARDS) {
    const { uid, panels }: { uid: string; panels: Panel[] } = JSON.parse(read(path))
    uids.add(uid)
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, path)
    for (const [index, { title, gridPos }] of panels.entries()) {
      assert.ok(gridPos.x + gridPos.w <= 24, `${path}: ${title}`)
      for (const other of panels.slice(index + 1))
        assert.ok(!overlap(gridPos, other.gridPos), `${path}: ${title} and ${other.title}`)
    }
    const asked = read(path).match(/"type": "prometheus",\s*"uid": "[^"]*"/g) ?? []
    for (const each of asked)
      assert.ok(each.endsWith(`"uid": "${source.datasources[0]?.uid}"`), path)
  }
  assert.equal(uids.size, DASHBOARDS.length)
})

test.run()
