import type { Answer } from '@/api/client'
import { address } from '@/parts/links'

export type All = Answer<'/api/decisions', 'get'>
export type Decision = All['decisions'][number]
export type Subject = Decision['about'][number]
export type Trigger = Decision['triggers'][number]
export type Inquiry = Decision['asked'][number]
export type Summary = Answer<'/api/decisions/summary', 'get'>
export type Quarter = Summary['quarters'][number]

export const statuses = ['', 'reopened', 'waiting', 'settled'] as const
export const verdicts = ['deferred', 'taken', 'rejected'] as const
export type Verdict = (typeof verdicts)[number]
export const kinds = ['advice', 'finding', 'case', 'other'] as const
export type Kind = (typeof kinds)[number]

export function decisionAddress(id: string, more: { show?: string } = {}): string {
  return address(`/decisions/${encodeURIComponent(id)}`, more)
}

/** The form of a new decision about something. */
export function newAddress(kind: Kind, key: string, account?: string): string {
  return address('/decisions', { new: kind, about: key, account })
}

/** Where what a decision is about is shown; undefined: it is words. */
export function subjectAddress(s: Subject): string | undefined {
  switch (s.kind) {
    case 'advice':
      return address('/cost', { show: 'advice', open: s.id })
    case 'finding':
      return `/findings/${encodeURIComponent(s.id)}`
    case 'case':
      return `/cases/${encodeURIComponent(s.id)}`
  }
  return undefined
}
