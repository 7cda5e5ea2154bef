/**
 * What one line of the table of routes says, and the request that an endpoint gets because of it.
 */

import type { PatientCaller } from './patient-handlers.ts'
import type { JsonSchema, ObjectSchema, Static } from './schema.ts'

/** A `patient` is who the signature of the request says; see `patient-binding.ts`. */
export type Role = 'none' | 'viewer' | 'submitter' | 'auditor' | 'operator' | 'admin' | 'patient'

/**
 * `patients` may be reached from anywhere: it serves what is signed, or what anybody may know.
 * `admin` is for who runs the node: it serves everything.
 */
export type Listener = 'api' | 'patients' | 'metrics' | 'admin'

/** How bytes of a media type become `request.body`. */
export type BodyForm = 'json' | 'bytes' | 'stream'

/** `schema` is checked for `json`; anything else is handed on as it came, and it only documents that. */
export interface Accepted {
  form: BodyForm
  schema: JsonSchema
}

export interface Response {
  description: string
  type: string
  schema: JsonSchema
}

export interface Route {
  method: 'GET' | 'POST'
  path: string
  tag: string
  role: Role
  summary: string
  /** What needs no secret to be believed: answered to anybody, unless the node answers nobody. */
  isForStrangers?: boolean
  /** Which listeners serve it; when absent the first one, and for patients and anybody the second too. */
  listeners?: readonly Listener[]
  params?: ObjectSchema
  query?: ObjectSchema
  headers?: ObjectSchema
  accepts?: Readonly<Record<string, Accepted>>
  bodyBytesMax?: number
  responses: Readonly<Record<number, Response>>
  /** Statuses answered with problem details, besides those of every route. */
  problems?: readonly number[]
}

/** Served to who runs the node, and to nobody else. */
export const ADMIN_PATH = '/v1/admin/'

export function isServedBy({ listeners, path, role }: Route, listener: Listener): boolean {
  if (listener === 'admin') return true
  if (path.startsWith(ADMIN_PATH)) return false
  if (listeners !== undefined) return listeners.includes(listener)
  const isForAll = role === 'patient' || role === 'none'
  return listener === 'api' || (listener === 'patients' && isForAll)
}

/** Whether a body of that content type is handed on while it arrives. */
export function isPassing(route: Route | undefined, contentType: string | undefined): boolean {
  const accepts = route?.accepts ?? {}
  const [type = ''] = (contentType ?? '').toLowerCase().split(';', 1)
  return Object.hasOwn(accepts, '*/*') && !Object.hasOwn(accepts, type.trim())
}

type Part<R, K extends string> =
  R extends Record<K, infer S extends JsonSchema> ? Static<S> : Record<string, never>
type BodyOf<A> = A extends { form: 'bytes' }
  ? Uint8Array
  : A extends { form: 'stream' }
    ? AsyncIterable<Uint8Array>
    : A extends { schema: infer S extends JsonSchema }
      ? Static<S>
      : never
type Body<R> = R extends { accepts: infer A }
  ? { [M in keyof A]: BodyOf<A[M]> }[keyof A]
  : undefined

/** What an endpoint of that route is given. */
export interface RequestParts<R> {
  params: Part<R, 'params'>
  query: Part<R, 'query'>
  headers: Part<R, 'headers'>
  body: Body<R>
  patient: R extends { role: 'patient' } ? PatientCaller : null
}
