import { ActionIcon, Button, Checkbox, Popover, Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, send } from '@/api/client'
import type { View } from '@/api/contract'
import { useSession } from '@/app/session'
import { toast } from '@/app/toast'
import { Icon } from '@/parts/icon'
import { LogText, shorten } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { useColumns } from './box'
import { panelsOf, shows, type Dashboard, type Panel, type Show } from './panels'
import type { Range } from './range'
import { useTexts } from './texts'
import css from './views.module.css'

type Words = Record<string, string | undefined>

/** Keeps a view or takes it away, and says how that went. */
export function useKeep() {
  const queries = useQueryClient()
  const problem = useProblem()
  const t = useTexts()
  const done = async (doing: Promise<unknown>, text: string): Promise<boolean> => {
    try {
      await doing
      toast({ text }, 4)
      return true
    } catch (e) {
      toast({ text: problem(e), bad: true })
      return false
    } finally {
      await queries.invalidateQueries({ queryKey: ['/api/views'] })
    }
  }
  return {
    keep: (v: Pick<View, 'id' | 'page' | 'title' | 'query' | 'shared'> & { panels?: Panel[] }, text?: string) => {
      const { id, page, title, query, shared, panels } = v
      return done(send('put', '/api/views/{id}', { path: { id }, body: { page, title, query, shared, panels: (panels ?? []).map((p) => ({ ...p })) } }), text ?? t('saved', { title: v.title }))
    },
    remove: (v: Pick<View, 'id' | 'title'>) => done(send('delete', '/api/views/{id}', { path: { id: v.id } }), t('removed', { title: v.title })),
  }
}

/** The searches that people saved on a page, their own and shared ones. */
export function SavedViews({ page, onChoose }: { page: 'search' | 'sql'; onChoose: (v: Words) => void }) {
  const t = useTexts()
  const me = useSession()?.user
  const { remove } = useKeep()
  const { data } = useQuery(get('/api/views', { query: { page } }))
  return data?.views.map((v) => (
    <span key={v.id} className={css.view}>
      <button type="button" onClick={() => onChoose(Object.fromEntries(new URLSearchParams(v.query)))}><LogText most={30}>{v.title}</LogText></button>
      {v.owner === me && (
        <ActionIcon size="xs" aria-label={t('remove', { title: v.title })} onClick={() => void remove(v)}><Icon name="close" size={9} /></ActionIcon>
      )}
    </span>
  ))
}

export function SaveView({ page, query }: { page: 'search' | 'sql'; query: Words }) {
  const t = useTexts()
  const { keep } = useKeep()
  const [open, setOpen] = useState(false)
  const save = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const set = Object.entries(query).filter((x): x is [string, string] => !!x[1])
    if (await keep({ id: crypto.randomUUID(), page, title: String(form.get('title')).trim(), query: String(new URLSearchParams(set)), shared: form.get('shared') !== null })) setOpen(false)
  }
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus withRoles transitionProps={{ duration: 0 }}>
      <Popover.Target><Button variant="default" onClick={() => setOpen(!open)}>{t('save')}</Button></Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={(e) => void save(e)} className={css.form}>
          <TextInput name="title" label={t('saveTitle')} required maxLength={80} data-autofocus autoComplete="off" />
          <Checkbox name="shared" size="xs" label={t('saveShared')} />
          <Button type="submit">{t('save')}</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}

export function useDashboards() {
  const views = useQuery(get('/api/views', { query: { page: 'dashboard' } }))
  return { ...views, data: views.data?.views.map((v): Dashboard => ({ ...v, panels: panelsOf(v.panels) })) }
}

interface ToProps {
  kind: Panel['kind']
  query: string
  range?: Range
}

/** Puts the question onto a dashboard: one's own, or a new one. */
export function ToDashboard({ kind, query, range }: ToProps) {
  const t = useTexts()
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus withRoles closeOnClickOutside transitionProps={{ duration: 0 }}>
      <Popover.Target><Button variant="default" onClick={() => setOpen(!open)} disabled={kind === 'sql' && !query}>{t('toDashboard')}</Button></Popover.Target>
      <Popover.Dropdown>{open && <PanelForm kind={kind} query={query} range={range} onDone={() => setOpen(false)} />}</Popover.Dropdown>
    </Popover>
  )
}

function PanelForm({ kind, query, range, onDone }: ToProps & { onDone: () => void }) {
  const t = useTexts()
  const me = useSession()?.user
  const { keep } = useKeep()
  const columns = useColumns()
  const mine = (useDashboards().data ?? []).filter((d) => d.owner === me)
  const [to, setTo] = useState<string>()
  const [show, setShow] = useState<Show>(shows[kind][0])
  const [field, setField] = useState('api_operation')
  const chosen = to ?? mine[0]?.id ?? ''
  const add = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const panel: Panel = {
      id: crypto.randomUUID(), title: String(form.get('title')).trim(), kind, query, show, field: show === 'top' ? field : undefined, ...range,
      wide: show === 'rows' || show === 'histogram' || undefined,
    }
    const onto = mine.find((d) => d.id === chosen)
    const title = onto?.title ?? String(form.get('dashboard')).trim()
    const next = onto ? { ...onto, panels: [...onto.panels, panel] } : { id: crypto.randomUUID(), page: 'dashboard', title, query: '', shared: false, panels: [panel] }
    if (await keep(next, t('panelAdded', { title }))) onDone()
  }
  return (
    <form onSubmit={(e) => void add(e)} className={css.form}>
      <TextInput name="title" label={t('panelTitle')} required maxLength={80} defaultValue={kind === 'search' ? shorten(query, 60) : ''} data-autofocus autoComplete="off" />
      <Select label={t('panelShow')} allowDeselect={false} value={show} onChange={(v) => v && setShow(v as Show)} data={shows[kind].map((s) => ({ value: s, label: t(`show.${s}`) }))} comboboxProps={{ withinPortal: false }} />
      {show === 'top' && <Select label={t('panelField')} allowDeselect={false} searchable value={field} onChange={(v) => v && setField(v)} data={columns.filter((c) => c.type !== 'json').map((c) => c.name)} comboboxProps={{ withinPortal: false }} />}
      <Select
        label={t('dashboard')} allowDeselect={false} value={chosen} onChange={(v) => setTo(v ?? '')} comboboxProps={{ withinPortal: false }}
        data={[...mine.map((d) => ({ value: d.id, label: shorten(d.title, 40) })), { value: '', label: t('dashboardNew') }]}
      />
      {chosen === '' && <TextInput name="dashboard" label={t('dashboardName')} required maxLength={80} autoComplete="off" />}
      <Button type="submit">{t('panelAdd')}</Button>
    </form>
  )
}
