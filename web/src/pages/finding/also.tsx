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
  const theirs = f.external && f.source !== 'yagura'
  return (
    <>
      {f.folded_into && (
        <p className={css.note}>
          {t('folded')} <Link to="/findings/$key" params={{ key: f.folded_into }}>{t('leads')}</Link>
        </p>
      )}
      {f.apart && <Apart why={f.apart} />}
      {f.also_reported_by.length > 0 && (
        <Section title={t('also')} note={t('alsoNote')}>
          <ul className={css.list}>
            {f.also_reported_by.map((r) => (
              <Report key={r.key} of={r} />
            ))}
          </ul>
        </Section>
      )}
      {theirs && f.decisions.length > 0 && <WriteBack finding={f.key} product={f.product} />}
    </>
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
