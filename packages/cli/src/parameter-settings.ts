// "deltaMs=200" to parameters of the chain: those in force, with what is set in place of some.

import { CodecError, encode } from '@mooring/codec'
import { type Parameters, parametersSchema, PRODUCTION_PARAMETERS } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'

function isName(name: string): name is keyof Parameters {
  return Object.hasOwn(PRODUCTION_PARAMETERS, name)
}

export function parametersWith(
  present: Readonly<Record<string, number>>,
  settings: readonly string[],
): Parameters {
  const parameters: Parameters = { ...PRODUCTION_PARAMETERS }
  for (const [name, value] of Object.entries(present)) if (isName(name)) parameters[name] = value
  for (const setting of settings) {
    const [, name = '', digits = ''] = /^(\w+)=(\d{1,15})$/.exec(setting) ?? []
    if (!isName(name)) {
      const names = Object.keys(PRODUCTION_PARAMETERS).join(', ')
      const detail = `"${setting}" is not <name>=<whole number>, with one of ${names}`
      throw new NodeError('parameter_unknown', { detail })
    }
    parameters[name] = Number(digits)
  }
  checkBounds(parameters)
  return parameters
}

function checkBounds(parameters: Parameters): void {
  try {
    encode(parametersSchema, parameters)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    const detail = `${error.path} cannot have this value: ${error.detail}`
    throw new NodeError('parameter_unknown', { detail })
  }
}
