import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { get, Problem, send, versionOf } from '@/api/client'
import { day } from '@/app/format'
import { useMay } from '@/app/session'
import { toast } from '@/app/toast'
import { Field, Fields } from '@/parts/field'
import { Icon } from '@/parts/icon'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Asked, Loading, useProblem } from '@/parts/states'
import { When } from '@/parts/when'
import { personAddress } from '@/pages/person/page'
import { Compare } from './compare'
import { EntryForm } from './form'
import { ImpliedList } from './implied'
import { useTouched } from './keep'
import { useTexts } from './texts'
import { entryAddress, type Entry } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/projects/one')

/** One project's entry: what was applied for, held beside what is used and allowed, and its history. */
export function RegisterEntry() {
  const t = useTexts()
  const { project = '', show, add } = page.useSearch()
  const navigate = useNavigate()
  const may = useMay('responder')
  const entry = useQuery({ ...get('/api/register/projects/{project}', { path: { project } }), enabled: !!project, retry: false })
  const absent = entry.error instanceof Problem && entry.error.status === 404
  const e = absent ? undefined : entry.data
  const name = <LogText most={50}>{project}</LogText>
  const editing = may && (show === 'edit' || show === 'new')
  const close = () => void navigate(project ? { to: '/projects/one', search: { project } } : { to: '/projects' })
  const back = <To href="/projects" className={css.back}><Icon name="left" size={11} /> {t('back')}</To>
  if (editing && (!project || absent || e)) {
    return (
      <Page title={t(e ? 'title' : 'new')} answer={e ? t.rich('editing', { project: name }) : t('new')} actions={back}>
        <EntryForm key={project} of={e} project={project} add={add} close={close} />
      </Page>
    )
  }
  return (
    <Page
      title={project || t('title')}
      answer={e ? (e.services.length ? t.rich('says', { project: name, services: t('servicesCount', { count: e.services.length }) }) : t.rich('saysNothing', { project: name })) : absent ? t.rich('notRegistered', { project: name }) : name}
      more={absent ? t('notRegisteredMore') : e?.purpose && <LogText wrap>{e.purpose}</LogText>}
      actions={
        <>
          {back}
          {may && (e || absent) && <To href={entryAddress(project, { show: e ? 'edit' : 'new' })} className={css.button}>{t(e ? 'edit' : 'makeEntry')}</To>}
          {may && e && <Remove of={e} />}
        </>
      }
    >
      {absent ? null : <Asked of={entry} lines={6}>{(e) => <Facts of={e} />}</Asked>}
      {project && <Beside project={project} />}
      {project && <History project={project} />}
    </Page>
  )
}

function Facts({ of: e }: { of: Entry }) {
  const t = useTexts()
  const person = (who: string) => (who.includes('@') ? <To href={personAddress(who)}><LogText>{who}</LogText></To> : <LogText>{who}</LogText>)
  return (
    <>
      <Fields>
        {e.name && <Field name={t('name')}><LogText>{e.name}</LogText></Field>}
        <Field name={t('applicant')}>{person(e.applicant)}</Field>
        <Field name={t('owner')}>{person(e.owner)}</Field>
        {e.approver && <Field name={t('approver')}>{person(e.approver)}</Field>}
        <Field name={t('applied')}>{e.applied ? e.applied.slice(0, 10) : <span className="faint">–</span>}</Field>
        <Field name={t('approved')}>{e.approved ? e.approved.slice(0, 10) : t('notApproved')}</Field>
        {e.provider && <Field name={t('provider')}><LogText>{e.provider}</LogText></Field>}
      </Fields>
      <Section title={t('services')}>
        <ul className={css.services}>
          {e.services.map((s) => (
            <li key={s.id}>
              <LogText>{s.name}</LogText> {s.name !== s.id && <span className="faint"><LogText>{s.id}</LogText></span>}{' '}
              <span className="dim">{[s.from && t('from', { day: day(s.from, t.language) }), s.until && t('until', { day: day(s.until, t.language) })].filter(Boolean).join(' ')}</span>{' '}
              {s.note && <span className="dim"><LogText wrap>{s.note}</LogText></span>}
            </li>
          ))}
        </ul>
        {e.implied.length > 0 && (
          <>
            <h3 className={css.sub}>{t('implies')}</h3>
            <ImpliedList of={e.implied} />
          </>
        )}
      </Section>
    </>
  )
}

function Beside({ project }: { project: string }) {
  const compared = useQuery(get('/api/register/projects/{project}/compare', { path: { project } }))
  return <Asked of={compared} lines={5}>{(c) => <Compare of={c} />}</Asked>
}

function History({ project }: { project: string }) {
  const t = useTexts()
  const history = useQuery({ ...get('/api/register/projects/{project}/history', { path: { project } }), retry: false })
  if (history.error) return null
  if (!history.data) return <Loading lines={3} />
  return (
    <Section title={t('history')}>
      {history.data.changes.length === 0 && <p className="dim">{t('historyNone')}</p>}
      <ol className={css.history}>
        {history.data.changes.map((c, i) => (
          <li key={i}>
            <span className="dim"><When at={c.at} /></span>
            <span>
              {t.rich('did', { who: <LogText>{c.by}</LogText>, what: t(!c.before ? 'made' : c.after ? 'changed' : 'took') })}
              {c.added.map((s) => <span key={s} className={css.added}>+ <LogText>{s}</LogText></span>)}
              {c.removed.map((s) => <span key={s} className={css.removed}>− <LogText>{s}</LogText></span>)}
              {c.note && <span className="dim"> · <LogText wrap>{c.note}</LogText></span>}
            </span>
          </li>
        ))}
      </ol>
    </Section>
  )
}

/** Removing asks once more where it stands. */
function Remove({ of: e }: { of: Entry }) {
  const t = useTexts()
  const problem = useProblem()
  const navigate = useNavigate()
  const refresh = useTouched()
  const [sure, setSure] = useState(false)
  const remove = async () => {
    try {
      const path = { project: e.project }
      await send('delete', '/api/register/projects/{project}', { path }, versionOf('/api/register/projects/{project}', { path }))
      toast({ text: t('removed', { project: e.project }) })
      await refresh()
      void navigate({ to: '/projects' })
    } catch (x) {
      toast({ text: problem(x), bad: true })
    }
  }
  if (!sure) return <Button variant="subtle" size="compact-sm" onClick={() => setSure(true)}>{t('remove')}</Button>
  return (
    <span className={css.row} role="alertdialog" aria-label={t('removeSure', { project: e.project })}>
      {t('removeSure', { project: e.project })}
      <Button color="red" size="compact-sm" onClick={() => void remove()}>{t('remove')}</Button>
      <Button variant="default" size="compact-sm" onClick={() => setSure(false)}>{t('cancel')}</Button>
    </span>
  )
}
