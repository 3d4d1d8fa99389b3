/**
 * Every page and its address. A page's search is what its address may say after
 * the "?"; all of it is text, and what is not set is left out.
 */
import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect, type RouterHistory,
} from '@tanstack/react-router'
import { Problem } from '@/api/client'
import { setClock } from '@/parts/when'
import { sessionQuery } from './session'
import { Broken, NotFound } from './lost'
import { Shell } from './shell'

/** Takes the named texts out of an address, and drops what else stands there. */
export function words<const K extends string>(...names: K[]) {
  return (given: Record<string, unknown>): { [k in K]?: string } => {
    const out: { [k in K]?: string } = {}
    for (const n of names) if (typeof given[n] === 'string' && given[n] !== '') out[n] = given[n]
    return out
  }
}

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
})

const signin = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: words('to', 'problem'),
  component: lazyRouteComponent(() => import('@/pages/signin/page'), 'SignIn'),
})

const firstRun = createRoute({
  getParentRoute: () => root,
  path: '/first-run', // the link's secret stands behind the #
  component: lazyRouteComponent(() => import('@/pages/signin/page'), 'FirstRun'),
})

const setPassword = createRoute({
  getParentRoute: () => root,
  path: '/set-password',
  component: lazyRouteComponent(() => import('@/pages/signin/page'), 'SetPassword'),
})

