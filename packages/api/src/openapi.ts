/**
 * The contract as an OpenAPI 3.1.0 document, made from the table of routes.
 *
 * fastify is given what it checks and writes; this adds what only readers need: every answer with its
 * media type, the problem details of each route, and the names of the shared schemas. It is made when it is
 * first asked for, from an application that listens nowhere: most nodes never are.
 */

import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import fastify, { type FastifySchema } from 'fastify'
import { ref, sharedSchemas } from './answer-forms.ts'
import { Problem } from './answers.ts'
import { bindRoutes, type Surroundings } from './binding.ts'
import { compileOnDemand } from './compilers.ts'
import { PROBLEM_TYPE } from './errors.ts'
import { ADMIN_PATH, type Route } from './route.ts'
import { isOperationId, routes } from './routes.ts'

/** Host, budgets and bugs: any route can answer these. */
const EVERYWHERE: readonly number[] = [400, 421, 500, 503]

const PROBLEM_TEXTS: Readonly<Record<number, string>> = {
  400: 'The request does not match its schema.',
  401: 'It is not signed, or not as it must be.',
  403: 'It may not be done; the code says why.',
  404: 'There is no such thing.',
  408: 'The request did not arrive in time.',
  409: 'The first request with this Idempotency-Key still runs.',
  410: 'It was here, and this node does not keep it any more.',
  413: 'The body is too large.',
  415: 'The content type is not accepted here.',
  421: 'The Host header names another host.',
  422: 'It was understood and refused.',
  429: 'Too often; `Retry-After` says when.',
  500: 'Something failed inside the node.',
  503: 'Not now; `Retry-After` says when.',
  507: 'The disk has no room for it; nothing of it was kept.',
}

const TAGS = [
  { name: 'network', description: 'The network, its members, this node' },
  { name: 'chain', description: 'Blocks and transactions' },
  { name: 'records', description: 'Records of this custodian' },
  { name: 'patients', description: 'Patients, their wallets and what they permit' },
  { name: 'emergencies', description: 'Emergency sets: who opens one, and what comes of it' },
  { name: 'proofs', description: 'Proofs that a stranger can check' },
  { name: 'events', description: 'What happens, as it happens' },
  { name: 'storage', description: 'Snapshots, and what is kept of old blocks' },
  { name: 'admin', description: 'Administration of this node; on its admin socket only' },
  { name: 'health', description: 'For supervisors' },
]

/** As a bare object: the types of the library are those of 3.0, which has no mutual TLS. */
const COMPONENTS: object = {
  securitySchemes: {
    token: {
      type: 'http',
      scheme: 'bearer',
      description: 'A token of this node, `mor_<id>_<secret>`; its role says what it permits.',
    },
    certificate: {
      type: 'mutualTLS',
      description: 'A certificate of a client, whose name has a role at this node.',
    },
    patient: {
      type: 'http',
      scheme: 'Mooring-Patient',
      description: 'A signature of this very request with a key of the patient.',
    },
  },
}

const swaggerOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Mooring',
      description: 'The HTTP interface of one node of a Mooring network.',
      version: 'v1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: TAGS,
    components: COMPONENTS,
  },
  refResolver: {
    buildLocalReference: (schema, _base, _fragment, index) =>
      typeof schema['$id'] === 'string' ? schema['$id'] : `schema-${index}`,
  },
  transform: ({ schema, url }) => ({ schema: documented(schema), url }),
}

/** JSON. */
export async function openApiDocument(around: Surroundings): Promise<string> {
  const app = fastify({ logger: false })
  app.removeAllContentTypeParsers()
  for (const schema of sharedSchemas) app.addSchema(schema)
  compileOnDemand(app)
  await app.register(swagger, swaggerOptions)
  await bindRoutes(app, 'admin', around)
  await app.ready()
  return JSON.stringify(app.swagger())
}

function documented(schema: FastifySchema): FastifySchema {
  const operationId = schema.operationId
  if (operationId === undefined || !isOperationId(operationId)) return schema
  const route: Route = routes[operationId]
  const response: Record<string, object> = {}
  for (const [status, { description, type, schema: content }] of Object.entries(route.responses)) {
    response[status] = { description, content: { [type]: { schema: content } } }
  }
  for (const status of statusesOf(route)) {
    const description = PROBLEM_TEXTS[status]
    response[status] = { description, content: { [PROBLEM_TYPE]: { schema: ref(Problem) } } }
  }
  const allowed = { ...schema, response, security: securityOf(route), description: needOf(route) }
  if (route.accepts === undefined) return allowed
  const content: Record<string, object> = {}
  for (const [type, accepted] of Object.entries(route.accepts)) {
    content[type] = { schema: accepted.schema }
  }
  return { ...allowed, body: { content } }
}

function statusesOf({ role, tag, problems = [] }: Route): number[] {
  const limited = tag === 'health' ? [] : [429]
  const known = role === 'none' || role === 'patient' ? [] : [401, 403]
  return [...new Set([...EVERYWHERE, ...known, ...limited, ...problems])].toSorted((a, b) => a - b)
}

type Security = Record<string, string[]>[]

function securityOf({ path, role, isForStrangers = false }: Route): Security {
  if (role === 'none' || path.startsWith(ADMIN_PATH)) return []
  if (role === 'patient') return [{ patient: [] }]
  const shown = [{ token: [] }, { certificate: [] }]
  return isForStrangers ? [{}, ...shown] : shown
}

function needOf({ path, role, isForStrangers = false }: Route): string {
  if (path.startsWith(ADMIN_PATH)) return `On the admin socket; role ${role}.`
  if (role === 'none') return 'For anybody.'
  if (role === 'patient') return 'For a patient, who signs the request.'
  return isForStrangers
    ? `For anybody where the node permits it, else role ${role}.`
    : `Role ${role}.`
}
