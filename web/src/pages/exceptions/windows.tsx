import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import { get } from '@/api/client'
import { ago, clock, exact, moment, number, valid } from '@/app/format'
import { useTriageTexts } from '@/app/triage.texts'
import { useMay } from '@/app/session'
import { address, To } from '@/parts/links'
import { LogText, shorten } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { useNow } from '@/parts/when'
import { Import } from './import'
import { TeamLink } from './link'
import { Shows } from './shows'
import { useTexts } from './texts'
import type { Window } from './types'
import css from './page.module.css'

const order = ['open', 'proposed', 'coming', 'over', 'cancelled']

/** What a window is of, in a few words. */
export function useCovered(): (w: Window) => string {
  const t = useTriageTexts()
  return useCallback((w) => {
    // Signs go by their own names too: time is anomaly.time.
    const kind = (k: string) => (t.word('kind', k) === k ? t.word('kind', `anomaly.${k}`).replace(`anomaly.${k}`, k) : t.word('kind', k))
    return [...w.people, ...w.actors, ...w.resources, ...w.accounts, ...w.regions, ...w.kinds.map(kind), w.scope].filter(Boolean).join(', ')
  }, [t])
}

/** When it takes place: now, next, or when it last did. */
function spanOf(w: Window) {
  return w.now ?? w.next ?? w.last ?? { start: w.start, end: w.end }
}

export function WindowList() {
  const t = useTexts()
  const navigate = useNavigate()
  const asked = useQuery(get('/api/windows'))
  const coveredBy = useCovered()
  const analyst = useMay('analyst')
  const responder = useMay('responder')
  const [tool, setTool] = useState<'import' | 'link'>()
  const now = useNow()
  const all = useMemo(
    () => asked.data?.windows.toSorted((a, b) => order.indexOf(a.phase) - order.indexOf(b.phase) || (a.phase === 'over' ? -1 : 1) * spanOf(a).start.localeCompare(spanOf(b).start)) ?? [],
    [asked.data],
  )
  const open = all.filter((w) => w.phase === 'open').length
  const next = all.filter((w) => w.next && w.state === 'active').toSorted((a, b) => (a.next?.start ?? '').localeCompare(b.next?.start ?? ''))[0]
  const href = (w: Window) => address('/exceptions', { show: 'windows', open: w.id })
  const columns = useMemo(
    () => [
      column<Window>('title', t('planned'), (w) => <To href={href(w)} className={css.name}><LogText>{w.title}</LogText></To>, { grow: 3, by: (w) => w.title }),
      column<Window>('phase', t('state'), (w) => t.word('phase', w.phase), { width: 90, by: (w) => order.indexOf(w.phase) }),
      column<Window>('when', t('when'), (w) => <Span of={w} />, { width: 230, by: (w) => spanOf(w).start }),
      column<Window>('covers', t('covers'), (w) => (coveredBy(w) ? <LogText most={50}>{coveredBy(w)}</LogText> : t('coversAll')), { grow: 3, above: 860 }),
      column<Window>('owner', t('owner'), (w) => <LogText most={20}>{w.owner}</LogText>, { width: 120, above: 720, by: (w) => w.owner }),
      column<Window>('ticket', t('ticket'), (w) => <LogText most={16}>{w.ticket}</LogText>, { width: 100, above: 1000, by: (w) => w.ticket }),
      column<Window>('explains', t('explains'), (w) => number(w.explains, t.language), { width: 110, right: true, by: (w) => w.explains }),
    ],
    [t, coveredBy],
  )
  return (
    <Page
      fill title={t('title')}
      answer={asked.data ? (open ? t('windowsAnswer', { count: open }) : t('windowsNoneOpen')) : t('title')}
      more={asked.data && (valid(next?.next?.start) ? t('windowsNext', { when: ago(next.next.start, now, t.language), title: shorten(next.title, 60) }) : t('windowsNoNext'))}
      actions={
        analyst && (
          <>
            {responder && <Button variant="default" aria-expanded={tool === 'link'} onClick={() => setTool(tool === 'link' ? undefined : 'link')}>{t('link')}</Button>}
            <Button variant="default" aria-expanded={tool === 'import'} onClick={() => setTool(tool === 'import' ? undefined : 'import')}>{t('import')}</Button>
            <Button onClick={() => void navigate({ to: '/exceptions', search: { show: 'windows', new: 'window' } })}>{t('newWindow')}</Button>
          </>
        )
      }
    >
      <Shows />
      {tool === 'import' && <Import done={() => setTool(undefined)} />}
      {tool === 'link' && <TeamLink />}
      <Asked of={asked} lines={8}>
        {() => (
          <Table
            label={t('show.windows')} rows={all} columns={columns} rowKey={(w) => w.id} href={href} onOpen={(w) => void navigate({ to: '/exceptions', search: { show: 'windows', open: w.id } })}
            empty={<Nothing title={t('noWindows')}>{t('noWindowsMore')}</Nothing>} cardHeight={88}
            card={(w) => (
              <>
                <To href={href(w)} className={css.name}>
                  <LogText>{w.title}</LogText>
                </To>
                <div className={css.facts}>
                  <span>{t.word('phase', w.phase)}</span> <Span of={w} />
                </div>
                <div className={css.facts}>{coveredBy(w) ? <LogText most={44}>{coveredBy(w)}</LogText> : t('coversAll')}</div>
              </>
            )}
          />
        )}
      </Asked>
    </Page>
  )
}

function Span({ of: w }: { of: Window }) {
  const t = useTexts()
  const s = spanOf(w)
  return (
    <span>
      <Moment at={s.start} /> – {s.end.slice(0, 10) === s.start.slice(0, 10) ? clock(s.end, t.language) : <Moment at={s.end} />}
      {w.repeat && <span className="dim"> · {t('repeats')}</span>}
    </span>
  )
}

/** A time to the minute, in UTC; the whole of it, here too, when pointed at. */
export function Moment({ at }: { at: string }) {
  const t = useTexts()
  return (
    <time dateTime={at} title={`${exact(at, t.language, 'UTC')} UTC · ${exact(at, t.language)}`}>
      {moment(at, t.language)}
    </time>
  )
}
