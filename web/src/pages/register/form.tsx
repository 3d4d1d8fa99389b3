import { Button, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { send, versionOf, type Ask } from '@/api/client'
import { toast } from '@/app/toast'
import { LogText } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { WishImplies } from './implied'
import { useTouched } from './keep'
import { useTexts } from './texts'
import type { Entry } from './types'
import css from './page.module.css'

type Body = Ask<'/api/register/projects/{project}', 'put'>['body']

/** Services as they stand in the box, one a line. */
export function linesOf(text: string): string[] {
  return [...new Set(text.split(/[\n,;]/).map((s) => s.trim().toLowerCase()).filter(Boolean))]
}

/** The body of a change: what was typed, with what is known of services that stay. */
export function bodyOf(typed: Record<string, string>, before: Entry | undefined): Body {
  const day = (d: string | undefined) => (d ? `${d}T00:00:00Z` : undefined)
  return {
    provider: typed.provider, name: typed.name, applicant: typed.applicant, owner: typed.owner, purpose: typed.purpose, approver: typed.approver, note: typed.note,
    applied: day(typed.applied), approved: day(typed.approved),
    services: linesOf(typed.services ?? '').map((id) => {
      const had = before?.services.find((s) => s.id === id)
      return { id, from: had?.from, until: had?.until, note: had?.note }
    }),
  }
}

const fields = ['name', 'provider', 'applicant', 'owner', 'purpose', 'approver'] as const

/** The form at intake and for changes; it says what a wish implies while one types. */
export function EntryForm({ of, project: given, add, close }: { of: Entry | undefined; project: string; add: string | undefined; close: () => void }) {
  const t = useTexts()
  const problem = useProblem()
  const navigate = useNavigate()
  const refresh = useTouched()
  const [project, setProject] = useState(given)
  const [typed, setTyped] = useState<Record<string, string>>(() => ({
    ...Object.fromEntries(fields.map((f) => [f, of?.[f] ?? ''])),
    applied: of?.applied?.slice(0, 10) ?? '',
    approved: of?.approved?.slice(0, 10) ?? '',
    services: [...(of?.services.map((s) => s.id) ?? []), ...(add ? [add] : [])].join('\n'),
    note: '',
  }))
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const [settled] = useDebouncedValue(typed.services ?? '', 250)
  const services = useMemo(() => linesOf(settled), [settled])
  const set = (name: string) => (e: { currentTarget: { value: string } }) => {
    const { value } = e.currentTarget
    setTyped((was) => ({ ...was, [name]: value }))
  }
  const save = async () => {
    setBusy(true)
    setWrong('')
    const id = project.trim()
    try {
      const tag = of ? versionOf('/api/register/projects/{project}', { path: { project: id } }) : { 'If-None-Match': '*' }
      await send('put', '/api/register/projects/{project}', { path: { project: id }, body: bodyOf(typed, of) }, tag)
      toast({ text: t('saved', { project: id }) })
      await refresh()
      void navigate({ to: '/projects/one', search: { project: id } })
    } catch (e) {
      setWrong(problem(e))
    }
    setBusy(false)
  }
  return (
    <form
      className={css.form}
      onSubmit={(e) => {
        e.preventDefault()
        void save()
      }}
    >
      <div className={css.fields}>
        <TextInput label={t('project')} description={t('projectHint')} required value={project} disabled={!!of || !!given} onChange={(e) => setProject(e.currentTarget.value)} />
        <TextInput label={t('name')} value={typed.name} onChange={set('name')} />
        <TextInput label={t('applicant')} description={t('whoHint')} value={typed.applicant} onChange={set('applicant')} />
        <TextInput label={t('owner')} value={typed.owner} onChange={set('owner')} />
        <TextInput label={t('provider')} value={typed.provider} onChange={set('provider')} placeholder="Google Cloud" />
        <TextInput label={t('approver')} value={typed.approver} onChange={set('approver')} />
        <TextInput type="date" label={t('applied')} value={typed.applied} onChange={set('applied')} />
        <TextInput type="date" label={t('approved')} value={typed.approved} onChange={set('approved')} />
      </div>
      <TextInput label={t('purpose')} value={typed.purpose} onChange={set('purpose')} maxLength={2000} />
      <div className={css.wish}>
        <Textarea
          label={t('services')} description={t('servicesHint')} value={typed.services} onChange={set('services')} autosize minRows={5} maxRows={16} spellCheck={false}
          classNames={{ input: css.mono }}
        />
        <WishImplies services={services} onAdd={(s) => setTyped((was) => ({ ...was, services: [...linesOf(was.services ?? ''), s].join('\n') }))} />
      </div>
      <TextInput label={t('note')} description={t('noteHint')} value={typed.note} onChange={set('note')} maxLength={2000} />
      {wrong && <p role="alert" className={css.wrong}><LogText wrap>{wrong}</LogText></p>}
      <div className={css.row}>
        <Button type="submit" loading={busy} disabled={!project.trim()}>{t('save')}</Button>
        <Button variant="default" onClick={close}>{t('cancel')}</Button>
      </div>
    </form>
  )
}
