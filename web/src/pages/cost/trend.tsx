import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import { month as monthName } from '@/app/format'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { useTexts } from './texts'
import type { Month, Move } from './types'
import css from './page.module.css'

/** How the bill moves, in sentences. */
export function TrendPart({ at, account }: { at: Month; account: string | undefined }) {
  const t = useTexts()
  const trend = useQuery({ ...get('/api/cost/trend', { query: { account: account ? [account] : undefined } }), retry: false })
  const last = monthName(at.month, t.language)
  return (
    <Asked of={trend} lines={4}>
      {(d) => (
        <>
          <Section title={t('why', { month: d.why[0]?.month ? monthName(d.why[0].month, t.language) : last })}><Moves of={d.why} none={t('whyNone')} /></Section>
          <div className={css.columns}>
            <Section title={t('moves')}><Moves of={d.moves} none={t('movesNone')} /></Section>
            <Section title={t('peers')}><Moves of={d.peers} none={t('peersNone')} /></Section>
            <Section title={t('forecasts')}><Moves of={d.forecasts} none={t('forecastsNone')} /></Section>
            <Section title={t('slopes')}><Moves of={d.services} none={t('forecastsNone')} /></Section>
          </div>
        </>
      )}
    </Asked>
  )
}

const mostMoves = 12

function Moves({ of, none }: { of: readonly Move[]; none: string }) {
  const t = useTexts()
  if (of.length === 0) return <p className="dim">{none}</p>
  return (
    <ul className={css.moves}>
      {of.slice(0, mostMoves).map((m, i) => (
        <li key={i}>
          <span><LogText wrap>{m.said}</LogText></span>
          {!m.known && <span className={`unknown ${css.gap}`}>{t('unknown')}</span>}
        </li>
      ))}
    </ul>
  )
}
