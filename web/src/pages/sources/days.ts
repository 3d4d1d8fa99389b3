/** What the matrix says in numbers. */
import type { Answer } from '@/api/client'

export type Matrix = Answer<'/api/ledger/matrix', 'get'>
export type Cell = Matrix['accounts'][number]['cells'][number]
export type ByFormat = Answer<'/api/ledger/formats', 'get'>
export type Report = Answer<'/api/ledger', 'get'>

export const states = ['complete', 'late', 'partial', 'missing', 'unknown'] as const
export type State = (typeof states)[number]

export function counted(m: Matrix): Record<State, number> {
  const n: Record<State, number> = { complete: 0, late: 0, partial: 0, missing: 0, unknown: 0 }
  for (const a of m.accounts) for (const c of a.cells) n[c.state]++
  return n
}

/** Months along the days: where each begins. */
export function months(days: readonly string[]): { at: number; day: string }[] {
  return days.flatMap((day, at) => (at === 0 || day.endsWith('-01') ? [{ at, day }] : []))
    // The first has no room where the next one follows at once.
    .filter((_, i, all) => i !== 0 || (all[1]?.at ?? 99) >= 4)
}

/** The day after, in UTC. */
export function dayAfter(day: string): string {
  return new Date(new Date(`${day}T00:00:00Z`).getTime() + 86_400_000).toISOString().slice(0, 10)
}

/** How dark a complete day is: by how much came on the account's own days, so that a thin one is seen. */
export function weight(c: Cell, most: number): number {
  if (c.records <= 0 || most <= 0) return 1
  return c.records / most > 0.5 ? 3 : c.records / most > 0.15 ? 2 : 1
}

/** The last parts of an object's path, which tell it from others. */
export function objectName(name: string): string {
  return name.split('/').slice(-1)[0] || name
}
