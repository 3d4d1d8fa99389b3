import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { get, send, versionOf } from '@/api/client'
import { useSession } from '@/app/session'
import { toast } from '@/app/toast'
import { Icon } from '@/parts/icon'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { useProblem } from '@/parts/states'
import { serverNow } from '@/parts/when'
import { useTouched } from './keep'
import { useTexts } from './texts'
import { decisionAddress, kinds, verdicts, type Decision, type Kind, type Subject, type Verdict } from './types'
import css from './page.module.css'

/** A day so many days from now, in UTC, as fields of days write it. */
export function dayIn(days: number): string {
  return new Date(serverNow().getTime() + days * 86_400_000).toISOString().slice(0, 10)
}

/** Lines of a field, without those that are empty. */
export function linesOf(text: string): string[] {
  return text.split('\n').map((l) => l.trim()).filter(Boolean)
}

/** A line of evidence: words, and a link behind the last space if there is one. */
export function evidenceOf(line: string): { text: string; link?: string } {
  const at = line.lastIndexOf(' ')
  const link = line.slice(at + 1)
  return at > 0 && /^https:\/\/\S+$/.test(link) ? { text: line.slice(0, at).trim(), link } : { text: line }
}

/** Triggers that suit an advice: a fifth more items, or half as much again to save. */
export function suggestions(a: { account: string; resource_type: string; items: number | null; saving_month: number; key: string } | undefined): string[] {
  if (!a) return []
  const rounded = (n: number, step: number) => Math.ceil(n / step) * step
  return [
    ...(a.items && a.resource_type ? [`items:${a.account}:${a.resource_type}>${rounded(a.items * 1.2, 1000)}`] : []),
    ...(a.saving_month > 0 ? [`saving>${rounded(a.saving_month * 1.5, 10)}`] : []),
  ]
}

/** What a decision is about, as it is asked again. */
function asked({ kind, id, title, account }: Subject) {
  return { kind: kinds.find((k) => k === kind) ?? 'other', id, title, account }
}

interface Fields {
  title: string
  words: string
  reason: string
  owner: string
  revisit: string
  triggers: string
  saving: string
  currency: string
  evidence: string
  note: string
}

