/** Numbers and times as the language writes them; nothing here is glued by hand. */
import type { Language } from './language'

const kept = new Map<string, unknown>()
function once<T>(key: string, make: () => T): T {
  if (!kept.has(key)) kept.set(key, make())
  return kept.get(key) as T
}

export function number(n: number, l: Language): string {
  return once(`n${l}`, () => new Intl.NumberFormat(l, { maximumFractionDigits: 2 })).format(n)
}

/** 12,345 as 12K, for chips and axes. */
export function compact(n: number, l: Language): string {
  return once(`c${l}`, () => new Intl.NumberFormat(l, { notation: 'compact', maximumFractionDigits: 1 })).format(n)
}

export function percent(n: number, l: Language): string {
  return once(`p${l}`, () => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: 0 })).format(n)
}

/** A share of something, where a tenth of a percent tells; less than that is not nothing. */
export function share(n: number, l: Language): string {
  const least = 0.001
  if (n > 0 && n < least / 2) return `<${share(least, l)}`
  return once(`s%${l}`, () => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: 1 })).format(n)
}

/** A month of a bill, such as "2026-04". */
export function month(at: string, l: Language): string {
  const f = once(`M${l}`, () => new Intl.DateTimeFormat(l, { year: 'numeric', month: 'short', timeZone: 'UTC' }))
  return valid(at) ? f.format(new Date(at)) : at
}

/** A whole time, in the zone of the reader or in UTC. */
export function exact(at: string | Date, l: Language, zone?: 'UTC'): string {
  const f = once(`e${l}${zone ?? ''}`, () =>
    new Intl.DateTimeFormat(l, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23', timeZone: zone }),
  )
  return valid(at) ? f.format(new Date(at)) : ''
}

/** The day, in UTC, since the days of the ledger and of strips are UTC days. */
export function day(at: string | Date, l: Language): string {
  const f = once(`d${l}`, () => new Intl.DateTimeFormat(l, { month: 'short', day: 'numeric', timeZone: 'UTC' }))
  return valid(at) ? f.format(new Date(at)) : ''
}

/** Hour and minute, in UTC. */
export function clock(at: string | Date, l: Language): string {
  const f = once(`h${l}`, () => new Intl.DateTimeFormat(l, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' }))
  return valid(at) ? f.format(new Date(at)) : ''
}

/** Day, hour and minute, in UTC: what labels of axes and rows of events need. */
export function moment(at: string | Date, l: Language): string {
  return valid(at) ? `${day(at, l)} ${clock(at, l)}` : ''
}

/** Day, hour, minute and second, in UTC. */
export function second(at: string | Date, l: Language): string {
  const f = once(`s${l}`, () =>
    new Intl.DateTimeFormat(l, {
      month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: 'UTC',
    }),
  )
  return valid(at) ? f.format(new Date(at)) : ''
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** "3 hours ago". */
export function ago(at: string | Date, now: Date, l: Language): string {
  if (!valid(at)) return ''
  const f = once(`r${l}`, () => new Intl.RelativeTimeFormat(l, { numeric: 'auto', style: 'short' }))
  const seconds = (new Date(at).getTime() - now.getTime()) / 1000
  const [unit, size] = steps.find(([, s]) => Math.abs(seconds) >= s) ?? ['second', 1]
  return f.format(Math.round(seconds / size), unit)
}

/** How long something took or takes: "2 h 5 min". */
export function span(seconds: number, l: Language): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'day'],
    [Math.floor((seconds % 86400) / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [Math.floor(seconds % 60), 'second'],
  ]
  const from = parts.findIndex(([n]) => n > 0)
  return parts
    .slice(from < 0 ? 3 : from, (from < 0 ? 3 : from) + 2)
    .filter(([n], i) => n > 0 || i === 0)
    .map(([n, unit]) => new Intl.NumberFormat(l, { style: 'unit', unit, unitDisplay: 'short' }).format(n))
    .join(' ')
}

/** Go's zero time is no time. */
export function valid(at: string | Date | undefined): at is string | Date {
  return !!at && !(typeof at === 'string' && at.startsWith('0001-')) && !Number.isNaN(new Date(at).getTime())
}
