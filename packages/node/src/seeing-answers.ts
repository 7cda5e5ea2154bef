// How this node is doing, for who runs it: behind /v1/admin.

import { hostname } from 'node:os'
import { type AdminSeeingHandlers, type BundleQuery, type Check, Refusal } from '@mooring/api'
import { type BundlePart, createBundle } from './bundle.ts'
import {
  homeParts,
  linesSince,
  NEVER_IN_A_BUNDLE,
  profileFor,
  shownOptions,
} from './bundle-sources.ts'
import type { ChainAnswers } from './chain-answers.ts'
import type { Health } from './health.ts'
import type { NodeOptions } from './load-options.ts'
import type { RootLogger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { NodeParts } from './node-parts.ts'
import { formatLogLevels, parseLogLevels } from './option-values.ts'
import { createRedaction } from './redact-text.ts'

const BLOCKS_SHOWN = 50

export interface SeeingModules {
  options: NodeOptions
  logger: RootLogger
  metrics: Pick<Metrics, 'text'>
  health: Health
  chain: ChainAnswers
  checks: (skip: ReadonlySet<string>) => Promise<Check[]>
}

export function createSeeingAnswers(parts: NodeParts, modules: SeeingModules): AdminSeeingHandlers {
  const { logger, health, checks } = modules
  return {
    checks,
    logLevel: () => formatLogLevels(logger.levels()),
    setLogLevel: (level) => setLevel(logger, level),
    acknowledge: (code, note, { name: by }) => {
      const alarm = health.acknowledge(code, note === '' ? by : `${by}: ${note}`)
      if (alarm === undefined)
        throw new Refusal('alarm_unknown', `No alarm "${code}" is raised at the moment.`)
      return { code, by, note, again: alarm.again }
    },
    bundle: (query) => bundleOf(parts, modules, query),
  }
}

function setLevel(logger: RootLogger, text: string): string {
  const parsed = parseLogLevels(text)
  if (!('value' in parsed)) throw new Refusal('level_invalid', `"${text}": ${parsed.expected}.`)
  const known = logger.modules()
  const strange = Object.keys(parsed.value.modules).filter((name) => !known.includes(name))
  if (strange.length > 0) {
    const detail = `No module is called ${strange.join(', ')}; there are ${known.join(', ')}.`
    throw new Refusal('level_invalid', detail)
  }
  logger.setLevels(parsed.value)
  const level = formatLogLevels(parsed.value)
  logger.info('the level of the log was changed', { to: level })
  return level
}

function bundleOf(
  { clock, version }: NodeParts,
  modules: SeeingModules,
  { sinceMs, profileMs, isRedacted }: BundleQuery,
): AsyncIterable<Uint8Array> {
  const { options, logger, metrics, health, chain, checks } = modules
  const now = clock.wall()
  const parts: BundlePart[] = [
    { name: 'status.json', read: () => chain.status() },
    { name: 'ready.json', read: () => ({ live: health.live(), ready: health.ready() }) },
    { name: 'alarms.json', read: () => health.alarms() },
    { name: 'peers.json', read: () => chain.peers() },
    { name: 'members.json', read: () => chain.members() },
    { name: 'epochs.json', read: () => chain.epochs() },
    { name: 'changes.json', read: () => chain.changes() },
    { name: 'blocks.json', read: () => chain.blocks({ before: null, limit: BLOCKS_SHOWN }) },
    { name: 'checks.json', read: () => checks(new Set()) },
    { name: 'metrics.txt', read: () => metrics.text() },
    { name: 'log.ndjson', read: () => linesSince(logger.recent(), now - sinceMs) },
    ...homeParts(options),
    ...(profileMs === 0 ? [] : [{ name: 'cpu.cpuprofile', read: () => profileFor(profileMs) }]),
  ]
  return createBundle(parts, {
    node: options.name,
    version,
    madeAt: new Date(now).toISOString(),
    leftOut: NEVER_IN_A_BUNDLE,
    redact: isRedacted
      ? createRedaction({
          home: options.home,
          hostname: hostname(),
          options: shownOptions(options),
        })
      : null,
  })
}
