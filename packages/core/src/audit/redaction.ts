/** What the log says of a redaction; in its fields `after.stream_seqs` has the places in the stream. */
export const redactedAction = 'audit_event.redacted'
