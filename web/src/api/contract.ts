/**
 * What the console asks of the API beyond what the server describes already.
 * An operation that the description has is taken from there: delete it here.
 */
import type { components, paths } from './schema'

type Schemas = components['schemas']

interface Op<Query, Path, Body, Answer> {
  parameters: { query?: Query; path: Path; header?: never; cookie?: never }
  requestBody: { content: { 'application/json': Body } }
  responses: { 200: { headers: object; content: { 'application/json': Answer } } }
}
type Get<Answer, Query = never, Path = never> = { get: Op<Query, Path, never, Answer> }
type Post<Body, Answer, Path = never> = { post: Op<never, Path, Body, Answer> }

// Sign-in and session -----------------------------------------------------------

export type Session = Schemas['Session']
export type Role = Session['role']

// Findings ------------------------------------------------------------------------

export interface ProposedCause {
  cause: string
  confidence: number
  text: string
  evidence: string[]
}

export interface Decision extends Partial<Schemas['Decision']> {
  id?: string
  group?: string
  undone?: boolean
  undoes?: string
}

export interface DecisionBody {
  status?: string
  verdict?: string
  reason?: string
  cause?: string
  assignee?: string
  comment?: string
}

/** What a finding is going to have besides what is described. */
interface MoreOfFinding {
  source?: string
  person?: string
  environment?: string
  owner?: string
  related?: string[]
  proposed_cause?: ProposedCause | null
}

export type Finding = Omit<Schemas['Finding'], 'decisions'> & MoreOfFinding & { decisions: Decision[] }
export type Anomaly = Schemas['Anomaly']
export type Point = Schemas['Point']
export type Part = Schemas['Part']
export type Reason = Schemas['Reason']
export type Event = Schemas['Event']

export type Case = Omit<Schemas['Case'], 'findings'> & { findings: Finding[] }

export interface Gap {
  from: string
  to: string
  reason: string
  kind?: string
  account?: string
  region?: string
}

export interface Timeline {
  since: string
  until: string
  events: (Event & { of_finding?: boolean })[]
  gaps: Gap[]
}

export interface Facets {
  total: number
  facets: { field: string; values: { value: string; count: number }[] }[]
}

export interface FindingsQuery {
  q?: string
  sort?: string
  severity?: string
  status?: string[]
  kind?: string
  account?: string
  text?: string
  unexplained?: boolean
  demoted?: boolean
  since?: string
  until?: string
  limit?: number
  cursor?: string
}

export interface Window {
  id: string
  title: string
  from?: string
  until?: string
  since?: string
  start?: string
  end?: string
  scope?: string
  ticket?: string
  state?: string
}

export interface Today {
  needs: Finding[]
  needs_total: number
  explained: number
  days: { day: string; made: number; explained: number; decided: number; open: number }[]
  changes: {
    principals: { actor: string; account: string; first_seen: string }[]
    regions: { region: string; account: string; first_seen: string }[]
    resources: { resource: string; account: string; first_seen: string }[]
    quiet: { resource: string; account: string; last_use: string }[]
  }
  windows: { open: Window[]; next: Window[] }
  coverage: { accounts: number; days: number; complete: number; gaps: Gap[]; last_event?: string }
}

export interface View {
  id: string
  page: string
  title: string
  query: string
  shared: boolean
  owner: string
}

interface Contract {
  '/api/findings/facets': Get<Facets, FindingsQuery>
  '/api/findings/{key}/decisions': Post<DecisionBody, Finding, { key: string }>
  '/api/decisions': Post<
    { keys?: string[]; q?: string; decision: DecisionBody },
    { group: string; decided: number; failed: { key: string; reason: string }[] }
  >
  '/api/decisions/undo': Post<{ id?: string; group?: string }, { undone: number }>
  '/api/findings/{key}/evidence': Get<{ events: Event[] }, never, { key: string }>
  '/api/findings/{key}/timeline': Get<Timeline, { hours?: number }, { key: string }>
  '/api/findings/{key}/similar': Get<{ similar: { finding: Finding; why: string }[] }, never, { key: string }>
  '/api/cases/{id}': Get<Case, never, { id: string }>
  '/api/today': Get<Today, { since?: string }>
  '/api/views': Get<{ views: View[] }, { page?: string }>
  '/api/views/{id}': { put: Op<never, { id: string }, Omit<View, 'id' | 'owner'>, View> } & {
    delete: Op<never, { id: string }, never, unknown>
  }
}

/** Operations whose answers say more than the description does so far. */
interface Fuller {
  '/api/findings': Get<{ findings: Finding[]; next: string; total?: number }, FindingsQuery>
  '/api/findings/{key}': Get<Finding, never, { key: string }>
  '/api/cases': Get<{ cases: Case[]; next: string }, FindingsQuery>
}

export type Paths = Fuller & Omit<paths, keyof Fuller> & Omit<Contract, keyof paths>
