/** The time that a search looks at, as its address says it: two times, or a span back from now. */

export const spans = { '1h': 3600, '24h': 86_400, '7d': 7 * 86_400, '30d': 30 * 86_400 } as const
export type Span = keyof typeof spans

export interface Range {
  since?: string
  until?: string
}

/** The span that an address names, such as since=-7d. */
export function spanOf(r: Range): Span | 'all' | undefined {
  if (!r.since && !r.until) return 'all'
  const name = r.since?.startsWith('-') && !r.until ? r.since.slice(1) : ''
  return name in spans ? (name as Span) : undefined
}

/**
 * The two times that are asked of the server. A span counts from now, to the minute,
 * so that the same question is the same one for a while.
 */
export function times(r: Range, now: Date): Range {
  const span = spanOf(r)
  if (span === 'all') return {}
  if (span) return { since: new Date(Math.floor(now.getTime() / 60_000) * 60_000 - spans[span] * 1000).toISOString() }
  return { since: given(r.since), until: given(r.until) }
}

function given(text: string | undefined): string | undefined {
  return text ? readTime(text) : undefined
}

/** A time as people type it, in UTC unless it says otherwise. */
export function readTime(text: string): string | undefined {
  const m = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text.trim())
  if (!m) return undefined
  const at = new Date(`${m[1]}T${m[2] ?? '00:00'}${m[3] ?? 'Z'}`)
  // The 31st of February is no day.
  if (Number.isNaN(at.getTime()) || (!m[3] && at.toISOString().slice(0, 10) !== m[1])) return undefined
  return at.toISOString()
}

/** A time for a box to edit: without what is zero. */
export function written(at: string | undefined): string {
  if (!at) return ''
  return at.replace(/\.\d+Z$/, 'Z').replace(/T00:00:00Z$/, '').replace(/(T\d{2}:\d{2}):00Z$/, '$1').replace(/Z$/, '')
}

/** Three times as much time, around the same middle; never beyond what is stored. */
export function wider(since: string, until: string, all?: { since: string; until: string }): Range {
  const from = new Date(since).getTime()
  const to = new Date(until).getTime()
  const length = Math.max(to - from, 1000)
  const next = { from: from - length, to: to + length }
  if (all && next.from <= new Date(all.since).getTime() && next.to >= new Date(all.until).getTime()) return {}
  return { since: new Date(next.from).toISOString(), until: new Date(next.to).toISOString() }
}
