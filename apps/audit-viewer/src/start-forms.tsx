import { type FormEvent, type ReactElement, useState } from 'react'
import type { Look, Staff } from './registry.ts'
import { viewerTokenIn } from './viewer-token.ts'

/** What somebody wants to see. */
export type Wish =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'tenant'
      readonly staff: Staff
      /** Its id or its slug. */
      readonly tenant: string
      readonly environment: Look['environment']
    }

interface Props {
  /** Why nothing is to be seen, if something went wrong. */
  readonly problem: string
  readonly isBusy: boolean
  readonly onStart: (wish: Wish) => void
}

/** The ways in: a viewer token that somebody was given, or a tenant for the platform's own people. */
export function StartForms({ problem, isBusy, onStart }: Props): ReactElement {
  const [unread, setUnread] = useState('')
  const paste = (event: FormEvent<HTMLFormElement>) => {
    const token = viewerTokenIn(textsOf(event)('viewer-token'))
    setUnread(token === undefined ? 'A viewer token has 32 hexadecimal digits.' : '')
    if (token !== undefined) onStart({ kind: 'token', token })
  }
  const tour = (event: FormEvent<HTMLFormElement>) => {
    const text = textsOf(event)
    setUnread('')
    onStart({
      kind: 'tenant',
      staff: { accessToken: text('access-token').trim() },
      tenant: text('tenant').trim(),
      environment: text('environment') === 'test' ? 'test' : 'live',
    })
  }
  return (
    <main className="StartForms">
      <h1>Audit log</h1>
      <p role="alert" className="StartForms-problem">
        {unread || problem}
      </p>
      <form onSubmit={paste} autoComplete="off">
        <h2>With a viewer token</h2>
        <label>
          Viewer token or link
          <input name="viewer-token" type="password" required spellCheck={false} />
        </label>
        <button disabled={isBusy}>Open</button>
      </form>
      <form onSubmit={tour} autoComplete="off">
        <h2>For the platform&rsquo;s people: a tenant, over all products</h2>
        <label>
          Tenant (id or slug)
          <input name="tenant" required spellCheck={false} />
        </label>
        <label>
          Environment
          <select name="environment">
            <option>live</option>
            <option>test</option>
          </select>
        </label>
        <label>
          Access token (stays in this page)
          <input name="access-token" type="password" spellCheck={false} />
        </label>
        <button disabled={isBusy}>Look</button>
      </form>
    </main>
  )
}

function textsOf(event: FormEvent<HTMLFormElement>): (name: string) => string {
  event.preventDefault()
  const data = new FormData(event.currentTarget)
  return (name) => {
    const value = data.get(name)
    return typeof value === 'string' ? value : ''
  }
}
