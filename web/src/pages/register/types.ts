import { address } from '@/parts/links'
import type { Answer } from '@/api/client'

export type Entry = Answer<'/api/register/projects/{project}', 'get'>
export type Implied = Entry['implied'][number]
export type Comparison = Answer<'/api/register/projects/{project}/compare', 'get'>
export type Line = Comparison['lines'][number]
export type Differences = Answer<'/api/register/differences', 'get'>

/** The page of a project's entry. */
export function entryAddress(project: string, more: { show?: string; add?: string } = {}): string {
  return address('/projects/one', { project, ...more })
}
