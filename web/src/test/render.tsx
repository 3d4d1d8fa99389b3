/** Renders pages and parts as the console does, with answers of the API given by path. */
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { render, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { vi } from 'vitest'
import type { Finding, Session } from '@/api/contract'
import { makeRouter } from '@/app/router'
import { theme } from '@/app/theme'

export interface Asked {
  method: string
  path: string
  query: URLSearchParams
  body: unknown
  headers: Headers
}

type Answers = Record<string, unknown>

/** Answers "GET /api/x" with what is given for it, a function of what was asked among them; all else is 404. */
export function answer(answers: Answers): Asked[] {
  const asked: Asked[] = []
  vi.stubGlobal('EventSource', class { addEventListener() {} close() {} })
  vi.stubGlobal('fetch', async (input: Request | string | URL, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(new URL(String(input), window.location.origin), init)
    const url = new URL(request.url)
    const text = request.method === 'GET' ? '' : await request.text()
    const a: Asked = { method: request.method, path: url.pathname, query: url.searchParams, body: text ? JSON.parse(text) : undefined, headers: request.headers }
    asked.push(a)
    const key = `${a.method} ${a.path}`
    if (!(key in answers)) return Response.json({ status: 404, detail: `no answer for ${key}` }, { status: 404 })
    const given = answers[key]
    const told: unknown = typeof given === 'function' ? (given as (a: Asked) => unknown)(a) : given
    return told instanceof Response ? told : Response.json(told)
  })
  return asked
}

function providers(children: ReactNode, queries: QueryClient) {
  return (
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </MantineProvider>
  )
}

function client() {
  return new QueryClient({ defaultOptions: { queries: { retry: false } } })
}

/** The whole console at an address. */
export function visit(path: string) {
  const queries = client()
  const router = makeRouter(queries, createMemoryHistory({ initialEntries: [path] }))
  const screen = render(providers(<RouterProvider router={router} />, queries))
  return { ...screen, router, queries }
}

/** One part by itself; links in it lead nowhere. */
export async function show(part: ReactNode) {
  const root = createRootRoute()
  const page = createRoute({ getParentRoute: () => root, path: '/', component: () => part })
  const router = createRouter({ routeTree: root.addChildren([page]), history: createMemoryHistory({ initialEntries: ['/'] }) })
  const screen = render(providers(<RouterProvider router={router as never} />, client()))
  await waitFor(() => {
    if (router.state.status !== 'idle') throw new Error('still loading')
  })
  return screen
}

export const session: Session = {
  user: 'kei', name: 'Kei', role: 'analyst', accounts: [], language: '', theme: '', version: 'test', now: '2026-03-25T08:00:00Z', last_visit: '2026-03-24T08:00:00Z',
  via: 'session', method: 'password', password_set: true,
}

export function finding(more: Partial<Finding> = {}): Finding {
  return {
    key: 'k1', kind: 'anomaly.frequency', title: 'prod/db was read 40 times', severity: 'high', priority: 79,
    priority_parts: [{ name: 'severity', value: 0.8, why: 'severity high' }], confidence: 0.99, status: 'new', verdict: '', verdict_reason: '', cause: 'unknown',
    assignee: '', actor: 'arn:aws:iam::111122223333:role/app', resource: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf',
    account: '111122223333', region: 'eu-west-1', first_seen: '2026-03-24T10:00:00Z', last_seen: '2026-03-24T10:30:00Z', count: 40,
    reasons: [{ kind: 'count', text: 'prod/db was read 40 times, usual are 0-4.' }], explained_by: [], evidence: [], rule: '', attack: [], false_positives: [],
    next: [], case: 'c1', demoted: false, decisions: [], also_reported_by: [], folded_into: '', ...more,
  } as Finding
}
