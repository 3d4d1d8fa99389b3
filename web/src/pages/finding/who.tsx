import { useId, useState } from 'react'
import type { Finding } from '@/api/contract'
import { percent } from '@/app/format'
import type { Language } from '@/app/language'
import { Icon } from '@/parts/icon'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { personAddress } from '@/pages/person/page'
import { useWhoTexts } from './who.texts'
import css from './who.module.css'

type Inference = NonNullable<Finding['actor_inferred']>
type Candidate = Inference['candidates'][number]

/** Evidence is looked for this long before the finding too: leases, logons, sign-ins. */
const before = 24 * 3600_000

/** Who it probably was where the records do not say: candidates, and what speaks for each. */
export function WhoWasIt({ of: f }: { of: Finding }) {
  const t = useWhoTexts()
  const [open, setOpen] = useState(0)
  const i = f.actor_inferred
  if (!i) return null
  const [first] = i.candidates
  const p = (n: number) => about(n, t.language)
  return (
    <Section title={t('who')} note={<em className={css.tag}>{t('inferred')}</em>}>
      {i.uid ? (
        <p>{t.rich('named', { who: <b><LogText>{i.uid}</LogText></b>, percent: <b>{p(i.probability)}</b> })}</p>
      ) : (
        <p>{t(first ? 'unnamed' : 'nobody')}</p>
      )}
      <Bar of={i} />
      <ul className={css.candidates}>
        {i.candidates.map((c, n) => (
          <li key={c.uid}>
            <button type="button" aria-expanded={open === n} onClick={() => setOpen(open === n ? -1 : n)}>
              <Icon name={open === n ? 'down' : 'right'} size={11} />
              <i className={css.key} data-rank={n} />
              <LogText most={60}>{c.uid}</LogText>
              <span className="num">{p(c.probability)}</span>
            </button>
            {open === n && <Why of={c} finding={f} />}
          </li>
        ))}
        <li className={css.none} title={t('noneDoes')}>
          <span>
            <i className={`${css.key} unknown`} />
            {t('none')}
          </span>
          <span className="num">{p(i.none)}</span>
        </li>
      </ul>
      <p className="dim">{t('never')}</p>
    </Section>
  )
}

/** A probability of what is inferred: never all, and never nothing. */
export function about(n: number, l: Language): string {
  if (n > 0.99) return `> ${percent(0.99, l)}`
  if (n < 0.01) return `< ${percent(0.01, l)}`
  return percent(n, l)
}

/** The posterior as one bar; what nobody is known for is hatched. */
function Bar({ of: i }: { of: Inference }) {
  const t = useWhoTexts()
  const id = useId()
  const parts = [...i.candidates.map((c) => ({ name: c.uid, part: c.probability })), { name: t('none'), part: i.none }]
  const all = parts.map((x) => `${x.name} ${about(x.part, t.language)}`).join(', ')
  // Candidates beyond those that are told have the rest.
  const sum = Math.max(parts.reduce((n, x) => n + x.part, 0), 1)
  let at = 0
  return (
    <svg className={css.bar} width="100%" height="14" role="img" aria-label={t('bar', { all })}>
      <defs>
        <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="6" className={css.hatch} />
        </pattern>
      </defs>
      {parts.map((x, n) => {
        const left = at
        at += x.part / sum
        const none = n === parts.length - 1
        return (
          <rect key={n} x={`${left * 100}%`} width={`${(x.part / sum) * 100}%`} height="14" data-rank={none ? undefined : n} fill={none ? `url(#${id})` : undefined}>
            <title>{`${x.name} ${about(x.part, t.language)}`}</title>
          </rect>
        )
      })}
    </svg>
  )
}

/** The evidence, weightiest first; each piece is a question whose answer shows it. */
function Why({ of: c, finding: f }: { of: Candidate; finding: Finding }) {
  const t = useWhoTexts()
  const since = new Date(Date.parse(f.first_seen) - before).toISOString()
  const until = new Date(Date.parse(f.last_seen) + before).toISOString()
  const why = (c.why ?? []).toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
  const most = Math.max(...why.map((w) => Math.abs(w.weight)), 1)
  return (
    <div className={css.why}>
      <ul aria-label={t('why', { who: c.uid })}>
        {why.map((w, n) => (
          <li key={n}>
            <Weight of={w.weight} most={most} who={c.uid} />
            <span className={css.text}><LogText wrap>{w.text}</LogText></span>
            {w.query && (
              <To href={searchAddress(w.query, since, until)} label={`${t('records')}: ${w.text}`}>
                {t('records')}
              </To>
            )}
          </li>
        ))}
      </ul>
      <To href={personAddress(c.uid, { around: f.key })}>{t.rich('did', { who: <LogText most={40}>{c.uid}</LogText> })}</To>
    </div>
  )
}

/** How much a piece weighs: to the right it speaks for, to the left against. */
function Weight({ of: w, most, who }: { of: number; most: number; who: string }) {
  const t = useWhoTexts()
  const sign = w < 0 ? t('against') : t('for')
  const part = (Math.abs(w) / most) * 50
  return (
    <span className={css.weight} title={t('weightDoes', { who })} aria-label={`${sign} ${t('weight', { n: w.toFixed(1) })}`} role="img">
      <span className={css.scale}>
        <i data-against={w < 0 || undefined} style={w < 0 ? { right: '50%', width: `${part}%` } : { left: '50%', width: `${part}%` }} />
      </span>
      <span className="num">{w > 0 ? '+' : '−'}{Math.abs(w).toFixed(1)}</span>
    </span>
  )
}
