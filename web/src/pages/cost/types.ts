import type { Answer } from '@/api/client'
import { address } from '@/parts/links'

export type Shares = Answer<'/api/cost/shares', 'get'>
export type Month = Shares['months'][number]
export type Line = Answer<'/api/cost/lines', 'get'>['lines'][number]
export type Advices = Answer<'/api/cost/advice', 'get'>
export type Advice = Advices['advice'][number]
export type Changes = Answer<'/api/cost/changes', 'get'>
export type Trend = Answer<'/api/cost/trend', 'get'>
export type Move = Trend['why'][number]
export type Price = Answer<'/api/cost/prices', 'get'>['prices'][number]
export type Self = Answer<'/api/cost/self', 'get'>

/** What the address of the page says. */
export interface Words {
  show?: string
  month?: string
  currency?: string
  service?: string
  account?: string
  by?: string
  open?: string
  since?: string
  until?: string
}

export const shown = ['', 'changes', 'advice', 'prices'] as const
export type Shown = (typeof shown)[number]

export function costAddress(words: Words): string {
  return address('/cost', { ...words })
}
