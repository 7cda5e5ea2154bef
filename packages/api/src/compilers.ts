/**
 * Checks and serialisers of a route, compiled when it is first asked.
 *
 * fastify compiles all of them before it listens. Most nodes are asked for a handful of routes, and
 * what is never compiled takes no time to start and no memory. The compilers are fastify's own.
 */

import validatorSelector, { type BuildCompilerFromPool } from '@fastify/ajv-compiler'
import serializerSelector from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance, FastifySchema, FastifySchemaCompiler } from 'fastify'

type Validate = ReturnType<FastifySchemaCompiler<FastifySchema>>

/** A method, whose parameters TypeScript compares loosely: fastify has no type for its schemas. */
interface ValidatorSource {
  select(schemas: unknown, options: object): ReturnType<BuildCompilerFromPool>
}

const AJV = { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } }

const validators: ValidatorSource = { select: validatorSelector() }
const selectSerializer = serializerSelector()

/** For an application that has its shared schemas and no routes yet. */
export function compileOnDemand(app: FastifyInstance): void {
  const schemas = app.getSchemas()
  app.setValidatorCompiler((route) => {
    let compiled: Validate | undefined
    // fastify reads what is wrong from the function that it called.
    const validate: Validate = (data: unknown) => {
      compiled ??= validators.select(schemas, AJV)({ ...route })
      const isValid = compiled(data)
      validate.errors = compiled.errors ?? null
      return isValid
    }
    return validate
  })
  app.setSerializerCompiler((route) => {
    let compiled: ((value: unknown) => string) | undefined
    return (value: unknown) => {
      compiled ??= selectSerializer(schemas)({ httpStatus: '', ...route })
      return compiled(value)
    }
  })
}
