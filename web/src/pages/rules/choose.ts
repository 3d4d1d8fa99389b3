/** Which rules are shown: there are hundreds, so that it is chosen here. */
import type { Answer } from '@/api/client'

export type Rule = Answer<'/api/rules', 'get'>['rules'][number]
export type RuleDetail = Answer<'/api/rules/{id}', 'get'>
export type Coverage = Answer<'/api/rules/coverage', 'get'>

export const shows = ['all', 'fired', 'open', 'blind', 'failing', 'trial', 'demoted', 'own'] as const
export type Show = (typeof shows)[number]

export function showOf(text: string | undefined): Show {
  return shows.find((s) => s === text) ?? 'all'
}

const is: Record<Show, (r: Rule) => boolean> = {
  all: () => true,
  fired: (r) => r.findings > 0,
  open: (r) => r.open > 0,
  blind: (r) => !r.logs,
  failing: (r) => r.cases.failed > 0,
  trial: (r) => r.stage !== '',
  demoted: (r) => r.demoted,
  own: (r) => !r.builtin,
}

export interface Chosen {
  q?: string
  level?: string
  source?: string
  show?: string
}

/** Rules in which every word is found, in any case. T1078 is a word of T1078.004 as well. */
export function choose(rules: readonly Rule[], by: Chosen): Rule[] {
  const words = (by.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const show = is[showOf(by.show)]
  return rules.filter((r) => {
    if (!show(r) || (by.level && r.level !== by.level) || (by.source && r.logsource !== by.source)) return false
    if (words.length === 0) return true
    const text = [r.title, r.description, r.logsource, r.file, r.id, r.level, ...r.attack].join('\n').toLowerCase()
    return words.every((w) => text.includes(w))
  })
}

/** Which of the lists have something in them; all always does. */
export function offered(rules: readonly Rule[]): Show[] {
  return shows.filter((s) => s === 'all' || rules.some(is[s]))
}

const levels = ['', 'informational', 'low', 'medium', 'high', 'critical']
export function rank(level: string): number {
  return levels.indexOf(level)
}

/** Techniques of all tactics, each once, by what is known of them. */
export function counted(c: Coverage): { all: number; present: number; fired: number } {
  const states = new Map(c.tactics.flatMap((t) => t.techniques.map((x) => [x.id, x.state] as const)))
  const of = (...wanted: string[]) => [...states.values()].filter((s) => wanted.includes(s)).length
  return { all: states.size, present: of('present', 'fired'), fired: of('fired') }
}

/** Where a reference leads, if it is one that may be followed. */
export function followed(reference: string): string | undefined {
  try {
    const url = new URL(reference)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
  } catch {
    return undefined
  }
}
