import type { ReactNode } from 'react'
import { Tabs } from '@/parts/tabs'
import { useTexts } from './texts'

const tabs = [
  { at: 'events', href: '/search', text: 'tabEvents' },
  { at: 'sql', href: '/search/sql', text: 'tabSQL' },
  { at: 'dashboards', href: '/search/dashboards', text: 'tabDashboards' },
] as const

/** The ways to search, side by side. */
export function SearchTabs({ at, children }: { at: (typeof tabs)[number]['at']; children?: ReactNode }) {
  const t = useTexts()
  return (
    <Tabs label={t('tabs')} tabs={tabs.map((x) => ({ href: x.href, text: t(x.text), current: x.at === at }))}>
      {children}
    </Tabs>
  )
}
