import { Button, Select, TextInput, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { get } from '@/api/client'
import { number } from '@/app/format'
import { useKeys } from '@/app/keys'
import { Icon } from '@/parts/icon'
import { address } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Severity, severities } from '@/parts/severity'
import { Asked, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { Tabs } from '@/parts/tabs'
import { useParts } from '@/parts/texts'
import { choose, offered, rank, showOf, type Chosen, type Rule } from './choose'
import { useTexts, type RulesTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/rules')

export function RuleTabs({ at }: { at: 'list' | 'coverage' }) {
  const t = useTexts()
  return <Tabs label={t('tabs')} tabs={[{ href: '/rules', text: t('tabList'), current: at === 'list' }, { href: '/rules/coverage', text: t('tabCoverage'), current: at === 'coverage' }]} />
}

export function Rules() {
  const t = useTexts()
  const search = page.useSearch()
  const navigate = useNavigate()
  const [at, setAt] = useState<string>()
  const all = useQuery(get('/api/rules'))
  const rules = useMemo(() => choose(all.data?.rules ?? [], search), [all.data, search])
  const go = (next: Chosen, replace = false) => void navigate({ to: '/rules', search: { ...search, ...next }, replace })
  const open = (r: Rule) => void navigate({ to: '/rules/$id', params: { id: r.id } })
  const index = rules.findIndex((r) => r.id === at)
  const move = (by: number) => setAt(rules[Math.min(Math.max(index + by, 0), rules.length - 1)]?.id)
  useKeys(t('keys'), [
    { keys: 'j', label: t('next'), run: () => move(1) },
    { keys: 'k', label: t('before'), run: () => move(-1) },
    { keys: 'Enter', label: t('open'), run: () => { const r = rules[index]; if (r) open(r) } },
  ])
  return (
    <Page fill title={t('title')} answer={all.data ? answerOf(t, all.data.rules, rules, search) : t('title')} more={all.data && noteOf(t, all.data.rules)}>
      <RuleTabs at="list" />
      <Asked of={all} lines={14}>
        {(a) => (
          <>
            <Filter all={a.rules} search={search} go={go} />
            <List of={rules} empty={a.rules.length === 0} at={at} onAt={setAt} onOpen={open} onAll={() => void navigate({ to: '/rules' })} />
          </>
        )}
      </Asked>
    </Page>
  )
}

function answerOf(t: RulesTexts, all: Rule[], shown: Rule[], by: Chosen): string {
  if (by.q || by.level || by.source || by.show) return t('answerFiltered', { count: shown.length, total: all.length })
  const fired = all.filter((r) => r.findings > 0).length
  return fired > 0 ? t('answer', { count: fired, total: all.length }) : t('answerPlain', { count: all.length })
}

function noteOf(t: RulesTexts, all: Rule[]): string {
  const blind = all.filter((r) => !r.logs).length
  const failing = all.filter((r) => r.cases.failed > 0).length
  return [failing > 0 ? t('casesFailed', { count: failing }) : '', blind > 0 ? t('noLogs', { count: blind }) : ''].filter(Boolean).join(' ')
}

function Filter({ all, search, go }: { all: Rule[]; search: Chosen; go: (next: Chosen, replace?: boolean) => void }) {
  const t = useTexts()
  const parts = useParts()
  const sources = useMemo(() => [...new Set(all.map((r) => r.logsource))].sort(), [all])
  return (
    <div className={css.filter}>
      <TextInput
        className={css.input} data-search value={search.q ?? ''} onChange={(e) => go({ q: e.currentTarget.value || undefined }, true)} aria-label={t('filter')} placeholder={t('filterHint')}
        spellCheck={false} autoComplete="off" leftSection={<Icon name="search" size={13} />} onKeyDown={(e) => e.key === 'Escape' && e.currentTarget.blur()}
        rightSectionWidth={60} rightSection={search.q && <button type="button" className={css.clear} onClick={() => go({ q: undefined })}>{t('clear')}</button>}
      />
      <Select className={css.select} aria-label={t('level')} placeholder={t('anyLevel')} clearable value={search.level ?? null} onChange={(v) => go({ level: v ?? undefined })} data={severities.map((s) => ({ value: s, label: parts(`severity.${s}`) }))} />
      <Select className={css.select} aria-label={t('source')} placeholder={t('anySource')} clearable searchable value={search.source ?? null} onChange={(v) => go({ source: v ?? undefined })} data={sources} />
      <Select className={css.select} aria-label={t('show')} allowDeselect={false} value={showOf(search.show)} onChange={(v) => go({ show: v === 'all' ? undefined : (v ?? undefined) })} data={offered(all).map((s) => ({ value: s, label: t(`show.${s}`) }))} />
    </div>
  )
}

function List({ of, empty, at, onAt, onOpen, onAll }: { of: Rule[]; empty: boolean; at: string | undefined; onAt: (id: string) => void; onOpen: (r: Rule) => void; onAll: () => void }) {
  const t = useTexts()
  const columns = useMemo(
    () => [
      column<Rule>('level', t('level'), (r) => <Severity of={r.level || 'informational'} word />, { width: 104, by: (r) => rank(r.level) }),
      column<Rule>('rule', t('rule'), (r) => <Title of={r} />, { grow: 6, by: (r) => r.title.toLowerCase() }),
      column<Rule>('source', t('source'), (r) => <Source of={r} />, { width: 158, above: 700, by: (r) => r.logsource }),
      column<Rule>('attack', t('attack'), (r) => <span className="dim">{techniques(r.attack).join(' ')}</span>, { grow: 2, above: 900 }),
      column<Rule>('cases', t('cases'), (r) => <Cases of={r.cases} />, { width: 92, right: true, above: 560, by: (r) => r.cases.failed * 1e6 + r.cases.passed }),
      column<Rule>('open', t('openFindings'), (r) => (blind(r) ? <NotKnown /> : <Count of={r.open} />), { width: 60, right: true, above: 760, by: (r) => r.open }),
      column<Rule>('findings', t('findings'), (r) => (blind(r) ? <NotKnown /> : <Count of={r.findings} strong />), { width: 84, right: true, by: (r) => r.findings }),
    ],
    [t],
  )
  return (
    <Table
      label={t('title')} rows={of} columns={columns} rowKey={(r) => r.id} at={at} onAt={onAt} onOpen={onOpen} href={(r) => `/rules/${encodeURIComponent(r.id)}`} cardHeight={80}
      card={(r) => (
        <div className={css.card}>
          <div className={css.cardTop}><Severity of={r.level || 'informational'} /> <Title of={r} /></div>
          <div className={css.facts}><Source of={r} /></div>
          <div className={css.facts}><span>{t('findings')} {blind(r) ? <NotKnown /> : <Count of={r.findings} strong />}</span> <span>{t('cases')} <Cases of={r.cases} /></span></div>
        </div>
      )}
      empty={empty ? <Nothing title={t('none')}>{t('noneMore')}</Nothing> : <Nothing title={t('noneFound')} action={<Button variant="default" onClick={onAll}>{t('showAll')}</Button>}>{t('noneFoundMore')}</Nothing>}
    />
  )
}

/** Ids of techniques, without those of tactics. */
export function techniques(attack: readonly string[]): string[] {
  return attack.filter((a) => /^T\d/.test(a))
}

function Title({ of: r }: { of: Rule }) {
  const t = useTexts()
  return (
    <span className={css.title}>
      <Link to="/rules/$id" params={{ id: r.id }}><LogText>{r.title}</LogText></Link>
      {r.stage !== '' && <span className={css.mark}>{t(`stage.${r.stage}`)}</span>}
      {r.demoted && <Tooltip label={t('demotedDoes')}><span className={css.mark}>{t('demoted')}</span></Tooltip>}
    </span>
  )
}

/** The log source; hatched where nothing of it is stored. */
export function Source({ of: r }: { of: Pick<Rule, 'logs' | 'logsource'> }) {
  const t = useTexts()
  if (r.logs) return <LogText>{r.logsource}</LogText>
  return (
    <Tooltip label={t('blindDoes', { source: r.logsource })}>
      <span className={`unknown ${css.blind}`}><LogText>{r.logsource}</LogText></span>
    </Tooltip>
  )
}

export function Cases({ of }: { of: Rule['cases'] }) {
  const t = useTexts()
  if (of.failed > 0) return <b className={css.failed}>{t('casesFail', { count: of.failed })}</b>
  return of.passed > 0 ? <span className="dim">{t('casesPassed', { count: of.passed })}</span> : <span className={`unknown ${css.blind}`}>{t('casesNone')}</span>
}

/** A number of findings; those who see only some accounts are not told, and that is not zero. */
export function Count({ of, strong }: { of: number; strong?: boolean }) {
  const t = useTexts()
  if (of < 0) return <Tooltip label={t('findingsHidden')}><span className={`unknown ${css.blind}`}>–</span></Tooltip>
  if (of === 0) return <span className="faint">0</span>
  return strong ? <b>{number(of, t.language)}</b> : <>{number(of, t.language)}</>
}

/** Nothing was there to judge, and so nothing found is no answer. */
function blind(r: Rule): boolean {
  return !r.logs && r.findings === 0
}

function NotKnown() {
  const t = useTexts()
  return <span className="faint" title={t('blind')}>–</span>
}

/** The rules about a technique. */
export function aboutAddress(technique: string): string {
  return address('/rules', { q: technique })
}
