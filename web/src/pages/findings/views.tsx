import { ActionIcon, Button, Checkbox, Popover, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, send } from '@/api/client'
import { useSession } from '@/app/session'
import { toast } from '@/app/toast'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { useTexts } from './texts'
import css from './page.module.css'

const views = get('/api/views', { query: { page: 'findings' } })

interface Search {
  q?: string
  sort?: string
  show?: string
  aside?: string
}

/** The questions that people saved, their own and shared ones. */
export function SavedViews({ onChoose }: { onChoose: (v: Search) => void }) {
  const t = useTexts()
  const me = useSession()?.user
  const queries = useQueryClient()
  const problem = useProblem()
  const { data } = useQuery(views)
  const remove = async (id: string, title: string) => {
    try {
      await send('delete', '/api/views/{id}', { path: { id } })
      toast({ text: t('removed', { title }) }, 4)
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    await queries.invalidateQueries({ queryKey: ['/api/views'] })
  }
  return data?.views.map((v) => (
    <span key={v.id} className={css.view}>
      <button type="button" onClick={() => onChoose(Object.fromEntries(new URLSearchParams(v.query)))}>
        <LogText most={30}>{v.title}</LogText>
      </button>
      {v.owner === me && (
        <ActionIcon size="xs" aria-label={t('remove', { title: v.title })} onClick={() => void remove(v.id, v.title)}>
          <Icon name="close" size={9} />
        </ActionIcon>
      )}
    </span>
  ))
}

export function SaveView({ query }: { query: Search }) {
  const t = useTexts()
  const queries = useQueryClient()
  const problem = useProblem()
  const [open, setOpen] = useState(false)
  const save = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const title = String(form.get('title')).trim()
    const set = Object.entries(query).filter((x): x is [string, string] => !!x[1])
    try {
      await send('put', '/api/views/{id}', {
        path: { id: crypto.randomUUID() },
        body: { page: 'findings', title, query: String(new URLSearchParams(set)), shared: form.get('shared') !== null },
      })
      setOpen(false)
      toast({ text: t('saved', { title }) }, 4)
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    await queries.invalidateQueries({ queryKey: ['/api/views'] })
  }
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus withRoles transitionProps={{ duration: 0 }}>
      <Popover.Target>
        <Button variant="default" onClick={() => setOpen(!open)}>
          {t('save')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={(e) => void save(e)} className={css.save}>
          <TextInput name="title" label={t('saveTitle')} required maxLength={80} data-autofocus />
          <Checkbox name="shared" size="xs" label={t('saveShared')} />
          <Button type="submit">{t('save')}</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
