import { Button, Menu, TextInput } from '@mantine/core'
import { useInfiniteQuery, keepPreviousData } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo, type FormEvent } from 'react'
import { fetchOnce } from '@/api/client'
import type { components } from '@/api/schema'
import { address } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Failed, Loading, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { When } from '@/parts/when'
import { Shows } from './shows'
import { useTexts } from './texts'
import css from './page.module.css'

type Line = components['schemas']['AuditLine']
const page = getRouteApi('/in/settings')

/** Who did what, and when. */
export function Audit() {
  const t = useTexts()
  const navigate = useNavigate()
  const { who, action, since } = page.useSearch()
  const from = since && /^\d{4}-\d\d-\d\d$/.test(since) ? `${since}T00:00:00Z` : undefined
  const query = { who, action, since: from }
  const list = useInfiniteQuery({
    queryKey: ['/api/audit', { query }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/audit', { query: { ...query, limit: 200, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })
  const lines = useMemo(() => list.data?.pages.flatMap((p) => p.lines) ?? [], [list.data])
  const columns = useMemo(
    () => [
      column<Line>('at', t('at'), (l) => <When at={l.at} as="exact" />, { width: 150 }),
      column<Line>('by', t('who'), (l) => <LogText most={24}>{l.by}</LogText>, { width: 150 }),
      column<Line>('action', t('action'), (l) => <Action of={l.action} />, { width: 190, above: 620 }),
      column<Line>('subject', t('subject'), (l) => <LogText most={30}>{l.subject}</LogText>, { grow: 1, above: 860 }),
      column<Line>('text', t('text'), (l) => <LogText>{l.text}</LogText>, { grow: 3 }),
    ],
    [t],
  )
  const filter = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim() || undefined
    void navigate({ to: '/settings', search: { show: 'audit', who: text('who'), action: text('action'), since: text('since') } })
  }
  return (
    <Page
      fill title={t('title')} answer={t('auditAnswer')} more={t('auditNote')}
      actions={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default">{t('export')}</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {(['csv', 'jsonl'] as const).map((format) => (
              <Menu.Item key={format} component="a" download href={address('/api/audit/export', { format, who, action, since: from })}>
                {format === 'csv' ? 'CSV' : 'JSON lines'}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      }
    >
      <Shows />
      <form key={`${who ?? ''} ${action ?? ''} ${since ?? ''}`} className={css.filter} onSubmit={filter} onBlur={(e) => e.target instanceof HTMLInputElement && e.target.value !== e.target.defaultValue && e.currentTarget.requestSubmit()}>
        <TextInput name="who" label={t('who')} defaultValue={who} data-search />
        <TextInput name="action" label={t('action')} defaultValue={action} placeholder="finding.decide" />
        <TextInput name="since" type="date" label={t('from')} defaultValue={since} />
        <button type="submit" hidden />
      </form>
      {list.error ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data ? (
        <Table
          label={t('show.audit')} rows={lines} columns={columns} rowKey={(l) => String(l.id)} empty={<Nothing title={t('auditNone')} />} cardHeight={70}
          onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()}
          card={(l) => (
            <>
              <div className={css.facts}>
                <When at={l.at} as="exact" /> <LogText most={24}>{l.by}</LogText> <Action of={l.action} />
              </div>
              <LogText>{l.text}</LogText>
            </>
          )}
        />
      ) : list.error ? null : (
        <Loading lines={12} />
      )}
    </Page>
  )
}

/** What was done in words; what it is filtered by is its code. */
function Action({ of }: { of: string }) {
  const t = useTexts()
  return <span title={of}>{t.word('action', of)}</span>
}
