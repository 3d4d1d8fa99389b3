import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { get } from '@/api/client'
import { month as monthName, share } from '@/app/format'
import { money, saving } from '@/app/money'
import { Command } from '@/parts/copy'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { Tabs } from '@/parts/tabs'
import { AdvicePart } from './advice'
import { ChangesPart } from './changes'
import { currencies } from './figures'
import { PricesPart } from './prices'
import { SharesPart } from './shares'
import { useTexts, type CostTexts } from './texts'
import { costAddress, shown, type Advices, type Month, type Shares, type Words } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/cost')

/** What security costs: its shares of the bill, what makes them, what could be cheaper, and by which prices. */
export function Cost() {
  const t = useTexts()
  const words: Words = page.useSearch()
  const navigate = useNavigate()
  const set = (more: Words, replace = false) => void navigate({ to: '/cost', search: { ...words, ...more }, replace })
  const show = shown.find((s) => s === words.show) ?? ''
  const account = words.account ? [words.account] : undefined
  const all = useQuery(get('/api/cost/shares'))
  const mine = useQuery({ ...get('/api/cost/shares', { query: { account } }), enabled: !!account })
  const shares = account ? mine : all
  const advice = useQuery(get('/api/cost/advice', { query: { account } }))
  const at = shares.data && monthOf(shares.data, words)
  return (
    <Page
      title={t('title')}
      answer={shares.data ? <Answer of={shares.data} at={at} account={words.account} /> : t('title')}
      more={advice.data && advice.data.advice.length > 0 && saves(t, advice.data)}
      actions={<Accounts of={all.data} advice={advice.data} value={words.account} onSet={(a) => set({ account: a, open: undefined })} />}
    >
      <Tabs label={t('parts')} tabs={shown.map((s) => ({ text: t(`show.${s}`), current: show === s, href: costAddress({ show: s, account: words.account, month: words.month, currency: words.currency }) }))} />
      {show === '' && (
        <Asked of={shares} lines={10}>
          {(s) => (at ? <SharesPart of={s} at={at} words={words} set={set} advice={advice.data} /> : <NoBill />)}
        </Asked>
      )}
      {show === 'changes' && <ChangesPart words={words} />}
      {show === 'advice' && <Asked of={advice} lines={10}>{(a) => <AdvicePart of={a} words={words} set={set} />}</Asked>}
      {show === 'prices' && <PricesPart />}
    </Page>
  )
}

/** The month that the address names, of the currency that it names; else the latest. */
function monthOf(shares: Shares, words: Words): Month | undefined {
  const currency = words.currency ?? currencies(shares.months)[0]
  const months = shares.months.filter((m) => m.currency === currency)
  return months.find((m) => m.month === words.month) ?? months.at(-1)
}

function Answer({ of, at, account }: { of: Shares; at: Month | undefined; account: string | undefined }) {
  const t = useTexts()
  if (!at) return t('answerNone')
  const month = monthName(at.month, t.language)
  const amount = money(at.security, at.currency)
  if (account) return t.rich('answerAccount', { month, amount, account: <LogText most={20}>{account}</LogText> })
  if (of.limited || at.total === undefined || at.total <= 0) return t('answerMine', { month, amount })
  return t('answer', { month, amount, share: share(at.security / at.total, t.language) })
}

function saves(t: CostTexts, of: Advices): string {
  if (of.total_saving_month <= 0) return t('savesNothing')
  const say = (n: number) => saving(n, of.currency)
  return t('saves', { all: say(of.total_saving_month), advised: say(of.total_actionable_month), against: say(of.total_saving_month - of.total_actionable_month) })
}

/** The accounts that the bill and the advice speak of. */
function Accounts({ of, advice, value, onSet }: { of: Shares | undefined; advice: Advices | undefined; value: string | undefined; onSet: (account: string | undefined) => void }) {
  const t = useTexts()
  const names = new Map<string, string>()
  for (const s of of?.months.flatMap((m) => m.services) ?? []) names.set(s.account, s.account_name)
  for (const a of advice?.advice ?? []) names.set(a.account, a.account_name || (names.get(a.account) ?? ''))
  if (value && !names.has(value)) names.set(value, '')
  names.delete('')
  if (names.size === 0) return null
  return (
    <Select
      className={css.account} aria-label={t('account')} placeholder={t('anyAccount')} searchable clearable value={value ?? null} onChange={(a) => onSet(a ?? undefined)}
      data={[...names].sort((a, b) => a[0].localeCompare(b[0])).map(([id, name]) => ({ value: id, label: name ? `${name.slice(0, 60)} ${id}` : id }))}
    />
  )
}

function NoBill() {
  const t = useTexts()
  return (
    <div className={css.none}>
      <Nothing title={t('none')}>{t('noneMore')}</Nothing>
      <Command name={t('import')}>yagura cost import bills/</Command>
      <p className="dim">{t('noneRuns')}</p>
    </div>
  )
}
