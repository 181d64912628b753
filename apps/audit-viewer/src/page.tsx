import { type ReactElement, useCallback, useEffect, useRef, useState } from 'react'
import { EventTable } from './event-table.tsx'
import { type Asked, Registry, RegistryProblem } from './registry.ts'
import { StartForm } from './start-form.tsx'
import { environmentOf, SupportBar } from './support-bar.tsx'
import { SupportForm } from './support-form.tsx'
import { assertOpens, takeViewerToken } from './viewer-token.ts'

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** What is brought to be opened: a token that somebody was given, or, for the platform's people, what they asked for. */
interface Brought {
  readonly token: string
  readonly asked?: Asked
  /** What ends the token. */
  readonly id?: string
}

/** What the address asks for. */
function askedIn({ search }: Location) {
  const query = new URLSearchParams(search)
  const environment = environmentOf(query.get('environment'))
  return { tenant: query.get('tenant') ?? '', product: query.get('product') ?? '', environment }
}

/** The address that asks for this again. It has nothing secret in it. */
function addressOf({ tenant, product, environment }: Asked): string {
  const query = new URLSearchParams({ tenant: tenant.slug ?? tenant.id })
  if (product !== '') query.set('product', product)
  if (environment !== '') query.set('environment', environment)
  return `${location.pathname}?${query}`
}

async function bringAsked(registry: Registry, asked: Asked): Promise<Brought> {
  const issued = await registry.issueViewerToken(asked)
  history.replaceState(null, '', addressOf(asked))
  return { ...issued, asked }
}

/** The whole page: the viewer where something is open, else the ways in. */
export function Page(): ReactElement {
  const [opened, setOpened] = useState<Pick<Brought, 'token' | 'id'>>()
  const [asked, setAsked] = useState<Asked>()
  const [problem, setProblem] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  // Held as long as the page is there, and written nowhere.
  const [registry, setRegistry] = useState<Registry>()
  const latest = useRef(0)

  const leave = useCallback((why: string) => {
    setOpened(undefined)
    setAsked(undefined)
    setProblem(why)
  }, [])

  /** Opens what is brought. Of two that are under way the later one counts. */
  const open = useCallback(
    (bring: () => Promise<Brought>, told = messageOf) => {
      const turn = ++latest.current
      setIsBusy(true)
      setProblem('')
      // The viewer that is there has to be gone before another one comes: both keep what they know in one place.
      setOpened(undefined)
      bring()
        .then(
          (brought) => {
            if (turn !== latest.current) return
            setAsked(brought.asked)
            setOpened(brought)
          },
          (error: unknown) => {
            if (turn === latest.current) leave(told(error))
          },
        )
        .finally(() => turn === latest.current && setIsBusy(false))
    },
    [leave],
  )

  const openToken = useCallback(
    (token: string) =>
      open(async () => {
        await assertOpens(token)
        return { token }
      }),
    [open],
  )

  const ask = useCallback(
    (asking: Registry, other: Asked) => {
      setAsked(other)
      open(async () => await bringAsked(asking, other))
    },
    [open],
  )

  const openTenant = useCallback(
    (asking: Registry, name: string, told = messageOf) => {
      const { product, environment } = askedIn(location)
      open(async () => {
        const tenant = await asking.findTenant(name)
        const brought = await bringAsked(asking, { tenant, product, environment })
        setRegistry(asking)
        return brought
      }, told)
    },
    [open],
  )

  useEffect(() => {
    const take = () => {
      if (location.hash === '') return false
      const brought = takeViewerToken(location, history)
      if (brought !== undefined) openToken(brought)
      else leave('There is no viewer token in this link.')
      return true
    }
    const { tenant } = askedIn(location)
    // Where authentication is off there is nothing to ask for.
    if (!take() && tenant !== '') openTenant(new Registry(''), tenant, toldUnasked)
    // Another link in the same tab changes the address, and loads nothing.
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [openToken, openTenant, leave])

  const name = asked?.tenant.name
  useEffect(() => {
    document.title = name === undefined ? 'Audit log' : `${name} · Audit log`
  }, [name])

  const isOfSupport = asked !== undefined
  const end = useCallback(
    () =>
      leave(
        isOfSupport
          ? 'The session is over. Open the log again to go on.'
          : 'The session is over. Follow a new link, or paste a new viewer token.',
      ),
    [isOfSupport, leave],
  )
  const close = () => {
    if (opened?.id !== undefined) void registry?.endViewerToken(opened.id)
    setRegistry(undefined)
    leave('')
  }

  const table = opened && <EventTable key={opened.token} token={opened.token} ofSupport={isOfSupport} onEnd={end} />
  if (asked && registry) {
    return (
      <>
        <SupportBar
          registry={registry}
          asked={asked}
          isBusy={isBusy}
          onChange={(other) => ask(registry, other)}
          onClose={close}
        />
        {table}
      </>
    )
  }
  return (
    table ?? (
      <StartForm problem={problem} isBusy={isBusy} onToken={openToken}>
        <SupportForm
          tenant={askedIn(location).tenant}
          hasAccess={registry !== undefined}
          isBusy={isBusy}
          onOpen={(tenant, access) => openTenant(access === '' && registry ? registry : new Registry(access), tenant)}
        />
      </StartForm>
    )
  )
}

/** Nobody has been asked yet who they are, so that they did not say it is no problem of theirs. */
const toldUnasked = (error: unknown) =>
  error instanceof RegistryProblem && error.status === 401 ? '' : messageOf(error)
