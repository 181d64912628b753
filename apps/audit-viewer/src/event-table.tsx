import RetracedEventsBrowser from '@retracedhq/logs-viewer'
import { type ReactElement, useLayoutEffect, useState } from 'react'
import { type MadeToken, watchSession } from './session-watch.ts'
import { viewerApi } from './viewer-token.ts'

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

interface Props {
  readonly token: string
  /** Whether it is a tenant's whole log: of that there are no enterprise tokens, so nothing offers any. */
  readonly ofSupport: boolean
  /** Called when the viewer is not let in any more. */
  readonly onEnd: () => void
}

/** Retraced's viewer, as it is, and what it does not show by itself. */
export function EventTable({ token, ofSupport, onEnd }: Props): ReactElement {
  const [made, setMade] = useState<MadeToken>()
  const [problem, setProblem] = useState('')
  // Before any effect of the viewer itself, which is what asks first.
  useLayoutEffect(() => watchSession({ onRefused: onEnd, onFailed: setProblem, onToken: setMade }), [onEnd])
  return (
    <>
      <p role="status" className="MadeToken">
        {made && (
          <>
            The token {made.name}, which is shown this once: <code>{made.token}</code>
            <button type="button" onClick={() => setMade(undefined)}>
              I have it
            </button>
          </>
        )}
      </p>
      <p role="alert" className="Failed">
        {problem !== '' && (
          <>
            {problem}. Open the log again to try once more.
            <button type="button" onClick={() => setProblem('')}>
              Close
            </button>
          </>
        )}
      </p>
      <RetracedEventsBrowser
        host={viewerApi}
        auditLogToken={token}
        header="Audit log"
        customClass={ofSupport ? 'OfSupport' : ''}
        fields={[...columns]}
        toggleDisplay={shown}
        refreshToken={onEnd}
      />
    </>
  )
}
