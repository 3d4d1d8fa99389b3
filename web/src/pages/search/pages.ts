/** Turning pages of a search, which has no cursor: the next one begins where the last ended. */
import type { Event } from '@/api/contract'

interface Found {
  events: Event[]
  more: boolean
}

/**
 * Until when the next page asks: just after the oldest event that is there, since
 * others may have its time. Undefined where there is no more, or where the last page
 * brought nothing new and so never would.
 */
export function nextUntil(pages: readonly Found[]): string | undefined {
  const last = pages.at(-1)
  const oldest = last?.events.at(-1)
  if (!last?.more || !oldest) return undefined
  const seen = new Set(pages.slice(0, -1).flatMap((p) => p.events.map((e) => e.uid)))
  if (last.events.every((e) => seen.has(e.uid))) return undefined
  return new Date(new Date(oldest.time).getTime() + 1).toISOString()
}

/** The events of all pages, each once. */
export function eventsOf(pages: readonly Found[]): Event[] {
  const seen = new Set<string>()
  return pages.flatMap((p) => p.events).filter((e) => !seen.has(e.uid) && seen.add(e.uid))
}
