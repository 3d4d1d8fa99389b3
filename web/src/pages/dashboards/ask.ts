/** What a dashboard is asked, from its address, and where its counts lead. */
import type { Board, PanelShown } from '@/api/contract'
import { term } from '@/app/filter'
import { searchAddress } from '@/parts/links'

export type Words = Record<string, string>

/** The parameters that an address gives values, as the API takes them. */
export function paramsOf(board: Pick<Board, 'parameters'>, words: Words): string[] {
  return board.parameters.flatMap((p) => (words[p.name] ? [`${p.name}=${words[p.name]}`] : []))
}

/** The time that is asked for: what the address says, else the board's span back from now, to the minute. */
export function timeOf(board: Pick<Board, 'span'>, asked: { since?: string; until?: string }, now: Date): { since?: string; until?: string } {
  if (asked.since || asked.until) return asked
  const until = Math.floor(now.getTime() / 60_000) * 60_000
  return { since: new Date(until - board.span * 1000).toISOString(), until: new Date(until).toISOString() }
}

/** The words of an address with others put in; empty ones go. */
export function withWords(words: Words, more: Record<string, string | undefined>): Words {
  return Object.fromEntries(Object.entries({ ...words, ...more }).filter((e): e is [string, string] => !!e[1]))
}

/**
 * Where the events of a group are found: the panel's own filter with the values of the
 * group, in a time. Undefined where no filter tells them: of all others together.
 */
export function eventsOf(a: PanelShown, values: readonly unknown[] | undefined, time: { since: string; until: string }): string | undefined {
  if (!a.search || values?.some((v) => typeof v !== 'string' && typeof v !== 'boolean')) return undefined
  const narrowed = (values ?? []).map((v, i) => {
    const key = a.keys[i]
    if (!key) return ''
    return v === '' ? `not ${key}:*` : term(key, String(v))
  })
  return searchAddress([grouped(a.search), ...narrowed].filter(Boolean).join(' '), time.since, time.until)
}

/** An alternative keeps its meaning only in brackets where more stands beside it. */
function grouped(filter: string): string {
  let depth = 0
  let inside = false
  for (let i = 0; i < filter.length; i++) {
    const c = filter[i]
    if (c === '\\') i++
    else if (c === '"') inside = !inside
    else if (inside) continue
    else if (c === '(') depth++
    else if (c === ')') depth--
    else if (depth === 0 && filter.startsWith(' or ', i)) return `(${filter})`
  }
  return filter
}

/** The values of a row that narrow the search, in the order of the answer's keys; all of them or none. */
export function keysOfRow(a: PanelShown, row: readonly unknown[]): unknown[] {
  return a.keys.map((k) => row[a.columns.findIndex((c) => c.name === k)])
}

/** When a bucket of a timeline begins and ends. */
export function bucketTime(a: PanelShown, bucket: number): { since: string; until: string } {
  const at = new Date(a.start).getTime() + bucket * a.width * 1000
  return { since: new Date(at).toISOString(), until: new Date(at + a.width * 1000).toISOString() }
}

/** How dark the bars of a series are: the more it counts, the darker; all others are grey. */
export function tone(i: number, rest: boolean): number {
  return rest ? 0.12 : Math.max(1 - i * 0.16, 0.2)
}
