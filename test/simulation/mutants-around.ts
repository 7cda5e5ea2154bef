/**
 * What surrounds agreement in a node, broken one place at a time: driver, journal, execution, intake, sync,
 * mempool and disks. The world of whole nodes has to notice, or the tests of the package.
 */
import type { Mutant } from './mutants.ts'

export const MUTANTS_AROUND: readonly Mutant[] = [
  {
    name: 'vote sent before it is on disk',
    world: 'whole',
    file: 'packages/node/src/driver.ts',
    from: '    this.#modules.journal\n      .sync()\n      .then(run)',
    to: '    void this.#modules.journal.sync()\n    Promise.resolve()\n      .then(run)',
  },
  {
    name: 'journal not read',
    world: 'whole',
    file: 'packages/node/src/journalling.ts',
    from: 'if (record.epoch !== epoch) continue',
    to: 'if (record.epoch !== epoch || record.epoch >= 0) continue',
    and: {
      from: 'if (marks.epoch !== epoch) return { notarize: 0, nullify: 0, finalize: 0 }',
      to: 'if (marks.epoch !== epoch || epoch >= 0) return { notarize: 0, nullify: 0, finalize: 0 }',
    },
  },
  {
    name: 'block of a vote not journalled',
    world: 'whole',
    file: 'packages/node/src/driver.ts',
    from: 'journal.append([blockRecord(epoch, executed.meta, encoded)])',
    to: '',
  },
  {
    name: 'state root not compared',
    world: 'whole',
    file: 'packages/node/src/execution.ts',
    from: "if (!equalBytes(view.root, block.header.stateRoot)) return { code: 'wrong_state_root' }",
    to: '',
  },
  {
    name: 'included transactions not remembered',
    world: 'whole',
    file: 'packages/node/src/execution.ts',
    from: 'return this.#modules.isIncluded(id)',
    to: 'return false',
  },
  {
    name: 'message of another epoch accepted',
    world: 'whole',
    file: 'packages/node/src/agreement.ts',
    from: 'if (epoch !== state.config.epoch) return',
    to: 'if (epoch < 0) return',
  },
  {
    name: 'finalization of a range not checked',
    world: 'whole',
    file: 'packages/node/src/sync-range.ts',
    from: 'if (checkCertificate(finalization, authorities) !== undefined)',
    to: 'if (authorities === undefined || checkCertificate === undefined)',
  },
  {
    name: 'finalization of another block accepted',
    world: 'whole',
    file: 'packages/node/src/sync-range.ts',
    from: 'if (subject.digest !== certifiedBy(end))',
    to: 'if (subject.digest === undefined)',
  },
  {
    name: 'pending transactions not restored',
    world: 'whole',
    file: 'packages/node/src/agreement.ts',
    from: 'await agreement.mempool.restore(await modules.pending.all())',
    to: '',
  },
  {
    name: 'accepted before it is on disk',
    world: 'whole',
    file: 'packages/node/src/mempool.ts',
    from: '      await keeping\n',
    to: '      void keeping\n',
  },
  {
    name: 'restart forgets what waits for its turn',
    world: 'whole',
    file: 'packages/node/src/mempool.ts',
    from: 'if (invalid !== undefined && isForGood(invalid)) return false',
    to: 'if (invalid !== undefined) return false',
  },
  {
    name: 'journal group not synced',
    world: 'whole',
    file: 'packages/storage/src/journal.ts',
    from: 'await writeDurably(this.#active.file, bytes, this.#active.end)',
    to: 'await this.#active.file.write(bytes, this.#active.end)',
  },
  {
    name: 'torn tail of the journal not cut',
    world: 'whole',
    file: 'packages/storage/src/journal-recovery.ts',
    from: 'if (isTorn) await file.truncate(end)',
    to: '',
  },
  {
    name: 'accepted transaction not synced',
    world: 'whole',
    file: 'packages/storage/src/pending-transactions.ts',
    from: 'this.#running = this.#database.batch(operations, { sync: true })',
    to: 'this.#running = this.#database.batch(operations, { sync: false })',
  },
  {
    name: 'expired transaction in a block',
    world: 'whole',
    file: 'packages/ledger/src/apply.ts',
    from: "if (expiresAt <= time) return { code: 'expired', expiresAt, time }",
    to: '',
  },
]
