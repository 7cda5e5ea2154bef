/**
 * Requests of patients: what was sent is kept as it came, so that its signature can be checked before
 * anything else is looked at.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from './errors.ts'
import type { PatientCaller, PatientHandlers } from './patient-handlers.ts'

declare module 'fastify' {
  interface FastifyRequest {
    sentBody: Uint8Array
    patient: PatientCaller | null
  }
}

const NOTHING = new Uint8Array(0)

export function decorateForPatients(app: FastifyInstance): void {
  app.decorateRequest('sentBody')
  app.decorateRequest('patient', null)
}

/** The body parser of one route whose bodies are signed. */
export function parseSigned(scope: FastifyInstance, type: string, isJson: boolean): void {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.addContentTypeParser(type, { parseAs: 'buffer' }, (request, body, done) => {
    const sent = Buffer.from(body)
    request.sentBody = sent
    if (isJson) void parse(request, sent.toString('utf8'), done)
    else done(null, sent)
  })
}

/** Before the schema: who is nobody learns nothing of what would be right. */
export function authenticate(patients: Pick<PatientHandlers, 'caller'>) {
  return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    const { method, url, headers } = request
    if (method !== 'GET' && method !== 'POST')
      throw new ApiError('method_not_allowed', 'A patient gets or posts.')
    const authorization = headers.authorization ?? null
    if (authorization === null) {
      const detail = 'Requests for a patient carry a Mooring-Patient signature.'
      throw new ApiError('patient_unsigned', detail, {
        headers: { 'www-authenticate': 'Mooring-Patient' },
      })
    }
    const body = request.sentBody ?? NOTHING
    request.patient = await patients.caller({ authorization, method, path: url, body })
  }
}
