/** What the page works out of the answers. Amounts are summed here for the eye alone: exact sums are the server's. */
import type { Advice, Changes, Month } from './types'

/** A bill's month after this one. */
export function monthAfter(month: string): string {
  const at = new Date(`${month}-01T00:00:00Z`)
  at.setUTCMonth(at.getUTCMonth() + 1)
  return at.toISOString().slice(0, 7)
}

/** Currencies of the bill, the one with the most months first. */
export function currencies(months: readonly Month[]): string[] {
  const counts = new Map<string, number>()
  for (const m of months) counts.set(m.currency, (counts.get(m.currency) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([c]) => c)
}

export interface Ranked {
  service: string
  amount: number
  /** A number for each month of the bill, the earliest first; undefined: no row of that month. */
  past: (number | undefined)[]
  /** Against the month before, as a part of it; undefined: there was nothing to compare with. */
  change: number | undefined
}

/** Services of a month, what costs most first, each with its months; months are of one currency. */
export function ranked(months: readonly Month[], at: Month, account?: string): Ranked[] {
  const of = (m: Month, service: string) => {
    const rows = m.services.filter((s) => s.service === service && (!account || s.account === account))
    return rows.length ? rows.reduce((n, s) => n + s.amount, 0) : undefined
  }
  const names = new Set(months.flatMap((m) => m.services.filter((s) => !account || s.account === account).map((s) => s.service)))
  const index = months.indexOf(at)
  return [...names]
    .map((service) => {
      const past = months.map((m) => of(m, service))
      const before = index > 0 ? past[index - 1] : undefined
      const amount = past[index] ?? 0
      return { service, amount, past, change: before ? (amount - before) / before : undefined }
    })
    .sort((a, b) => b.amount - a.amount || a.service.localeCompare(b.service))
}

/** Accounts of a service in a month, what costs most first. */
export function accountsOf(at: Month, service?: string): { account: string; name: string; amount: number }[] {
  const found = new Map<string, { account: string; name: string; amount: number }>()
  for (const s of at.services) {
    if (service && s.service !== service) continue
    const one = found.get(s.account) ?? { account: s.account, name: s.account_name, amount: 0 }
    one.amount += s.amount
    found.set(s.account, one)
  }
  return [...found.values()].sort((a, b) => b.amount - a.amount)
}

/** Where daily recording costs what continuous recording does: items for each resource that changed on a day. */
export const breakEven = 4

export interface Point {
  advice: Advice
  /** Items for each changed resource-day; Infinity: none differed at a day's end. */
  ratio: number
}

/** Advice on recording that can be drawn against the break-even, what saves most first. */
export function points(advice: readonly Advice[]): Point[] {
  return advice
    .flatMap((a) => (a.kind === 'recording' && a.items && a.resource_days !== null && a.verdict !== 'cannot' ? [{ advice: a, ratio: a.resource_days === 0 ? Infinity : a.items / a.resource_days }] : []))
    .sort((a, b) => b.advice.saving_month - a.advice.saving_month)
}

/** "NetworkInterface" of "AWS::EC2::NetworkInterface". */
export function shortType(type: string): string {
  return type.split('::').at(-1) || type
}

export interface Stacked {
  days: string[]
  /** Of each day whether the log does not reach it: without a change it is not known, and not nothing. */
  unknown: boolean[]
  operations: { name: string; counts: number[]; total: number }[]
}

/** Changes by day, the operations with most first; those past `most` are summed under an empty name. */
export function stacked(of: Changes, most = 6): Stacked {
  const days = spanned(of)
  const logged = new Set(of.days.map((d) => d.day))
  const unknown = days.map((d) => !logged.has(d) && (`${d}T23:59:59Z` < of.read.since || `${d}T00:00:00Z` >= of.read.until))
  const at = new Map(days.map((d, i) => [d, i]))
  const all = new Map<string, number[]>()
  for (const d of of.days) {
    const counts = all.get(d.operation) ?? new Array<number>(days.length).fill(0)
    const i = at.get(d.day)
    if (i !== undefined) counts[i] = (counts[i] ?? 0) + d.count
    all.set(d.operation, counts)
  }
  const operations = [...all]
    .map(([name, counts]) => ({ name, counts, total: counts.reduce((n, c) => n + c, 0) }))
    .sort((a, b) => b.total - a.total || a.name.localeCompare(b.name))
  if (operations.length <= most) return { days, unknown, operations }
  const rest = operations.slice(most - 1)
  const counts = days.map((_, i) => rest.reduce((n, o) => n + (o.counts[i] ?? 0), 0))
  return { days, unknown, operations: [...operations.slice(0, most - 1), { name: '', counts, total: counts.reduce((n, c) => n + c, 0) }] }
}

const mostDays = 400

/** Every day that was asked for: one on which nothing was logged is a gap to be seen. */
function spanned({ since, until }: Changes): string[] {
  const out: string[] = []
  for (let at = new Date(`${since.slice(0, 10)}T00:00:00Z`); at < new Date(until) && out.length < mostDays; at.setUTCDate(at.getUTCDate() + 1)) out.push(at.toISOString().slice(0, 10))
  return out
}
