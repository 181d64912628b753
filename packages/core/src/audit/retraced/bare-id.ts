const bare = /^[0-9a-f]{32}$/

/** Retraced's ids are UUIDs without their dashes. */
export const bareId = (id: string): string => id.replaceAll('-', '')

/** The UUID that an id of Retraced's form is; undefined for what has not that form. */
export function idOfBare(text: string): string | undefined {
  return bare.test(text) ? text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : undefined
}
