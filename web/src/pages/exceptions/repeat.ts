/**
 * What simple controls can say of a repetition, and its RRULE (RFC 5545). What they
 * cannot say stays as it was written.
 */
export const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const
export type Weekday = (typeof weekdays)[number]

export interface Repeat {
  every: 'never' | 'day' | 'week' | 'month' | 'weekdayOfMonth' | 'other'
  interval: number
  /** of a week */
  days: Weekday[]
  /** which of the month: 1 to 4, or -1 for the last */
  nth: number
  /** a date, 2026-12-31, or '' for ever */
  until: string
  /** as written, where no control can say it */
  rule: string
}

export const never: Repeat = { every: 'never', interval: 1, days: [], nth: 1, until: '', rule: '' }

export function read(rule: string): Repeat {
  if (!rule.trim()) return never
  const parts = new Map(rule.trim().replace(/^RRULE:/i, '').split(';').map((p) => p.toUpperCase().split('=', 2) as [string, string]))
  const other: Repeat = { ...never, every: 'other', rule }
  const freq = parts.get('FREQ')
  const interval = Number(parts.get('INTERVAL') ?? 1)
  const byDay = parts.get('BYDAY')?.split(',') ?? []
  const until = /^(\d{4})(\d\d)(\d\d)(T235959Z?)?$/.exec(parts.get('UNTIL') ?? '')
  const known = ['FREQ', 'INTERVAL', 'BYDAY', 'UNTIL']
  if ([...parts.keys()].some((k) => !known.includes(k)) || !Number.isInteger(interval) || interval < 1 || (parts.has('UNTIL') && !until)) return other
  const common = { ...never, interval, until: until ? `${until[1]}-${until[2]}-${until[3]}` : '' }
  if (freq === 'DAILY' && byDay.length === 0) return { ...common, every: 'day' }
  if (freq === 'WEEKLY' && byDay.every((d) => weekdays.includes(d as Weekday))) return { ...common, every: 'week', days: byDay as Weekday[] }
  if (freq === 'MONTHLY' && byDay.length === 0) return { ...common, every: 'month' }
  const one = /^(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)$/.exec(byDay[0] ?? '')
  if (freq === 'MONTHLY' && byDay.length === 1 && one) return { ...common, every: 'weekdayOfMonth', nth: Number(one[1]), days: [one[2] as Weekday] }
  return other
}

export function write(r: Repeat): string {
  if (r.every === 'never') return ''
  if (r.every === 'other') return r.rule.trim()
  const days = weekdays.filter((d) => r.days.includes(d)) // the order of the week
  const parts = [`FREQ=${{ day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', weekdayOfMonth: 'MONTHLY' }[r.every]}`]
  if (r.interval > 1) parts.push(`INTERVAL=${r.interval}`)
  if (r.every === 'week' && days.length) parts.push(`BYDAY=${days.join(',')}`)
  if (r.every === 'weekdayOfMonth') parts.push(`BYDAY=${r.nth}${days[0] ?? 'MO'}`)
  if (r.until) parts.push(`UNTIL=${r.until.replaceAll('-', '')}T235959Z`)
  return parts.join(';')
}

/** The weekday of a wall clock's date. */
export function weekdayOf(local: string): Weekday {
  const day = new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay()
  return weekdays[(day + 6) % 7] ?? 'MO'
}
