import { describe, expect, it } from 'vitest'
import { redacted } from './output.ts'

describe('redacted', () => {
  const url = 'postgres://owner:hunter2@db.internal:5432/registry'

  it('takes the secrets out wherever they stand', () => {
    expect(redacted(`cannot parse "${url}"`, [url])).toBe('cannot parse "***"')
    expect(redacted('host=db password=hunter2', ['hunter2'])).toBe('host=db password=***')
  })

  it('takes every connection string out, also one that nobody named', () => {
    expect(redacted(`{"input":"${url}"}`, [])).toBe('{"input":"postgres://***"}')
    expect(redacted('see postgresql://a:b@c/d?e=f now', [])).toBe('see postgresql://*** now')
  })

  it('leaves everything else as it is', () => {
    expect(redacted('database "x" does not exist (3D000)', ['', url])).toBe('database "x" does not exist (3D000)')
  })
})
