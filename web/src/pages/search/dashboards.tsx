import { Button, Checkbox, Popover, TextInput } from '@mantine/core'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useKeys } from '@/app/keys'
import { useSession } from '@/app/session'
import { serverNow } from '@/parts/when'
import { Icon } from '@/parts/icon'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { PanelView } from './panel'
import { moved, type Dashboard, type Panel } from './panels'
import { SearchTabs } from './tabs'
import { useTexts } from './texts'
import { TimeRange } from './time'
import { useDashboards, useKeep } from './views'
import css from './dashboards.module.css'

const page = getRouteApi('/in/search/dashboards/$id')

/** Every dashboard that one may see. */
export function Dashboards() {
  const t = useTexts()
  const all = useDashboards()
  return (
    <Page title={t('dashboards')} answer={all.data?.length ? t('dashboardsAnswer', { count: all.data.length }) : t('dashboards')}>
      <SearchTabs at="dashboards" />
      <Asked of={all}>
        {(list) =>
          list.length === 0 ? (
            <Nothing title={t('dashboardsNone')} action={<To href="/search">{t('title')}</To>}>{t('dashboardsNoneMore')}</Nothing>
          ) : (
            <ul className={css.list}>
              {list.map((d) => (
                <li key={d.id}>
                  <Link to="/search/dashboards/$id" params={{ id: d.id }}><LogText>{d.title}</LogText></Link>
                  <span className="dim">{t('dashboardPanels', { count: d.panels.length })}</span>
                  <span className="dim">{t.rich('dashboardOf', { who: <LogText most={24}>{d.owner}</LogText> })}{d.shared && `, ${t('dashboardShared')}`}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </Page>
  )
}

/** One dashboard with its panels, over one time. */
export function DashboardPage() {
  const t = useTexts()
  const { id } = page.useParams()
  const all = useDashboards()
  const found = all.data?.find((d) => d.id === id)
  if (found) return <Shown of={found} />
  return (
    <Page title={t('dashboard')} answer={t('dashboard')}>
      <SearchTabs at="dashboards" />
      <Asked of={all}>{() => <Nothing title={t('gone')} action={<To href="/search/dashboards">{t('dashboards')}</To>} />}</Asked>
    </Page>
  )
}

function Shown({ of: d }: { of: Dashboard }) {
  const t = useTexts()
  const me = useSession()?.user
  const navigate = useNavigate()
  const range = page.useSearch()
  const { keep } = useKeep()
  const [editing, setEditing] = useState(false)
  const [now, setNow] = useState(serverNow)
  const mine = d.owner === me
  const set = (panels: Panel[]) => void keep({ ...d, panels })
  useKeys(t('dashboard'), [{ keys: 'r', label: t('refresh'), run: () => setNow(serverNow()) }])
  return (
    <Page
      title={d.title} answer={<LogText most={80}>{d.title}</LogText>}
      more={<>{t.rich('dashboardOf', { who: <LogText most={24}>{d.owner}</LogText> })}{d.shared && `, ${t('dashboardShared')}`}</>}
      actions={
        <>
          <TimeRange value={range} onChange={(r) => { setNow(serverNow()); void navigate({ to: '/search/dashboards/$id', params: { id: d.id }, search: { since: r.since, until: r.until } }) }} />
          {mine && <Button variant="default" aria-pressed={editing} onClick={() => setEditing(!editing)}>{editing ? t('dashboardEditEnd') : t('dashboardEdit')}</Button>}
          {mine && editing && <About of={d} />}
        </>
      }
    >
      <SearchTabs at="dashboards" />
      {d.panels.length === 0 ? (
        <Nothing title={t('dashboardEmpty')} action={<To href="/search">{t('title')}</To>}>{t('dashboardsNoneMore')}</Nothing>
      ) : (
        <div className={css.grid}>
          {d.panels.map((p) => (
            <section key={p.id} className={css.panel} data-wide={p.wide || undefined}>
              <PanelView
                of={p} own={range} now={now}
                tools={editing && (
                  <>
                    <button type="button" aria-label={t('panelEarlier', { title: p.title })} onClick={() => set(moved(d.panels, p.id, -1))}><Icon name="left" size={11} /></button>
                    <button type="button" aria-label={t('panelLater', { title: p.title })} onClick={() => set(moved(d.panels, p.id, 1))}><Icon name="right" size={11} /></button>
                    <button type="button" aria-label={t('panelWide', { title: p.title })} onClick={() => set(d.panels.map((x) => (x.id === p.id ? { ...x, wide: !x.wide || undefined } : x)))}>↔</button>
                    <button type="button" aria-label={t('panelRemove', { title: p.title })} onClick={() => set(d.panels.filter((x) => x.id !== p.id))}><Icon name="close" size={11} /></button>
                  </>
                )}
              />
            </section>
          ))}
        </div>
      )}
    </Page>
  )
}

/** Name, who sees it, and the way to be rid of it. */
function About({ of: d }: { of: Dashboard }) {
  const t = useTexts()
  const navigate = useNavigate()
  const { keep, remove } = useKeep()
  const [open, setOpen] = useState(false)
  const [sure, setSure] = useState(false)
  const save = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    if (await keep({ ...d, title: String(form.get('title')).trim(), shared: form.get('shared') !== null })) setOpen(false)
  }
  const away = async () => {
    if (!sure) return setSure(true)
    if (await remove(d)) await navigate({ to: '/search/dashboards' })
  }
  return (
    <Popover opened={open} onChange={(o) => { setOpen(o); setSure(false) }} position="bottom-end" trapFocus withRoles transitionProps={{ duration: 0 }}>
      <Popover.Target><Button variant="default" onClick={() => setOpen(!open)}>{t('dashboardRename')}</Button></Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={(e) => void save(e)} className={css.form}>
          <TextInput name="title" label={t('dashboardName')} required maxLength={80} defaultValue={d.title} data-autofocus autoComplete="off" />
          <Checkbox name="shared" size="xs" label={t('saveShared')} defaultChecked={d.shared} />
          <Button type="submit">{t('save')}</Button>
          <Button variant="default" onClick={() => void away()}>{sure ? t('dashboardDeleteSure') : t('dashboardDelete')}</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
