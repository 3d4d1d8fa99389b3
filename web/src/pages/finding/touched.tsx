import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get } from '@/api/client'
import type { Event, Finding } from '@/api/contract'
import { term } from '@/app/filter'
import { useEventTexts } from '@/parts/event.texts'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import css from './page.module.css'

const day = 86_400_000
const most = 500

interface Toucher {
  who: string
  actor: string
  caller: string
  operations: Map<string, number>
  count: number
  last: string
}

/** Who else used a resource, by principal and sort of caller, the most recent first. */
export function touchersOf(events: readonly Event[], except: ReadonlySet<string>): Toucher[] {
  const by = new Map<string, Toucher>()
  for (const e of events) {
    if (except.has(e.uid)) continue
    const who = e.actor_type === 'masked' ? '' : (e.actor_uid ?? '')
    const key = `${who}\0${e.caller}`
    const x = by.get(key) ?? { who: e.actor_name || who, actor: who, caller: e.caller, operations: new Map<string, number>(), count: 0, last: e.time }
    x.count++
    x.operations.set(e.api_operation ?? '', (x.operations.get(e.api_operation ?? '') ?? 0) + 1)
    if (e.time > x.last) x.last = e.time
    by.set(key, x)
  }
  return [...by.values()].toSorted((a, b) => b.last.localeCompare(a.last))
}

export function Touched({ of: f }: { of: Finding }) {
  const t = useTexts()
  const words = useEventTexts()
  const since = new Date(new Date(f.first_seen).getTime() - day).toISOString()
  const until = new Date(new Date(f.last_seen).getTime() + day).toISOString()
  const q = f.resource ? term('resource', f.resource) : ''
  const search = useQuery({ ...get('/api/search', { query: { q, since, until, limit: most } }), enabled: !!q })
  const others = useMemo(() => touchersOf(search.data?.events ?? [], new Set(f.evidence)), [search.data, f.evidence])
  if (!q) return null
  return (
    <Section title={t('touched')} note={t('touchedSpan')} actions={<To href={searchAddress(q, since, until)}>{t('openSearch')}</To>}>
      <Asked of={search} lines={3}>
        {({ more }) =>
          others.length === 0 ? (
            <p className="dim">{t('touchedNone')}</p>
          ) : (
            <>
              <ul className={css.touchers}>
                {others.slice(0, 12).map((x) => (
                  <li key={x.actor + x.caller}>
                    <span className={css.toucher}>
                      <LogText name most={44} copy>{x.actor || x.who}</LogText>
                    </span>
                    <span className="dim">{words.word('caller', x.caller)}</span>
                    <span className="dim">
                      <LogText most={60}>{[...x.operations.keys()].slice(0, 4).join(', ')}</LogText>
                    </span>
                    <span className="num">{t('times', { count: x.count })}</span>
                    <span className="num dim">
                      <When at={x.last} />
                    </span>
                  </li>
                ))}
              </ul>
              {more && <p className="faint">{t('atLeast', { n: most })}</p>}
            </>
          )
        }
      </Asked>
    </Section>
  )
}
