/** What a finding looks like in lists: its sentence, who and what, when. */
import { Tooltip } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Finding } from '@/api/contract'
import { term } from '@/app/filter'
import { useTriageTexts } from '@/app/triage.texts'
import { searchAddress, To } from './links'
import { LogText, shorten } from './log-text'
import css from './finding.module.css'

/** The sentence of a finding: the first reason that says what was seen. */
export function sentenceOf(f: Pick<Finding, 'reasons' | 'title'>): string {
  return f.reasons.find((r) => r.text)?.text ?? f.title
}

/** The person, where one is known, and else the principal. */
export function whoOf(f: Pick<Finding, 'actor' | 'person' | 'anomaly'>): string {
  return f.person || f.anomaly?.person || f.actor
}

/** The filter over events that a finding is of, as far as its fields say. */
export function eventsOf(f: Finding): string {
  const person = f.person || f.anomaly?.person
  const several = (f.anomaly?.resources?.length ?? 0) > 1
  return [person ? term('session', person) : f.actor && term('actor', f.actor), f.resource && !several && term('resource', f.resource)].filter(Boolean).join(' ')
}

/** The moment after: until is not included. */
export function after(at: string): string {
  return new Date(new Date(at).getTime() + 1000).toISOString()
}

/** The sentence, with what was seen in it leading to the events. */
export function Sentence({ of: f }: { of: Finding }) {
  const text = sentenceOf(f)
  const seen = f.reasons.find((r) => r.text === text)?.observed
  const at = seen ? text.indexOf(seen) : -1
  const alone = at >= 0 && seen && !/[\p{L}\p{N}]/u.test((text[at - 1] ?? ' ') + (text[at + seen.length] ?? ' '))
  const q = eventsOf(f)
  if (!alone || !q || text.length > 1200) return <LogText wrap>{text}</LogText>
  return (
    <bdi dir="auto">
      <LogText wrap>{text.slice(0, at)}</LogText>
      <To href={searchAddress(q, f.first_seen, after(f.last_seen))} className={css.seen}>
        <LogText wrap>{seen}</LogText>
      </To>
      {text.slice(at + seen.length) && <LogText wrap>{text.slice(at + seen.length)}</LogText>}
    </bdi>
  )
}

/** Leads to a finding. */
export function FindingLink({ of, most }: { of: Pick<Finding, 'key' | 'title'>; most?: number }) {
  return (
    <Link to="/findings/$key" params={{ key: of.key }} className={css.title}>
      <LogText most={most}>{of.title}</LogText>
    </Link>
  )
}

/** Where it is in its life, and what was decided, in a word. */
export function Standing({ of }: { of: Pick<Finding, 'status' | 'verdict' | 'explained_by' | 'assignee'> }) {
  const t = useTriageTexts()
  const [why] = of.explained_by
  const said = of.verdict ? t.word('verdict', of.verdict) : t.word('status', of.status)
  return (
    <span className={css.standing} data-status={of.status}>
      {why && !of.verdict && (
        <Tooltip label={<bdi>{shorten(why.text, 300)}</bdi>}>
          <span className={css.explained}>{t('accountedFor')}</span>
        </Tooltip>
      )}
      {(!why || of.verdict) && said}
      {of.assignee && (
        <>
          {' · '}
          <LogText most={16}>{of.assignee}</LogText>
        </>
      )}
    </span>
  )
}

/** Who else reports it. */
export function AlsoBy({ of }: { of: Pick<Finding, 'also_reported_by'> }) {
  const t = useTriageTexts()
  const products = [...new Set(of.also_reported_by.filter((r) => !r.count).map((r) => r.product))]
  if (products.length === 0) return null
  return <span className={css.also}>{t.rich('alsoBy', { products: <LogText most={60}>{products.join(', ')}</LogText> })}</span>
}

/** Kind and sign, as people say it. */
export function useKind(): (kind: string) => string {
  const t = useTriageTexts()
  return (kind) => t.word('kind', kind)
}

