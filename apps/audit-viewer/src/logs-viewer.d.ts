/** What we use of the viewer, which brings no types. */
declare module '@retracedhq/logs-viewer' {
  import type { ReactElement } from 'react'

  interface Event {
    readonly country: string | null
    readonly source_ip: string | null
  }

  interface Column {
    readonly label: string
    readonly type?: 'markdown'
    readonly field?: string
    readonly getValue?: (event: Event) => string | null
  }

  export default function RetracedEventsBrowser(props: {
    /** Where the viewer API is. */
    readonly host: string
    readonly auditLogToken: string
    readonly header?: string
    /** A class of its outermost element. */
    readonly customClass?: string
    readonly fields?: Column[]
    /** Whether the raw event shows these as well. */
    readonly toggleDisplay?: { readonly fields?: boolean; readonly metadata?: boolean }
    /** Called when a search was not let in: a new `auditLogToken` goes on where it was. */
    readonly refreshToken?: () => void
  }): ReactElement
}
