/**
 * Asking the API: typed by its description, with errors as people may read them.
 *
 *     useQuery(get('/api/findings/{key}', { path: { key } }))
 *     await send('post', '/api/decisions/undo', { body: { group } })
 */
import { queryOptions } from '@tanstack/react-query'
import createClient, { createQuerySerializer } from 'openapi-fetch'
import { i18n } from '@/app/texts'
import type { Paths } from './contract'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Keys<M extends Method> = { [P in keyof Paths]: Paths[P] extends { [m in M]: object } ? P : never }[keyof Paths]
type Operation<P, M extends Method> = P extends keyof Paths ? (Paths[P] extends { [m in M]: infer O } ? O : never) : never
type Content<R> = R extends { content: { 'application/json': infer A } } ? A : undefined
type Success<R> = { [S in keyof R]: S extends 200 | 201 | 202 | 204 ? Content<R[S]> : never }[keyof R]

/** What an operation answers with. */
export type Answer<P, M extends Method> = Operation<P, M> extends { responses: infer R } ? Success<R> : never

type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never
type PathOf<O> = O extends { parameters: { path: infer T } } ? T : never
type JSONOf<R> = [R] extends [never] ? never : R extends { content: { 'application/json': infer B } } ? B : never
type BodyOf<O> = O extends { requestBody?: infer R } ? JSONOf<NonNullable<R>> : never
type Part<Name extends string, T, Needed extends boolean> = [T] extends [never]
  ? object
  : Needed extends true
    ? { [k in Name]: T }
    : { [k in Name]?: T }

/** What an operation is asked with: its query, the variables of its path, its body. */
export type Ask<P, M extends Method> = Part<'query', QueryOf<Operation<P, M>>, false> &
  Part<'path', PathOf<Operation<P, M>>, true> &
  Part<'body', BodyOf<Operation<P, M>>, true>

/** A refusal or failure, with the words that the server meant for people. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly details: { message: string; location?: string }[] = [],
  ) {
    super(detail)
  }
}

const listed = createQuerySerializer({ array: { style: 'form', explode: false } })
const each = createQuerySerializer({ array: { style: 'form', explode: true } })

const client = createClient<Record<string, never>>({
  baseUrl: window.location.origin,
  fetch: (r) => globalThis.fetch(r), // as it is when asked, so that tests may answer
  // Values of parameters may have commas in them, so each stands by itself.
  querySerializer: ({ param, ...q }) => [listed(q), each({ param })].filter(Boolean).join('&'),
})

interface Loose {
  query?: object
  path?: object
  body?: unknown
}

async function request(method: Method, path: string, ask: Loose = {}, more: RequestInit = {}): Promise<unknown> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': i18n.language }
  // Pages of other origins cannot set it: see the server's guard.
  if (method !== 'get') headers['X-Yagura'] = '1'
  let answer: { data?: unknown; error?: unknown; response: Response }
  try {
    answer = await (client as unknown as { request: (m: string, p: string, i: object) => Promise<typeof answer> }).request(method, path, {
      params: { query: without(ask.query), path: ask.path },
      body: ask.body,
      headers,
      ...more,
    })
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new Problem(0, '')
  }
  if (answer.response.ok) {
    const tag = answer.response.headers.get('ETag')
    if (tag) versions.set(place(path, ask), tag)
    return answer.data
  }
  const told = (answer.error ?? {}) as { detail?: string; title?: string; errors?: { message: string; location?: string }[] }
  if (answer.response.status === 401) signedOut()
  throw new Problem(answer.response.status, told.detail ?? told.title ?? answer.response.statusText, told.errors ?? [])
}

/** The tags of what was last read or written, by where it is. */
const versions = new Map<string, string>()

function place(path: string, { path: variables }: Loose) {
  return JSON.stringify([path, variables])
}

/** The header by which a change is refused if somebody else made one since the answer that is shown. */
export function versionOf<P extends Keys<'get'>>(path: P, ask: Ask<P, 'get'>): Record<string, string> {
  const tag = versions.get(place(path as string, ask as Loose))
  return tag ? { 'If-Match': tag } : {}
}

/** Leaves out what is not set, so that an address says only what was chosen. */
function without(query: object | undefined) {
  if (!query) return undefined
  return Object.fromEntries(
    Object.entries(query).filter(([, v]) => v !== undefined && v !== '' && v !== false && !(Array.isArray(v) && v.length === 0)),
  )
}

let signedOut = () => {}

/** Says what is done when the server no longer knows who we are. */
export function onSignedOut(f: () => void) {
  signedOut = f
}

type Optional<A> = object extends A ? [ask?: A] : [ask: A]

/** Query options for react-query: the path and what is asked are the key. */
export function get<P extends Keys<'get'>>(path: P, ...[ask]: Optional<Ask<P, 'get'>>) {
  return queryOptions({
    queryKey: [path as string, (ask ?? {}) as Loose] as const,
    queryFn: ({ signal }) => request('get', path as string, ask as Loose, { signal }) as Promise<Answer<P, 'get'>>,
  })
}

/** Asks once, outside of a query. */
export function fetchOnce<P extends Keys<'get'>>(path: P, ...[ask]: Optional<Ask<P, 'get'>>) {
  return request('get', path as string, ask as Loose) as Promise<Answer<P, 'get'>>
}

/** Changes something. `headers` is for If-Match and Idempotency-Key. */
export function send<M extends Exclude<Method, 'get'>, P extends Keys<M>>(
  method: M,
  path: P,
  ask: Ask<P, M>,
  headers?: Record<string, string>,
) {
  return request(method, path as string, ask as Loose, headers ? { headers: { 'X-Yagura': '1', ...headers } } : {}) as Promise<Answer<P, M>>
}
