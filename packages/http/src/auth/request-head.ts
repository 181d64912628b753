import type { IncomingMessage } from 'node:http'

/** What the authenticator looks at: every `IncomingMessage` is one. */
export interface RequestHead extends Pick<IncomingMessage, 'rawHeaders'> {
  /** Who asks, as far as the proxies in front of us are trusted. */
  readonly ip?: string | undefined
  /** The address is gone as soon as the connection is. */
  readonly socket: { readonly remoteAddress?: string | undefined }
}
