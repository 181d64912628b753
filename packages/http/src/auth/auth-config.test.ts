import { expect, test } from 'vitest'
import { authConfigProblem } from './auth-config.ts'

test.each(['dev', 'stage', 'prod'])('authentication may be on in %s, however that was chosen', (appEnv) => {
  expect(authConfigProblem({ mode: 'oidc', appEnvExplicit: true, appEnv })).toBeUndefined()
  expect(authConfigProblem({ mode: 'oidc', appEnvExplicit: false, appEnv })).toBeUndefined()
})

test('authentication may be off when APP_ENV=dev was set explicitly', () => {
  expect(authConfigProblem({ mode: 'off', appEnvExplicit: true, appEnv: 'dev' })).toBeUndefined()
})

test.each([
  { appEnvExplicit: false, appEnv: 'dev', found: 'it is not set' },
  { appEnvExplicit: false, appEnv: 'prod', found: 'it is not set' },
  { appEnvExplicit: true, appEnv: 'stage', found: 'it is stage' },
  { appEnvExplicit: true, appEnv: 'prod', found: 'it is prod' },
])('authentication may not be off with %o', ({ appEnvExplicit, appEnv, found }) => {
  expect(authConfigProblem({ mode: 'off', appEnvExplicit, appEnv })).toBe(
    `AUTH_MODE=off is only accepted when APP_ENV=dev is set explicitly, and ${found}`,
  )
})
