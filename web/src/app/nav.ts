import type { IconName } from '@/parts/icon'

/** The pages of the side, in the order of an engineer's day. */
export const nav = [
  { to: '/', text: 'today', icon: 'today', key: 't' },
  { to: '/findings', text: 'findings', icon: 'findings', key: 'f' },
  { to: '/cases', text: 'cases', icon: 'cases', key: 'c' },
  { to: '/search', text: 'search', icon: 'search', key: 's' },
  { to: '/dashboards', text: 'dashboards', icon: 'dashboards', key: 'd' },
  { to: '/secrets', text: 'secrets', icon: 'secrets', key: 'k' },
  { to: '/projects', text: 'register', icon: 'register', key: 'p' },
  { to: '/cost', text: 'cost', icon: 'cost', key: 'm' },
  { to: '/decisions', text: 'decisions', icon: 'decisions', key: 'w' },
  { to: '/rules', text: 'rules', icon: 'rules', key: 'r' },
  { to: '/ledger', text: 'ledger', icon: 'ledger', key: 'l' },
  { to: '/exceptions', text: 'exceptions', icon: 'exceptions', key: 'e' },
  { to: '/settings', text: 'settings', icon: 'settings', key: ',' },
] as const satisfies readonly { to: string; text: string; icon: IconName; key: string }[]