/** What needs a sign-in; it stands in the shell. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'in',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      const session = await context.queries.ensureQueryData(sessionQuery)
      // Before the first page is drawn: pages reckon by the server's clock.
      setClock(session.now, context.queries.getQueryState(sessionQuery.queryKey)?.dataUpdatedAt ?? Date.now())
    } catch (e) {
      if (e instanceof Problem && e.status === 401) {
        throw redirect({ to: '/signin', search: location.href === '/' ? {} : { to: location.href } })
      }
      throw e
    }
  },
})

const today = createRoute({
  getParentRoute: () => inside,
  path: '/',
  component: lazyRouteComponent(() => import('@/pages/today/page'), 'Today'),
})

const findings = createRoute({
  getParentRoute: () => inside,
  path: '/findings',
  validateSearch: words('q', 'sort', 'show', 'aside'),
  component: lazyRouteComponent(() => import('@/pages/findings/page'), 'Findings'),
})

const finding = createRoute({
  getParentRoute: () => inside,
  path: '/findings/$key',
  component: lazyRouteComponent(() => import('@/pages/finding/page'), 'FindingPage'),
})

const cases = createRoute({
  getParentRoute: () => inside,
  path: '/cases',
  validateSearch: words('q', 'show'),
  component: lazyRouteComponent(() => import('@/pages/cases/page'), 'Cases'),
})

const oneCase = createRoute({
  getParentRoute: () => inside,
  path: '/cases/$id',
  component: lazyRouteComponent(() => import('@/pages/cases/one'), 'CasePage'),
})

const secrets = createRoute({
  getParentRoute: () => inside,
  path: '/secrets',
  validateSearch: words('q', 'account', 'kind', 'caller', 'quiet', 'failed', 'sort'),
  component: lazyRouteComponent(() => import('@/pages/secrets/page'), 'Secrets'),
})

const oneSecret = createRoute({
  getParentRoute: () => inside,
  path: '/secrets/one', // ARNs have slashes in them
  validateSearch: words('resource'),
  component: lazyRouteComponent(() => import('@/pages/secrets/one'), 'SecretPage'),
})

const person = createRoute({
  getParentRoute: () => inside,
  path: '/people',
  validateSearch: words('who', 'since', 'until', 'around'),
  component: lazyRouteComponent(() => import('@/pages/person/page'), 'Person'),
})

const projects = createRoute({
  getParentRoute: () => inside,
  path: '/projects',
  validateSearch: words('q', 'show'),
  component: lazyRouteComponent(() => import('@/pages/register/page'), 'Register'),
})

const oneProject = createRoute({
  getParentRoute: () => inside,
  path: '/projects/one', // ids of subscriptions may be anything
  validateSearch: words('project', 'show', 'add'),
  component: lazyRouteComponent(() => import('@/pages/register/one'), 'RegisterEntry'),
})

const search = createRoute({
  getParentRoute: () => inside,
  path: '/search',
  validateSearch: words('q', 'since', 'until', 'open'),
  component: lazyRouteComponent(() => import('@/pages/search/page'), 'Search'),
})

const sql = createRoute({
  getParentRoute: () => inside,
  path: '/search/sql',
  validateSearch: words('sql', 'show'),
  component: lazyRouteComponent(() => import('@/pages/search/ask'), 'SQL'),
})

const dashboards = createRoute({
  getParentRoute: () => inside,
  path: '/search/dashboards',
  component: lazyRouteComponent(() => import('@/pages/search/dashboards'), 'Dashboards'),
})

const dashboard = createRoute({
  getParentRoute: () => inside,
  path: '/search/dashboards/$id',
  validateSearch: words('since', 'until'),
  component: lazyRouteComponent(() => import('@/pages/search/dashboards'), 'DashboardPage'),
})

const boards = createRoute({
  getParentRoute: () => inside,
  path: '/dashboards',
  component: lazyRouteComponent(() => import('@/pages/dashboards/list'), 'Boards'),
})

const board = createRoute({
  getParentRoute: () => inside,
  path: '/dashboards/$id',
  // Parameters of dashboards have names of their own.
  validateSearch: (given: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries(Object.entries(given).filter((e): e is [string, string] => typeof e[1] === 'string' && e[1] !== '')),
  component: lazyRouteComponent(() => import('@/pages/dashboards/page'), 'BoardPage'),
})

const cost = createRoute({
  getParentRoute: () => inside,
  path: '/cost',
  validateSearch: words('show', 'month', 'currency', 'service', 'account', 'by', 'open', 'since', 'until'),
  component: lazyRouteComponent(() => import('@/pages/cost/page'), 'Cost'),
})

const decisions = createRoute({
  getParentRoute: () => inside,
  path: '/decisions',
  validateSearch: words('status', 'q', 'new', 'about', 'account'),
  component: lazyRouteComponent(() => import('@/pages/decisions/page'), 'Decisions'),
})

const decision = createRoute({
  getParentRoute: () => inside,
  path: '/decisions/$id',
  validateSearch: words('show'),
  component: lazyRouteComponent(() => import('@/pages/decisions/one'), 'DecisionPage'),
})

const rules = createRoute({
  getParentRoute: () => inside,
  path: '/rules',
  validateSearch: words('q', 'level', 'source', 'show'),
  component: lazyRouteComponent(() => import('@/pages/rules/page'), 'Rules'),
})

const coverage = createRoute({
  getParentRoute: () => inside,
  path: '/rules/coverage',
  validateSearch: words('technique'),
  component: lazyRouteComponent(() => import('@/pages/rules/coverage'), 'RuleCoverage'),
})

const rule = createRoute({
  getParentRoute: () => inside,
  path: '/rules/$id',
  component: lazyRouteComponent(() => import('@/pages/rules/one'), 'RulePage'),
})

const ledger = createRoute({
  getParentRoute: () => inside,
  path: '/ledger',
  validateSearch: words('days', 'account', 'day', 'state'),
  component: lazyRouteComponent(() => import('@/pages/sources/page'), 'Ledger'),
})

const exceptions = createRoute({
  getParentRoute: () => inside,
  path: '/exceptions',
  validateSearch: words('show', 'new', 'open', 'scope', 'from'),
  component: lazyRouteComponent(() => import('@/pages/exceptions/page'), 'Exceptions'),
})

const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  validateSearch: words('show', 'who', 'action', 'since'),
  component: lazyRouteComponent(() => import('@/pages/settings/page'), 'Settings'),
})

// Whoever is lost has the way to every page beside it.
const lost = createRoute({ getParentRoute: () => inside, path: '$', component: NotFound })

const register = createRoute({
  getParentRoute: () => root,
  path: '/register', // the link's secret stands behind the #
  component: lazyRouteComponent(() => import('@/pages/exceptions/register'), 'Register'),
})

const tree = root.addChildren([signin, firstRun, setPassword, register, inside.addChildren([exceptions, settings, today, findings, finding, cases, oneCase, search, sql, dashboards, dashboard, boards, board, secrets, oneSecret, person, projects, oneProject, cost, decisions, decision, rules, coverage, rule, ledger, lost])])

export function makeRouter(queries: QueryClient, history?: RouterHistory) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    history,
    defaultPreload: 'intent',
    defaultErrorComponent: Broken,
    scrollRestoration: true,
    // Addresses are plain words, as people write them to each other.
    parseSearch: (s) => Object.fromEntries(new URLSearchParams(s)),
    stringifySearch: (given) => {
      const set = Object.entries(given).filter((e): e is [string, string] => typeof e[1] === 'string' && e[1] !== '')
      return set.length ? `?${new URLSearchParams(set)}` : ''
    },
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
