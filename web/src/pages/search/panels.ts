/** Dashboards as they are kept: saved views with panels. */
import type { View } from '@/api/contract'
import type { Range } from './range'

export const shows = { search: ['count', 'histogram', 'top', 'rows'], sql: ['table', 'chart'] } as const
export type Show = (typeof shows)[keyof typeof shows][number]

export interface Panel {
  id: string
  title: string
  kind: keyof typeof shows
  /** A filter, or a statement of SQL. */
  query: string
  show: Show
  /** Of what the top values are. */
  field?: string
  /** The time of a search; the dashboard's own goes before it. */
  since?: string
  until?: string
  wide?: boolean
}

export type Dashboard = Omit<View, 'panels'> & { panels: Panel[] }

/** Reads what was kept, by whatever version: what is no panel is left out. */
export function panelsOf(kept: unknown): Panel[] {
  if (!Array.isArray(kept)) return []
  const seen = new Set<string>()
  return kept.flatMap((p: unknown): Panel[] => {
    if (typeof p !== 'object' || p === null) return []
    const { id, title, kind, query, show, field, since, until, wide } = p as Record<string, unknown>
    if (typeof id !== 'string' || seen.has(id) || typeof query !== 'string' || (kind !== 'search' && kind !== 'sql')) return []
    seen.add(id)
    const known = shows[kind] as readonly string[]
    const text = (v: unknown) => (typeof v === 'string' && v !== '' ? v : undefined)
    return [{
      id, kind, query, title: text(title) ?? query, show: (typeof show === 'string' && known.includes(show) ? show : known[0]) as Show,
      field: text(field), since: text(since), until: text(until), wide: wide === true || undefined,
    }]
  })
}

/** Moves a panel by some places, no further than the ends. */
export function moved(panels: readonly Panel[], id: string, by: number): Panel[] {
  const from = panels.findIndex((p) => p.id === id)
  const p = panels[from]
  if (!p) return [...panels]
  const rest = panels.filter((x) => x.id !== id)
  const to = Math.min(Math.max(from + by, 0), rest.length)
  return [...rest.slice(0, to), p, ...rest.slice(to)]
}

/** The time that a panel looks at on a dashboard that may say its own. */
export function rangeOf(p: Panel, own: Range): Range {
  return own.since || own.until ? own : { since: p.since, until: p.until }
}
