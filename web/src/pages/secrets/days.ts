/** Days with who used a secret, and how much of each is not known. */
import type { SecretDetail } from './types'

export interface Day {
  day: string
  calls: Record<string, number>
  total: number
  /** Hours of which nothing is known: 24 is the whole day. */
  unknown: number
}

const length = 86_400_000

export interface Band {
  caller: string
  /** Callers that share it, where there are more than can be told apart. */
  of: string[]
}

/** Every day from since to until, those without calls included. */
export function daysOf(d: Pick<SecretDetail, 'days' | 'gaps' | 'first_seen' | 'since' | 'until'>): Day[] {
  const first = Math.floor(Math.max(new Date(d.first_seen).getTime(), new Date(d.since).getTime()) / length)
  const last = Math.ceil(new Date(d.until).getTime() / length)
  if (!Number.isFinite(first) || !Number.isFinite(last) || last - first > 4000) return []
  const days: Day[] = []
  for (let n = first; n < last; n++) days.push({ day: new Date(n * length).toISOString().slice(0, 10), calls: {}, total: 0, unknown: 0 })
  const place = (day: string) => days[new Date(`${day}T00:00:00Z`).getTime() / length - first]
  for (const c of d.days) {
    const at = place(c.day)
    if (!at) continue
    at.calls[c.caller] = (at.calls[c.caller] ?? 0) + c.calls
    at.total += c.calls
  }
  for (const g of d.gaps) {
    const from = new Date(g.from).getTime()
    const to = new Date(g.to).getTime()
    for (let n = Math.max(Math.floor(from / length), first); n * length < to && n < last; n++) {
      const at = days[n - first]
      if (at) at.unknown = Math.min(at.unknown + (Math.min(to, (n + 1) * length) - Math.max(from, n * length)) / 3_600_000, 24)
    }
  }
  return days
}

/** The callers as bands, the most frequent first; those beyond the most that can be told apart are one. */
export function bandsOf(callers: readonly { caller: string; calls: number }[], most = 4): Band[] {
  const ranked = callers.toSorted((a, b) => b.calls - a.calls)
  if (ranked.length <= most) return ranked.map((c) => ({ caller: c.caller, of: [c.caller] }))
  return [
    ...ranked.slice(0, most - 1).map((c) => ({ caller: c.caller, of: [c.caller] })),
    { caller: '', of: ranked.slice(most - 1).map((c) => c.caller) },
  ]
}
