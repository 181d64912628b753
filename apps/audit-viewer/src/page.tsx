import RetracedEventsBrowser from '@retracedhq/logs-viewer'
import { type ReactElement, useCallback, useEffect, useState } from 'react'
import { StartForm } from './start-form.tsx'
import { assertOpens, takeViewerToken, viewerApi } from './viewer-token.ts'

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const columns = [
  { label: 'Description', type: 'markdown', field: 'display.markdown' },
  { label: 'Action', field: 'action' },
  { label: 'Actor', field: 'actor' },
  {
    label: 'Location',
    getValue: ({ country, source_ip }: { country: string | null; source_ip: string | null }) => country ?? source_ip,
  },
  { label: 'Date', field: 'canonical_time' },
] as const

const shown = { fields: true, metadata: true }

/** The whole page: the viewer where there is a token, else what takes one. */
export function Page(): ReactElement {
  const [token, setToken] = useState<string>()
  const [problem, setProblem] = useState('')
  const [isBusy, setIsBusy] = useState(false)

  const open = useCallback((brought: string) => {
    setIsBusy(true)
    setProblem('')
    assertOpens(brought)
      .then(
        () => setToken(brought),
        (error: unknown) => {
          setToken(undefined)
          setProblem(messageOf(error))
        },
      )
      .finally(() => setIsBusy(false))
  }, [])

  useEffect(() => {
    const take = () => {
      if (location.hash === '') return
      const brought = takeViewerToken(location, history)
      if (brought !== undefined) open(brought)
      else {
        setToken(undefined)
        setProblem('There is no viewer token in this link.')
      }
    }
    take()
    // Another link in the same tab changes the address, and loads nothing.
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [open])

  const end = () => {
    setToken(undefined)
    setProblem('The session is over. Follow a new link, or paste a new viewer token.')
  }

  if (token === undefined) return <StartForm problem={problem} isBusy={isBusy} onToken={open} />
  return (
    <RetracedEventsBrowser
      key={token}
      host={viewerApi}
      auditLogToken={token}
      header="Audit log"
      fields={[...columns]}
      toggleDisplay={shown}
      refreshToken={end}
    />
  )
}
