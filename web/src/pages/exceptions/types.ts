import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Exception = Schemas['Exception']
export type ExceptionBody = Schemas['ExceptionAsked']
export type Preview = Schemas['Preview']
export type Window = Schemas['Window']
export type WindowBody = Schemas['WindowAsked']
export type WindowSummary = Schemas['WindowSummary']
export type Span = Schemas['Span']
export type Proposal = Schemas['Proposal']
export type Tuned = Schemas['RuleTuning']
export type Response = Schemas['Response']
export type Registering = Schemas['Registering']
