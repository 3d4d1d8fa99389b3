import { Link } from '@tanstack/react-router'
import type { Finding } from '@/api/contract'
import { useTriageTexts } from '@/app/triage.texts'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Severity } from '@/parts/severity'
import { When } from '@/parts/when'
import { useAlsoTexts } from './also.texts'
import { WriteBack } from './write-back'
import css from './also.module.css'

/** Who else reports the trouble, or what this one is folded into or stands beside. */
export function Also({ of: f }: { of: Finding }) {
  const t = useAlsoTexts()
  const parts = f.also_reported_by.filter((r) => r.count)
  const reports = f.also_reported_by.filter((r) => !r.count)
  const theirs = f.external && f.source !== 'yagura'
  return (
    <>
      {f.folded_into && (
        <p className={css.note}>
          {t('folded')} <Link to="/findings/$key" params={{ key: f.folded_into }}>{t('leads')}</Link>
        </p>
      )}
      {f.apart && <Apart why={f.apart} />}
      {parts.length > 0 && (
        <Section title={t('parts')} note={t('partsNote')}>
          <ul className={css.list}>
            {parts.map((r) => (
              <Parts key={r.key} of={r} into={f.key} />
            ))}
          </ul>
        </Section>
      )}
      {reports.length > 0 && (
        <Section title={t('also')} note={t('alsoNote')}>
          <ul className={css.list}>
            {reports.map((r) => (
              <Report key={r.key} of={r} />
            ))}
          </ul>
        </Section>
      )}
      {theirs && f.decisions.length > 0 && <WriteBack finding={f.key} product={f.product} />}
    </>
  )
}

/** What a rule of ours says of each part: how many findings, and where they are. */
function Parts({ of: r, into }: { of: Finding['also_reported_by'][number]; into: string }) {
  const t = useAlsoTexts()
  return (
    <li>
      <div className={css.one}>
        <Severity of={r.severity} />
        <span className={css.grow}>
          <Link to="/findings" search={{ q: `folded_into:${into} rule:${r.rule ?? ''}`, show: 'all', aside: '1' }}>
            <LogText wrap>{r.title}</LogText>
          </Link>
        </span>
        <span className="num">{t('times', { count: r.count ?? 0 })}</span>
        <span className="dim num">
          <When at={r.last_seen} />
        </span>
      </div>
    </li>
  )
}

/** One report, as its product has it. */
function Report({ of: r }: { of: Finding['also_reported_by'][number] }) {
  const t = useAlsoTexts()
  const words = useTriageTexts()
  return (
    <li>
      <div className={css.one}>
        <Severity of={r.severity} />
        <span className={css.grow}>
          <LogText>{r.product}</LogText>:{' '}
          <Link to="/findings/$key" params={{ key: r.key }} aria-label={t('reports', { product: r.product })}>
            <LogText wrap>{r.title}</LogText>
          </Link>{' '}
          <span className="dim">
            <LogText copy name most={28}>{r.uid}</LogText>
          </span>
        </span>
        <span>
          {r.status_own ? <LogText>{r.status_own}</LogText> : words.word('status', r.status)} <span className="dim">({t('there')})</span>
        </span>
        {r.link?.startsWith('https://') && URL.canParse(r.link) && (
          <a href={r.link} target="_blank" rel="noopener noreferrer">
            <LogText most={30}>{new URL(r.link).hostname}</LogText> <Icon name="external" size={10} />
          </a>
        )}
        <span className="dim num">
          <When at={r.last_seen} />
        </span>
      </div>
      <WriteBack finding={r.key} product={r.product} />
    </li>
  )
}

/** Why it stands beside another. */
function Apart({ why }: { why: NonNullable<Finding['apart']> }) {
  const t = useAlsoTexts()
  return (
    <p className={css.note}>
      {t('apart')} <LogText wrap>{why.text}</LogText>{' '}
      <Link to="/findings/$key" params={{ key: why.beside }}>{t('beside')}</Link>
    </p>
  )
}
