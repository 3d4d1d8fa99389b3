import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { Problem, send } from '@/api/client'
import { number } from '@/app/format'
import { useSession, useMay } from '@/app/session'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { saveFile } from '@/parts/save'
import { Failed, Loading, Nothing } from '@/parts/states'
import { SQLChart, SQLTable } from './answer'
import { useTables } from './box'
import { csvOf, plotOf } from './sql'
import { SearchTabs } from './tabs'
import { inJapanese } from './columns.ja'
import { useTexts } from './texts'
import { SavedViews, SaveView, ToDashboard } from './views'
import css from './ask.module.css'

const page = getRouteApi('/in/search/sql')

const examples = [
  { text: 'sqlExample1', sql: "select actor_uid, caller, sum(count) as reads, count(distinct resource_uid) as secrets\nfrom usage\nwhere api_operation = 'GetSecretValue' and resource_uid <> ''\ngroup by all\norder by secrets desc\nlimit 50" },
  { text: 'sqlExample2', sql: "select date_trunc('day', hour) as day, sum(count) as denied\nfrom usage\nwhere outcome = 'denied' and resource_uid = ''\ngroup by all\norder by day" },
  { text: 'sqlExample3', sql: "select actor_session, src_ip, min(time) as first, max(time) as last, count(*) as calls\nfrom events\nwhere caller in ('console', 'person_cli') and src_ip <> ''\ngroup by all\norder by calls desc\nlimit 100" },
  { text: 'sqlExample4', sql: "select resource_uid, count(distinct region) as regions, string_agg(distinct region, ', ') as in_regions, sum(count) as uses\nfrom usage\nwhere api_service = 'kms.amazonaws.com' and resource_uid <> ''\ngroup by all\nhaving regions > 1\norder by regions desc, uses desc\nlimit 50" },
] as const

/** Asks with SQL; the same statement is asked once. */
export function useSQL(sql: string, on = true) {
  return useQuery({
    queryKey: ['/api/sql', { body: { query: sql } }],
    queryFn: () => send('post', '/api/sql', { body: { query: sql } }),
    enabled: on && sql.trim() !== '', staleTime: 5 * 60_000, retry: false,
  })
}

/** The SQL tab: a statement, its rows, a picture of them. */
export function SQL() {
  const t = useTexts()
  const { sql = '', show } = page.useSearch()
  const navigate = useNavigate()
  const session = useSession()
  const allowed = useMay('analyst') && (session?.accounts.length ?? 0) === 0
  const answer = useSQL(sql, allowed)
  const chart = show === 'chart'
  const go = (next: { sql?: string; show?: string }) => void navigate({ to: '/search/sql', search: { sql: sql || undefined, show, ...next } })
  const run = (text: string) => (text.trim() === sql.trim() ? void answer.refetch() : go({ sql: text.trim() || undefined }))
  return (
    <Page fill title="SQL" answer={answer.data ? t('sqlAnswered', { count: answer.data.rows.length, seconds: number(answer.data.seconds, t.language) }) : t('sqlAnswer')} more={t('sqlNote')}
      actions={
        <>
          <SaveView page="sql" query={{ sql, show }} />
          <ToDashboard kind="sql" query={sql} />
        </>
      }
    >
      <SearchTabs at="sql"><SavedViews page="sql" onChoose={(v) => void navigate({ to: '/search/sql', search: v })} /></SearchTabs>
      {!allowed ? (
        <Nothing title={t('sqlRole')} />
      ) : (
        <>
          <Editor value={sql} busy={answer.isFetching} onRun={run} />
          {answer.error ? answer.error instanceof Problem && answer.error.status === 422 ? <pre className={css.wrong} role="alert"><LogText wrap mono>{answer.error.detail}</LogText></pre> : <Failed error={answer.error} retry={() => void answer.refetch()} /> : null}
          {answer.data?.more && <p className={`unknown ${css.cut}`}>{t('sqlMore', { limit: answer.data.more })}</p>}
          {answer.data && !answer.error ? (
            <>
              <div className={css.tools}>
                <button type="button" aria-pressed={!chart} onClick={() => go({ show: undefined })}>{t('sqlTable')}</button>
                <button type="button" aria-pressed={chart} disabled={!plotOf(answer.data)} title={plotOf(answer.data) ? undefined : t('sqlNoChart')} onClick={() => go({ show: 'chart' })}>{t('sqlChart')}</button>
                <Download csv={() => csvOf(answer.data)} />
              </div>
              {chart ? <SQLChart of={answer.data} height={520} /> : <SQLTable of={answer.data} />}
            </>
          ) : answer.isFetching ? (
            <Loading lines={8} />
          ) : (
            !answer.error && <Help onChoose={(text) => go({ sql: text })} />
          )}
        </>
      )}
    </Page>
  )
}

function Editor({ value, busy, onRun }: { value: string; busy: boolean; onRun: (sql: string) => void }) {
  const t = useTexts()
  const [text, setText] = useState(value)
  const said = useRef(value)
  useEffect(() => {
    if (value !== said.current) setText(value)
    said.current = value
  }, [value])
  return (
    <form className={css.editor} onSubmit={(e) => { e.preventDefault(); onRun(text) }}>
      <textarea
        data-search value={text} rows={Math.min(Math.max(text.split('\n').length, 3), 12)} aria-label={t('sqlQuery')} placeholder={'select … from events'} spellCheck={false} autoCapitalize="none"
        onChange={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
            e.preventDefault()
            onRun(text)
          } else if (e.key === 'Escape') e.currentTarget.blur()
        }}
      />
      <Button type="submit" disabled={!text.trim() || busy}>{busy ? t('sqlRunning') : <>{t('sqlRun')} <kbd className={css.key}>{navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'} ↵</kbd></>}</Button>
    </form>
  )
}

function Help({ onChoose }: { onChoose: (sql: string) => void }) {
  const t = useTexts()
  const tables = useTables()
  return (
    <div className={css.help}>
      <section>
        <h2>{t('sqlExamples')}</h2>
        <ul>{examples.map((x) => <li key={x.text}><button type="button" onClick={() => onChoose(x.sql)}>{t(x.text)}</button><pre tabIndex={0}>{x.sql}</pre></li>)}</ul>
      </section>
      {([['events', tables?.columns], ['usage', tables?.usage]] as const).map(([table, columns]) => (
        <section key={table}>
          <h2>{t('sqlColumns', { table })}</h2>
          <dl>{columns?.map((c) => <div key={c.name}><dt><code>{c.name}</code></dt><dd>{(t.language === 'ja' && (inJapanese[`${table}.${c.name}`] ?? inJapanese[c.name])) || c.doc}</dd></div>)}</dl>
        </section>
      ))}
    </div>
  )
}

/** The answer as a file. */
function Download({ csv }: { csv: () => string }) {
  const t = useTexts()
  return <button type="button" onClick={() => saveFile('yagura.csv', 'text/csv', csv())}>{t('sqlDownload')}</button>
}
