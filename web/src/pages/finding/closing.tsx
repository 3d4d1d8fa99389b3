import { Button, SegmentedControl } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { get, send, type Answer } from '@/api/client'
import type { DecisionBody, Finding } from '@/api/contract'
import { useMay } from '@/app/session'
import { toast } from '@/app/toast'
import { useTriage } from '@/app/triage'
import { useTriageTexts } from '@/app/triage.texts'
import { Command } from '@/parts/copy'
import { Icon } from '@/parts/icon'
import { To } from '@/parts/links'
import { entryAddress } from '@/pages/register/types'
import { LogText, useCopy } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked, useProblem } from '@/parts/states'
import { useParts } from '@/parts/texts'
import { useWhoTexts } from './who.texts'
import css from './who.module.css'

type Drafts = Answer<'/api/findings/{key}/drafts', 'get'>

/** What somebody was about to do, and which service that brought along. */
export function WhatFor({ of: f }: { of: Finding }) {
  const t = useWhoTexts()
  const known = useQuery({ ...get('/api/companions'), enabled: !!f.implied_service, staleTime: 3600_000 })
  if (!f.intent && !f.implied_service) return null
  const services = known.data?.services ?? []
  const named = (id: string) => services.find((s) => s.id === id)?.name ?? services.flatMap((s) => s.brings).find((b) => b.service === id)?.name ?? id
  const by = f.register_gap?.needed_by
  const said = f.reasons.find((r) => r.kind === 'intent')?.text
  const bond = services.find((s) => s.id === by)?.brings.find((b) => b.service === f.implied_service)
  return (
    <Section title={t('what')}>
      {f.intent && <p>{said ? <LogText wrap>{said}</LogText> : t.rich('intent', { intent: <LogText>{f.intent}</LogText> })}</p>}
      {f.implied_service && (
        <p>
          {by
            ? t.rich('brought', { by: <b><LogText>{named(by)}</LogText></b>, service: <b><LogText>{named(f.implied_service)}</LogText></b> })
            : t.rich('implied', { service: <b><LogText>{named(f.implied_service)}</LogText></b> })}
          {bond && (
            <span className="dim">
              {' '}
              {bond.why} ({t(bond.always ? 'always' : 'sometimes')}).{' '}
              {bond.source.startsWith('https://') ? (
                <a href={bond.source} target="_blank" rel="noopener noreferrer">{t('source')} <Icon name="external" size={10} /></a>
              ) : (
                t('seen')
              )}
            </span>
          )}
        </p>
      )}
    </Section>
  )
}

/** What the project applied for, and what is missing. */
export function AppliedFor({ of: f }: { of: Finding }) {
  const t = useWhoTexts()
  const gap = f.register_gap
  if (!gap) return null
  const values = { project: <b><LogText>{gap.project}</LogText></b>, service: <b><LogText>{gap.service}</LogText></b> }
  return (
    <Section title={t('gap')} actions={<To href={entryAddress(gap.project)}>{t('toRegister')}</To>}>
      <p>{gap.needed_by ? t.rich('gapSays', { ...values, by: <b><LogText>{gap.needed_by}</LogText></b> }) : t.rich('gapSaysAlone', values)}</p>
      <ul className={css.facts} aria-label={t('applied')}>
        {gap.applied.map((s) => <li key={s}><LogText>{s}</LogText></li>)}
        {gap.applied.length === 0 && <li>{t('appliedNothing')}</li>}
        <li data-missing><LogText>{gap.service}</LogText> · {t('missing')}</li>
      </ul>
    </Section>
  )
}

/** The verdict that the evidence speaks for, to take or leave. */
export function Proposed({ of: f }: { of: Finding }) {
  const t = useWhoTexts()
  const words = useTriageTexts()
  const { decide, may } = useTriage()
  const p = f.proposed_verdict
  if (!p) return null
  const taken = f.verdict === p.verdict && f.verdict_reason === p.reason
  const said = t('proposedSays', { verdict: words.word('verdict', p.verdict), reason: words.word('reason', p.reason) })
  const accept = () => void decide([f], { verdict: p.verdict as DecisionBody['verdict'], reason: p.reason, status: 'resolved' }, said)
  return (
    <Section title={t('proposed')}>
      <div className={css.proposal}>
        <div className={css.line}>
          <b>{said}</b>
          {may && !taken && <Button size="compact-sm" onClick={accept}>{t('accept')}</Button>}
          {taken && <span className="dim"><Icon name="check" size={12} /> {t('accepted')}</span>}
        </div>
        <ul>{p.why.map((w) => <li key={w}><LogText wrap>{w}</LogText></li>)}</ul>
        <p className="dim">{!taken && may && t('other')} {p.reason === 'application_gap' && t('after')}</p>
      </div>
    </Section>
  )
}

