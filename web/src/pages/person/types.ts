import type { Answer } from '@/api/client'

export type Told = Answer<'/api/people/{uid}/timeline', 'get'>
export type Run = Told['runs'][number]
export type Lane = Told['lanes'][number]
