/** Names for what the API speaks of; the description of the API itself is in schema.ts. */
import type { components, paths } from './schema'

export type Paths = paths
type Schemas = components['schemas']

export type Session = Schemas['Session']
export type Role = Session['role']

export type Finding = Schemas['Finding']
export type Decision = Schemas['Decision']
export type DecisionBody = Schemas['DecisionAsked']
export type BulkBody = Schemas['BulkAsked']
export type Anomaly = Schemas['Anomaly']
export type Point = Schemas['Point']
export type Part = Schemas['Part']
export type Reason = Schemas['Reason']
export type Case = Schemas['Case']
export type Facets = Schemas['Facets']
export type Timeline = Schemas['Timeline']

export type Event = Schemas['Event']
export type Board = Schemas['Board']
export type BoardPanel = Schemas['BoardPanel']
export type PanelAnswer = Schemas['PanelAnswer']
export type PanelShown = Schemas['Answer']
export type Mark = Schemas['Mark']
export type Today = Schemas['Today']
export type Window = Schemas['Window']
/** A saved view; what a dashboard's panels are is the console's own affair: see pages/search/panels.ts. */
export type View = Omit<Schemas['View'], 'panels' | 'at'> & { at?: string; panels?: unknown }