/** What would close it: to read, copy, send or apply. */
export function ClosingDrafts({ of: f }: { of: Finding }) {
  const t = useWhoTexts()
  // Without a gap they say why nothing is asked for, and the policy's change stays where the register has the service by now.
  const about = !!(f.register_gap || f.implied_service)
  const drafts = useQuery({ ...get('/api/findings/{key}/drafts', { path: { key: f.key } }), enabled: about })
  if (!about) return null
  return (
    <Section title={t('drafts')} note={t('draftsNote')}>
      <Asked of={drafts} lines={4}>
        {(d) => (
          <>
            {d.why && <p className="dim"><LogText wrap>{d.why}</LogText></p>}
            {d.messages.length > 0 && <Letter of={d.messages} />}
            {d.register && <Change of={d.register} finding={f.key} />}
            {d.policy && <Policy of={d.policy} />}
          </>
        )}
      </Asked>
    </Section>
  )
}

function Letter({ of }: { of: Drafts['messages'] }) {
  const t = useWhoTexts()
  const [language, setLanguage] = useState<string>(t.language)
  const parts = useParts()
  const [copied, copy] = useCopy()
  const m = of.find((x) => x.language === language) ?? of[0]
  if (!m) return null
  return (
    <div className={css.draft}>
      <h3>
        {t('message')}
        <SegmentedControl size="xs" aria-label={t('language')} value={m.language} onChange={setLanguage} data={of.map((x) => ({ value: x.language, label: t.word('lang', x.language) }))} />
      </h3>
      <dl className={css.letter}>
        <dt>{t('to')}</dt>
        <dd><LogText copy>{m.to}</LogText></dd>
        <dt>{t('subject')}</dt>
        <dd lang={m.language}><LogText wrap copy>{m.subject}</LogText></dd>
      </dl>
      <div className={css.body} lang={m.language}>
        {m.body.trim().split('\n\n').map((p, i) => <p key={i}><LogText wrap>{p.replaceAll('\n', ' ')}</LogText></p>)}
      </div>
      <Button variant="default" size="compact-sm" onClick={() => copy(m.body)}>{copied ? parts('copied') : t('copyBody')}</Button>
    </div>
  )
}

function Change({ of: c, finding }: { of: NonNullable<Drafts['register']>; finding: string }) {
  const t = useWhoTexts()
  const may = useMay('responder')
  const queries = useQueryClient()
  const problem = useProblem()
  const [busy, setBusy] = useState(false)
  const apply = async () => {
    setBusy(true)
    try {
      await send('put', '/api/register/projects/{project}', { path: { project: c.project }, body: c.body }, { 'If-Match': c.etag })
      toast({ text: t('appliedDone', { project: c.project, services: c.adds.join(', ') }) })
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    setBusy(false)
    for (const path of ['/api/findings/{key}/drafts', '/api/findings/{key}', '/api/findings']) void queries.invalidateQueries({ queryKey: [path] })
    void queries.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/api/register/') })
  }
  return (
    <div className={css.draft} data-finding={finding}>
      <h3>
        <span>{t('change')} <span className="dim">{t.rich('adds', { project: <LogText>{c.project}</LogText> })}</span></span>
        {may ? <Button size="compact-sm" loading={busy} onClick={() => void apply()}>{t('apply')}</Button> : <span className="dim">{t('applyNeeds')}</span>}
      </h3>
      <ul className={css.diff}>
        {c.after.services.map((s) => <li key={s.id} data-added={c.adds.includes(s.id) || undefined}><LogText>{s.id}</LogText></li>)}
      </ul>
    </div>
  )
}

function Policy({ of: p }: { of: NonNullable<Drafts['policy']> }) {
  const t = useWhoTexts()
  return (
    <div className={css.draft}>
      <h3>
        <span>{t('policy')} <span className="dim">{t('policyNote')}</span></span>
        {p.source?.startsWith('https://') && <a href={p.source} target="_blank" rel="noopener noreferrer">{t('source')} <Icon name="external" size={10} /></a>}
      </h3>
      {p.note && <p><LogText wrap>{p.note}</LogText></p>}
      {p.text && <Command name={p.file ?? t('copyPolicy')}>{p.text}</Command>}
      {p.commands.map((c) => <Command key={c} name={t('copyCommand')}>{c}</Command>)}
    </div>
  )
}
