import { quoted } from '@/app/filter'

/** The lists that there are, before anything narrows them. */
export const shows = ['open', 'mine', 'explained', 'decided', 'all'] as const
export type Show = (typeof shows)[number]

export function showOf(text: string | undefined): Show {
  return shows.find((s) => s === text) ?? 'open'
}

/** What the lists leave out unless somebody asks: of rules that are only counted or on trial, and what is folded into another. */
export type Aside = { demoted?: true; staged?: true; folded?: true }

export function asideOf(text: string | undefined): Aside {
  return text ? { demoted: true, staged: true, folded: true } : {}
}

/** Puts the places that an error names where they are in what the person wrote. */
export function asWritten(problem: string, show: Show): string {
  return show === 'all' ? problem : problem.replace(/^column (\d+)/, (_, n: string) => `column ${Math.max(Number(n) - 1, 1)}`)
}

/** What the server is asked for: the list, and what narrows it. */
export function asked(show: Show, filter: string, me: string): string {
  const base = {
    open: 'status:(new or in_progress) explained:false',
    mine: `status:(new or in_progress) assignee:${quoted(me)}`,
    explained: 'explained:true',
    decided: 'status:(resolved or suppressed)',
    all: '',
  }[show]
  const own = filter.trim()
  if (!own) return base
  return base ? `(${own}) ${base}` : own
}
