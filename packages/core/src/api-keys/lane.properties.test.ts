import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lane } from './lane.ts'

/** One piece of work, as a test drives it: it ends when the test says so. */
interface Work {
  readonly name: string
  callers: number
  readonly end: (error?: Error) => void
}

type Step =
  | { readonly do: 'run'; readonly name: string; readonly mayLeave: boolean }
  | { readonly do: 'leave' | 'end' | 'fail'; readonly which: number }

const which = fc.nat(50)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      mayLeave: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'fail' as const), which }) },
)

describe('whatever comes, leaves, ends and fails in whatever order, a lane', () => {
  it('keeps to its width and its order, does nothing that nobody wants, answers everybody, and goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), async (width, steps) => {
        const lane = new Lane({ width, waitingMax: 1_000, waitMsMax: 60_000 })
        const active: Work[] = []
        const begun: number[] = []
        const gone = new Error('gone')
        const callers: { leave: () => void; work: () => string; answer: Promise<unknown>; hasLeft: boolean }[] = []
        let works = 0

        const run = (name: string, mayLeave: boolean) => {
          const number = (works += 1)
          const leaver = new AbortController()
          const work = async () => {
            begun.push(number)
            const { promise, resolve, reject } = Promise.withResolvers<string>()
            const mine: Work = {
              name,
              callers: 0,
              end: (error) => {
                active.splice(active.indexOf(mine), 1)
                if (error) reject(error)
                else resolve(name)
              },
            }
            active.push(mine)
            expect(active.length).toBeLessThanOrEqual(width)
            return await promise
          }
          const answer = lane.run(name, work, mayLeave ? leaver.signal : undefined).catch((error: unknown) => error)
          const caller = { leave: () => leave(), work: () => name, answer, hasLeft: false }
          const leave = () => {
            if (!mayLeave) return
            leaver.abort(gone)
            caller.hasLeft = true
          }
          callers.push(caller)
        }

        for (const each of steps) {
          if (each.do === 'run') run(each.name, each.mayLeave)
          else if (each.do === 'leave') callers[each.which % Math.max(1, callers.length)]?.leave()
          else
            active[each.which % Math.max(1, active.length)]?.end(each.do === 'fail' ? new Error('broken') : undefined)
          await turn()
          expect(lane.active).toBe(active.length)
          expect(lane.active === width || lane.waiting === 0).toBe(true)
        }
        while (active.length > 0) {
          active[0]?.end()
          await turn()
        }
        // First come, first served: in the order in which they were asked for.
        expect(begun).toEqual(begun.toSorted((one, other) => one - other))
        expect([lane.active, lane.waiting, lane.done, lane.refused]).toEqual([0, 0, begun.length, 0])
        for (const { answer, work, hasLeft } of callers) {
          const said = await answer
          const fair =
            said === work() || (said instanceof Error && (said.message === 'broken' || (hasLeft && said === gone)))
          expect([said, fair]).toEqual([said, true])
        }
        expect(await lane.run('a', async () => 'next')).toBe('next')
      }),
      { numRuns: 150 },
    )
  })
})

it('what was dropped holds no place: those who are still there are not refused for those who left', async () => {
  const lane = new Lane({ width: 1, waitingMax: 2, waitMsMax: 60_000 })
  const slow = Promise.withResolvers<string>()
  const first = lane.run('slow', async () => await slow.promise)
  const gone = new AbortController()
  const left = ['x', 'y'].map((name) => lane.run(name, async () => name, gone.signal).catch(() => 'left'))
  gone.abort()
  expect(await Promise.all(left)).toEqual(['left', 'left'])
  expect(lane.waiting).toBe(0)
  const next = lane.run('next', async () => 'next')
  slow.resolve('done')
  expect(await Promise.all([first, next])).toEqual(['done', 'next'])
  expect(lane.refused).toBe(0)
})
