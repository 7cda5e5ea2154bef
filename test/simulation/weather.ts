/** What goes wrong in a world, and when: everything but what traitors do. */
import { type Machine } from './machine.ts'
import type { Faults } from './plan.ts'
import type { World } from './world.ts'

const EVERY_MS = 100
/** A clock is put right again after so long at most. */
const JUMP_MS = 3_000

export interface Sky extends World {
  breakLinks(): string
  healLinks(): void
}

export class Weather {
  readonly #world: Sky
  #isCalm = false

  constructor(world: Sky) {
    this.#world = world
    const { scheduler, plan, random } = world
    scheduler.every(EVERY_MS, () => this.#break())
    if (plan.amnesiac !== null) {
      const { amnesiac } = plan
      scheduler.after(random.between(0, plan.calmMs), () => this.#forgetVotes(amnesiac))
    }
  }

  calm(): void {
    this.#isCalm = true
    for (const machine of this.#world.machines) {
      machine.disk.isFull = false
      machine.jumpMs = 0
      this.#restart(machine, machine.life)
    }
  }

  crash(machine: Machine, rots: boolean): void {
    if (!machine.isUp) return
    machine.crash(rots)
    const { life } = machine
    const { random, scheduler, plan } = this.#world
    scheduler.after(random.between(50, plan.faults.downMs), () => this.#restart(machine, life))
  }

  #restart(machine: Machine, life: number): void {
    if (machine.isUp || machine.life !== life) return
    machine.disk.isFull = false
    machine.boot()
  }

  #break(): void {
    if (this.#isCalm) return
    const { random, machines, plan } = this.#world
    const happens = (what: PerSecond): boolean =>
      random.chance((plan.faults[what] * EVERY_MS) / 1_000)
    if (happens('crashesPerSecond')) {
      this.#world.count('crash')
      this.crash(random.pick(machines), random.chance(plan.faults.rottenDisk))
    }
    if (happens('powerCutsPerSecond')) {
      this.#world.count('power cut')
      for (const machine of machines) this.crash(machine, false)
    }
    if (happens('partitionsPerSecond')) {
      this.#world.count(`links: ${this.#world.breakLinks()}`)
      this.#world.scheduler.after(random.between(100, 4_000), () => this.#world.healLinks())
    }
    if (happens('fullDisksPerSecond')) random.pick(machines).disk.isFull = true
    if (happens('clockJumpsPerSecond')) this.#jump(random.pick(machines))
  }

  #jump(machine: Machine): void {
    const { random, scheduler } = this.#world
    this.#world.count('clock jump')
    machine.jumpMs = random.between(-2_000, 2_000)
    scheduler.after(random.between(100, JUMP_MS), () => {
      machine.jumpMs = 0
    })
  }

  #forgetVotes(node: number): void {
    const machine = this.#world.machines.find((known) => known.node === node)
    if (machine === undefined) return
    this.#world.count('votes lost')
    this.crash(machine, false)
    machine.disk.forgetVotes()
  }
}

type PerSecond = Extract<keyof Faults, `${string}PerSecond`>
