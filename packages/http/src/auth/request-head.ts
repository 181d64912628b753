import type { IncomingMessage } from 'node:http'

/** What the authenticator looks at: every `IncomingMessage` is one. */
export interface RequestHead extends Pick<IncomingMessage, 'rawHeaders'> {
  /** The address is gone as soon as the connection is. */
  readonly socket: { readonly remoteAddress?: string | undefined }
}
