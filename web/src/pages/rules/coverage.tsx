import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { get } from '@/api/client'
import { useKeys } from '@/app/keys'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { counted, type Coverage, type Rule } from './choose'
import { Count, RuleTabs, Source } from './page'
import { useTexts } from './texts'
import css from './coverage.module.css'

const page = getRouteApi('/in/rules/coverage')
type Technique = Coverage['tactics'][number]['techniques'][number]

/** ATT&CK's matrix as far as rules are about it: what was found, what is looked for, what no record speaks of. */
export function RuleCoverage() {
  const t = useTexts()
  const { technique } = page.useSearch()
  const navigate = useNavigate()
  const coverage = useQuery(get('/api/rules/coverage'))
  const n = coverage.data && counted(coverage.data)
  const choose = (id: string | undefined) => void navigate({ to: '/rules/coverage', search: { technique: id === technique ? undefined : id }, replace: true })
  useKeys(t('matrix'), [{ keys: 'Escape', label: t('close'), run: () => choose(undefined) }], !!technique)
  const chosen = coverage.data?.tactics.flatMap((x) => x.techniques).find((x) => x.id === technique)
  return (
    <Page
      title={t('tabCoverage')} answer={n ? t('coverageAnswer', { count: n.all, present: n.present, fired: n.fired }) : t('tabCoverage')}
      more={coverage.data && t(coverage.data.rules_without_technique > 0 ? 'coverageMore' : 'coverageOf', { count: coverage.data.rules_without_technique, version: coverage.data.version })}
    >
      <RuleTabs at="coverage" />
      <Asked of={coverage} lines={12}>
        {(c) => (
          <>
            <Legend />
            {chosen && <About of={chosen} onClose={() => choose(undefined)} />}
            <div className={css.matrix} role="group" aria-label={t('matrix')} tabIndex={0}>
              {c.tactics.map((tactic) => (
                <section key={tactic.id} className={css.tactic} data-empty={tactic.techniques.length === 0 || undefined}>
                  <h2 title={tactic.id}>{tactic.name} <span className="faint">{tactic.techniques.length || ''}</span></h2>
                  {tactic.techniques.length === 0 && <p className="faint">{t('noTechnique')}</p>}
                  <ul>
                    {tactic.techniques.map((x) => (
                      <li key={x.id}>
                        <button type="button" className={`${css.cell} ${x.state === 'covered' ? 'unknown' : ''}`} data-state={x.state} aria-pressed={x.id === technique} title={`${x.id} ${x.name}: ${t(`stateSays.${x.state}`)}`} onClick={() => choose(x.id)}>
                          <span><LogText>{x.name || t('unnamed')}</LogText></span>
                          <small>{x.id} · {t('rulesAbout', { count: x.rules.length })}</small>
                          {x.findings > 0 && <small><b>{t('findingsAbout', { count: x.findings })}</b></small>}
                          <span className="hidden-but-read">{t(`state.${x.state}`)}</span>
                        </button>
                      </li>
                    ))}
                  </ul>
                </section>
              ))}
            </div>
            <p className="dim">{t('coverageNote')}</p>
          </>
        )}
      </Asked>
    </Page>
  )
}

function Legend() {
  const t = useTexts()
  return (
    <p className={css.legend}>
      {(['fired', 'present', 'covered'] as const).map((s) => (
        <span key={s} title={t(`stateSays.${s}`)}><i className={`${css.cell} ${s === 'covered' ? 'unknown' : ''}`} data-state={s} /> {t(`state.${s}`)}</span>
      ))}
    </p>
  )
}

/** The rules about one technique. */
function About({ of: x, onClose }: { of: Technique; onClose: () => void }) {
  const t = useTexts()
  const rules = useQuery(get('/api/rules'))
  return (
    <section className={css.about} aria-label={x.name || x.id}>
      <header>
        <h2>{x.id} <LogText>{x.name}</LogText></h2>
        <span className="dim">{t(`stateSays.${x.state}`)} {x.findings > 0 && t('findingsAbout', { count: x.findings })}</span>
        <button type="button" aria-label={t('close')} onClick={onClose}><Icon name="close" size={12} /></button>
      </header>
      <Asked of={rules} lines={3}>
        {(all) => (
          <ul>
            {x.rules.map((id) => all.rules.find((r) => r.id === id)).filter((r): r is Rule => !!r).sort((a, b) => b.findings - a.findings).map((r) => (
              <li key={r.id}>
                <Severity of={r.level || 'informational'} />
                <span><Link to="/rules/$id" params={{ id: r.id }}><LogText>{r.title}</LogText></Link></span>
                <Source of={r} /> <span className="num"><Count of={r.findings} strong /></span>
              </li>
            ))}
          </ul>
        )}
      </Asked>
    </section>
  )
}
