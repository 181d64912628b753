import { z } from 'zod'
import { isoTime } from '../iso-time.ts'

/** How far JavaScript's times go, in milliseconds. What PostgreSQL has beyond that is read as infinite. */
const furthest = 8_640_000_000_000_000

/**
 * A time as PostgreSQL reads it. Rows that were copied from the log before this one may say any that it can hold, and
 * ISO 8601 writes years beyond 0001 to 9999 in a way that PostgreSQL does not know.
 */
export function spellMoment(at: Date): string {
  if (Math.abs(at.getTime()) === furthest) return at.getTime() > 0 ? 'infinity' : '-infinity'
  const year = at.getUTCFullYear()
  const iso = isoTime(at)
  if (year >= 1 && year <= 9_999) return iso
  const [counted, era] = year > 0 ? [year, ''] : [1 - year, ' BC']
  return `${String(counted).padStart(4, '0')}${iso.slice('+000000'.length)}${era}`
}

const spelling = /^(\d{4,6})(-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)( BC)?$/

function readMoment(text: string): Date {
  if (text === 'infinity' || text === '-infinity') return new Date(text === 'infinity' ? furthest : -furthest)
  const [, digits, rest, era] = spelling.exec(text) ?? []
  const year = era === undefined ? Number(digits) : 1 - Number(digits)
  return new Date(`${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}${rest}`)
}

/** A text that `spellMoment` gives, and no other. */
export const Moment = z.string().refine((text) => {
  const at = readMoment(text)
  return !Number.isNaN(at.getTime()) && spellMoment(at) === text
})
