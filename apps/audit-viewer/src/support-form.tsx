import type { FormEvent, ReactElement } from 'react'

interface Props {
  /** The id or slug of the tenant that is asked for, where that is known. */
  readonly tenant: string
  /** Whether there is an access token already. */
  readonly hasAccess: boolean
  readonly isBusy: boolean
  /** @param access empty where none was given */
  readonly onOpen: (tenant: string, access: string) => void
}

/** The way in for the platform's people: whose log, and who they are. */
export function SupportForm({ tenant, hasAccess, isBusy, onOpen }: Props): ReactElement {
  const open = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    onOpen(textOf(fields, 'tenant'), textOf(fields, 'access'))
  }
  return (
    <form onSubmit={open} autoComplete="off" aria-labelledby="support-form">
      <h2 id="support-form">For the platform’s people</h2>
      <p>What happened to a tenant, over all products. Each look is recorded in its log.</p>
      <label>
        Tenant, by its slug or id
        <input name="tenant" defaultValue={tenant} required spellCheck={false} />
      </label>
      <label>
        Your access token
        <input name="access" type="password" spellCheck={false} aria-describedby="support-access" />
      </label>
      <p id="support-access" className="StartForm-hint">
        {hasAccess
          ? 'Leave it empty to go on with the one you gave.'
          : 'Leave it empty where the server asks for none, as on your own machine. This page keeps it until you close it.'}
      </p>
      <button disabled={isBusy}>Open the log</button>
    </form>
  )
}

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
