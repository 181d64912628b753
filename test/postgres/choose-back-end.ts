import { type BackEnd, BackEndUnavailable } from './back-end.ts'
import { dockerBackEnd } from './docker-back-end.ts'
import { embeddedBackEnd } from './embedded-back-end.ts'

/**
 * Finds the PostgreSQL for the tests, in this order: `TEST_DATABASE_URL`, Docker, the embedded one.
 * `TEST_POSTGRES` = `url`, `docker` or `embedded` asks for one of them, and that one has to work.
 */
export async function startBackEnd(env = process.env): Promise<BackEnd> {
  const wanted = env['TEST_POSTGRES'] || (env['TEST_DATABASE_URL'] ? 'url' : undefined)
  switch (wanted) {
    case 'url': {
      const adminUrl = env['TEST_DATABASE_URL']
      if (!adminUrl) throw new Error('TEST_POSTGRES=url needs TEST_DATABASE_URL')
      return { description: 'the server of TEST_DATABASE_URL', lasting: true, adminUrl, stop: async () => {} }
    }
    case 'docker':
      return dockerBackEnd(env)
    case 'embedded':
      return embeddedBackEnd('as TEST_POSTGRES says')
    case undefined:
      break
    default:
      throw new Error(`TEST_POSTGRES is "${wanted}"; it may be url, docker or embedded`)
  }
  try {
    return await dockerBackEnd(env)
  } catch (error) {
    if (!(error instanceof BackEndUnavailable)) throw error
    return embeddedBackEnd(error.message)
  }
}
