import { execFile } from 'node:child_process'
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { hash } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { hashCostMin, hashSecret, isAtLeast, isOutdated, isSecretOf } from './password-hash.ts'

/** As cheap as argon2 can be: what is tested here is not how dear it is. */
const cheap = { memoryCost: 8, timeCost: 1, parallelism: 1 }
const phc = ({ memoryCost: m, timeCost: t, parallelism: p }: typeof cheap, variant = 'argon2id', version = 19) =>
  `$${variant}$v=${version}$m=${m},t=${t},p=${p}$c2FsdHNhbHRzYWx0c2FsdA$${'A'.repeat(43)}`

/** What a process prints that runs with these flags and says this with `hashSecret` and `hashCostMin`. */
async function inProcess(flags: readonly string[], script: string): Promise<string> {
  const module = new URL('password-hash.ts', import.meta.url).href
  const imports = `const { hashCostMin, hashSecret } = await import(${JSON.stringify(module)})`
  const words = ['--conditions=@breakpilot/source', ...flags, '--input-type=module', '--eval', `${imports}\n${script}`]
  return (await promisify(execFile)(process.execPath, words)).stdout
}

describe('a hash', () => {
  it('is argon2id at its cost with a salt of its own, and opens for its secret alone', async () => {
    const [one, other] = [await hashSecret('a secret', hashCostMin), await hashSecret('a secret', hashCostMin)]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(other).not.toBe(one)
    expect(await isSecretOf(one, 'a secret')).toBe(true)
    for (const wrong of ['', 'a secret ', 'A secret', 'a secret\0', 'a secre']) {
      expect(await isSecretOf(one, wrong), wrong).toBe(false)
    }
  })

  it('does not wait for what Node.js does in its own pool, however much that is', async () => {
    const { UV_THREADPOOL_SIZE: size = '4' } = process.env
    // A thread that is there already: it is not its beginning that is looked at.
    await hashSecret('a secret', hashCostMin)
    const order: string[] = []
    const slow = Array.from({ length: Number(size) }, async () => {
      await promisify(pbkdf2)('a secret', 'a salt', 500_000, 32, 'sha512')
      order.push('pool')
    })
    await hashSecret('a secret', hashCostMin)
    order.push('hash')
    await Promise.all(slow)
    expect(order[0]).toBe('hash')
  })

  it('is a failure for who waits for it, and for nobody else, where a thread cannot begin', async () => {
    // The library is native: where nothing native may be loaded the thread cannot load it.
    const stdout = await inProcess(
      ['--permission', '--allow-worker', '--allow-fs-read=*'],
      `for (const _ of [1, 2]) await hashSecret('a secret', hashCostMin).catch((error) => console.log(error.message.slice(0, 26)))
       console.log('goes on')`,
    )
    expect(stdout).toBe('Cannot find native binding\nCannot find native binding\ngoes on\n')
  })

  it.each(['--max-old-space-size=256', '--expose-gc', '--title=registry', '--no-warnings'])(
    'is made in a process that runs with %s',
    async (flag) => {
      const made = `console.log((await hashSecret('a secret', hashCostMin)).slice(0, 9))`
      expect(await inProcess([flag], made)).toBe('$argon2id\n')
    },
  )

  it.each([
    ['argon2i', async () => await hash('a secret', { ...cheap, algorithm: 1 })],
    ['argon2d', async () => await hash('a secret', { ...cheap, algorithm: 0 })],
    ['an older version of argon2', async () => await hash('a secret', { ...cheap, algorithm: 2, version: 0 })],
  ])('of %s is nobody’s, also with the right secret', async (_, make) => {
    expect(await isSecretOf(await make(), 'a secret')).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['the secret itself', 'a secret'],
    ['bcrypt', '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW'],
    ['sha256', '6e3e2b0d4e3b8c0e6d7f1c5a9b8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d'],
    ['one that was cut short', phc(cheap).slice(0, -10)],
    ['one with something before it', ` ${phc(cheap)}`],
    ['one with something after it', `${phc(cheap)}\n`],
    ['one with a cost that is no number', phc(cheap).replace('m=8', 'm=8e9')],
    ['one of more memory than there is', phc({ ...cheap, memoryCost: 99_999_999_999 })],
  ])('that is %s is nobody’s, and no failure', async (_, stored) => {
    expect(await isSecretOf(stored, 'a secret')).toBe(false)
    expect(isOutdated(stored, hashCostMin)).toBe(false)
  })
})

describe('a cost', () => {
  const [m, t, p] = [hashCostMin.memoryCost, hashCostMin.timeCost, hashCostMin.parallelism]
  it.each([
    [m, t, p, false],
    [m + 1, t + 1, p, false],
    [m, t, p + 3, false],
    [m - 1, t, p, true],
    [m, t - 1, p, true],
    [m * 4, t - 1, p, true],
    [m - 1, t * 4, p, true],
  ])('of m=%i, t=%i, p=%i is outdated: %s', (memoryCost, timeCost, parallelism, expected) => {
    const cost = { memoryCost, timeCost, parallelism }
    expect(isOutdated(phc(cost), hashCostMin)).toBe(expected)
    expect(isAtLeast(cost, hashCostMin)).toBe(!expected)
  })
})