/** A new decision about one thing, or another one about what was decided before. */
export function DecisionForm({ kind, about, account, of }: { kind?: Kind; about?: string; account?: string; of?: Decision }) {
  const t = useTexts()
  const problem = useProblem()
  const navigate = useNavigate()
  const refresh = useTouched()
  const me = useSession()?.user ?? ''
  const [seen] = useState(() => (of ? versionOf('/api/decisions/{id}', { path: { id: of.id } }) : {}))
  const [verdict, setVerdict] = useState<Verdict>(of?.verdict ?? 'deferred')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const [typed, setTyped] = useState<Fields>(() => ({
    title: of?.title ?? '', words: about ?? '', reason: of?.reason ?? '', owner: of?.owner ?? me, revisit: of?.revisit ?? '',
    triggers: of?.triggers.map((x) => x.text).join('\n') ?? '', saving: of?.saving ? String(of.saving.month) : '', currency: of?.saving?.currency ?? '',
    evidence: of?.evidence.map((e) => [e.text, e.link].filter(Boolean).join(' ')).join('\n') ?? '', note: '',
  }))
  const advice = useQuery({ ...get('/api/cost/advice'), enabled: kind === 'advice', retry: false })
  const advised = advice.data?.advice.find((a) => a.key === about)
  const finding = useQuery({ ...get('/api/findings/{key}', { path: { key: about ?? '' } }), enabled: kind === 'finding' && !!about, retry: false })
  const known = finding.data?.title ?? advised?.title
  const set = (name: keyof Fields) => (e: { currentTarget: { value: string } }) => {
    const { value } = e.currentTarget
    setTyped((was) => ({ ...was, [name]: value }))
  }
  const put = (name: keyof Fields, value: string) => setTyped((was) => ({ ...was, [name]: value }))
  const close = () => void (of ? navigate({ to: '/decisions/$id', params: { id: of.id } }) : navigate({ to: '/decisions' }))

  const keep = async () => {
    const triggers = linesOf(typed.triggers)
    if (verdict === 'deferred' && !typed.revisit && triggers.length === 0) return setWrong(t('needsDay'))
    setBusy(true)
    setWrong('')
    const subjects = of ? of.about.map(asked) : [{ kind: kind ?? 'other', id: kind === 'other' ? typed.words.trim() : (about ?? ''), account }]
    const body = {
      title: typed.title.trim() || undefined, about: subjects, verdict, reason: typed.reason.trim(),
      owner: typed.owner.trim() || undefined, accounts: of?.accounts, revisit: typed.revisit || undefined, triggers, evidence: linesOf(typed.evidence).map(evidenceOf),
      saving: typed.saving.trim() ? { month: typed.saving.trim(), currency: typed.currency.trim() || (advised?.currency ?? 'USD') } : undefined, note: typed.note.trim() || undefined,
    }
    try {
      const made = of ? await send('put', '/api/decisions/{id}', { path: { id: of.id }, body }, seen) : await send('post', '/api/decisions/new', { body }, { 'Idempotency-Key': crypto.randomUUID() })
      toast({ text: t('savedAs', { title: made.title }) })
      await refresh()
      await navigate({ to: '/decisions/$id', params: { id: made.id } })
    } catch (e) {
      setWrong(problem(e))
      setBusy(false)
    }
  }
  const submit = (e: FormEvent) => {
    e.preventDefault()
    void keep()
  }
  const title = of ? t('editing', { title: of.title }) : t('newTitle')
  return (
    <Page title={title} answer={of ? t.rich('editing', { title: <LogText wrap>{of.title}</LogText> }) : t('newTitle')} more={!of && kind !== 'other' && <LogText wrap>{known ?? about}</LogText>} actions={<To href={of ? decisionAddress(of.id) : '/decisions'} className={css.back}><Icon name="left" size={11} /> {t('back')}</To>}>
      <form className={css.form} onSubmit={submit}>
        {!of && kind === 'other' && <Textarea label={t('aboutWords')} required withAsterisk={false} autosize minRows={1} maxRows={6} maxLength={8000} value={typed.words} onChange={set('words')} />}
        <Select
          label={t('verdict')} description={t(`verdictDoes.${verdict}`)} allowDeselect={false} value={verdict} onChange={(v) => setVerdict((v as Verdict | null) ?? 'deferred')}
          data={verdicts.map((v) => ({ value: v, label: t(`verdict.${v}`) }))} className={css.short}
        />
        <Textarea label={t('reason')} description={t('reasonHint')} required withAsterisk={false} autosize minRows={2} maxRows={10} maxLength={8000} value={typed.reason} onChange={set('reason')} />
        <div className={css.two}>
          <TextInput label={t('owner')} description={t('ownerHint')} value={typed.owner} onChange={set('owner')} maxLength={512} />
          <div>
            <TextInput type="date" label={t('revisit')} description={t('revisitHint')} value={typed.revisit} onChange={set('revisit')} />
            <span className={css.chips}>{([[30, 'in30'], [90, 'in90'], [180, 'in180']] as const).map(([n, key]) => <button key={n} type="button" onClick={() => put('revisit', dayIn(n))}>{t(key)}</button>)}</span>
          </div>
        </div>
        <div>
          <Textarea label={t('triggers')} description={t('triggersHint')} autosize minRows={2} maxRows={8} spellCheck={false} classNames={{ input: css.mono }} value={typed.triggers} onChange={set('triggers')} />
          <p className={css.hint}>{t('triggerForms')}</p>
          {suggestions(advised).filter((s) => !linesOf(typed.triggers).includes(s)).map((s) => (
            <p key={s} className={css.suggest}><code><LogText>{s}</LogText></code> <button type="button" onClick={() => put('triggers', [...linesOf(typed.triggers), s].join('\n'))}>{t('suggest')}</button></p>
          ))}
        </div>
        <div className={css.two}>
          <TextInput label={t('saving')} description={t('savingHint')} inputMode="decimal" value={typed.saving} onChange={set('saving')} maxLength={64} placeholder={advised && advised.saving_month > 0 ? String(advised.saving_month) : undefined} />
          <TextInput label={t('currency')} description={'\u00a0'} value={typed.currency} onChange={set('currency')} maxLength={3} placeholder={advised?.currency ?? 'USD'} />
        </div>
        <Textarea label={t('evidenceField')} description={t('evidenceHint')} autosize minRows={1} maxRows={8} value={typed.evidence} onChange={set('evidence')} />
        <TextInput label={t('name')} description={t('nameHint')} value={typed.title} onChange={set('title')} maxLength={512} />
        {of && <TextInput label={t('noteField')} value={typed.note} onChange={set('note')} maxLength={2000} />}
        {wrong && <p role="alert" className={css.wrong}><LogText wrap>{wrong}</LogText></p>}
        <div className={css.row}>
          <Button type="submit" loading={busy} disabled={!typed.reason.trim() || (kind === 'other' && !of && !typed.words.trim())}>{t('keep')}</Button>
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
        </div>
      </form>
    </Page>
  )
}
