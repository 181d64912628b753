import { type FormEvent, type ReactElement, type ReactNode, useState } from 'react'
import { viewerTokenIn } from './viewer-token.ts'

interface Props {
  /** Why nothing is to be seen, if something went wrong. */
  readonly problem: string
  readonly isBusy: boolean
  readonly onToken: (token: string) => void
  /** Another way in. */
  readonly children: ReactNode
}

/** The way in without a link: a viewer token that somebody was given, or another way. */
export function StartForm({ problem, isBusy, onToken, children }: Props): ReactElement {
  const [unread, setUnread] = useState('')
  const paste = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const text = new FormData(event.currentTarget).get('viewer-token')
    const token = typeof text === 'string' ? viewerTokenIn(text) : undefined
    setUnread(token === undefined ? 'A viewer token has 32 hexadecimal digits.' : '')
    if (token !== undefined) onToken(token)
  }
  return (
    <main className="StartForm">
      <h1>Audit log</h1>
      <p role="alert" className="StartForm-problem">
        {unread || problem}
      </p>
      <form onSubmit={paste} autoComplete="off" aria-labelledby="token-form">
        <h2 id="token-form">With a viewer token</h2>
        <label>
          Viewer token or link
          <input name="viewer-token" type="password" required spellCheck={false} />
        </label>
        <button disabled={isBusy}>Open</button>
      </form>
      {children}
    </main>
  )
}
