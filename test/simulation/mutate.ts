/**
 * Loaded before everything else (`node --import ./mutate.ts …`), changes one line of `consensus` on its
 * way from disk to the program, as the environment says. Nothing in the package knows of it.
 */
import { registerHooks } from 'node:module'
import { mutantOf, mutate, urlOf } from './mutants.ts'

const mutant = mutantOf(process.env['MUTANT'])
const { href } = urlOf(mutant)

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    if (url !== href) return loaded
    const { source } = loaded
    if (source === null || source === undefined) throw new Error(`${url} has no source`)
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
    return { ...loaded, source: mutate(mutant, text) }
  },
})
