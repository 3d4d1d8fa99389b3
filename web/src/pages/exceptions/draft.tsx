import { Button, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, Problem, send, versionOf } from '@/api/client'
import type { Finding } from '@/api/contract'
import { useMay, useSession } from '@/app/session'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { serverNow } from '@/parts/when'
import { Asked, useProblem } from '@/parts/states'
import { useKeep } from './keep'
import { PreviewBox, rangeOf, usePreview } from './preview'
import { everything, ScopeField } from './scope'
import { useTexts } from './texts'
import type { Exception } from './types'
import { here, instant, wall } from './zone'
import css from './page.module.css'

/** One exception: a new one, from a finding as a rule, or one there is. */
export function ExceptionDraft({ id, scope, from }: { id?: string; scope: string; from: string }) {
  const t = useTexts()
  const kept = useQuery({ ...get('/api/exceptions/{id}', { path: { id: id ?? '' } }), enabled: !!id })
  const source = useQuery({ ...get('/api/findings/{key}', { path: { key: from || (kept.data?.evidence[0] ?? '') } }), enabled: !!from || !!kept.data?.evidence[0], retry: false })
  const title = id ? t('draftChange', { title: kept.data?.title ?? '' }) : t('draftNew')
  return (
    <Page
      title={title} answer={id ? <LogText wrap>{title}</LogText> : title}
      actions={<To href="/exceptions">{t('back')}</To>}
      more={source.data && t.rich('madeFromRich', { title: <To href={`/findings/${encodeURIComponent(source.data.key)}`}><LogText most={90}>{source.data.title}</LogText></To> })}
    >
      {id ? (
        <Asked of={kept}>{(x) => <Form key={x.id} of={x} finding={source.data} scope={x.scope} from="" />}</Asked>
      ) : source.isLoading ? null : (
        <Form finding={source.data} scope={scope} from={from} />
      )}
    </Page>
  )
}

function Form({ of: x, finding: f, scope: given, from }: { of?: Exception; finding?: Finding; scope: string; from: string }) {
  const t = useTexts()
  const problem = useProblem()
  const { busy, wrong, setWrong, keep } = useKeep()
  const [seen] = useState(() => (x ? versionOf('/api/exceptions/{id}', { path: { id: x.id } }) : {}))
  const me = useSession()?.user ?? ''
  const responder = useMay('responder')
  const analyst = useMay('analyst')
  const zone = here()
  const [scope, setScope] = useState(given)
  const [until, setUntil] = useState(x?.until ? wall(x.until, zone) : inDays(90, zone))
  const [days, setDays] = useState(() => rangeOf(f?.last_seen, serverNow().getTime()))
  const { asked, waiting } = usePreview(scope, days)
  const unreadable = asked.error instanceof Problem && [400, 422].includes(asked.error.status) ? problem(asked.error) : undefined
  const readOnly = x ? !(responder || (analyst && x.state === 'proposed' && x.by === me)) : !analyst
  const ends = instant(until, zone)

  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    if (!ends || new Date(ends) <= serverNow()) return setWrong(t('needUntil'))
    const title = String(form.get('title')).trim()
    const body = { title, scope: scope.trim(), owner: String(form.get('owner')).trim(), reason: String(form.get('reason')).trim(), until: ends }
    void keep(
      () =>
        x
          ? send('patch', '/api/exceptions/{id}', { path: { id: x.id }, body: { ...body, ...(responder ? { state: 'active' as const } : {}) } }, seen)
          : send('post', '/api/exceptions', { body: { ...body, evidence: from ? [from] : [], state: responder ? 'active' : 'proposed' } }, { 'Idempotency-Key': crypto.randomUUID() }),
      (made) => t(made.state === 'proposed' ? 'savedProposed' : 'saved', { title: made.title }),
    )
  }
  const revoke = (x: Exception) => void keep(() => send('delete', '/api/exceptions/{id}', { path: { id: x.id } }, seen), () => t('revoked', { title: x.title }))

  return (
    <div className={css.draft}>
      <form className={css.form} onSubmit={submit}>
        <TextInput name="title" label={t('fieldTitle')} defaultValue={x?.title ?? f?.title.slice(0, 200) ?? ''} required withAsterisk={false} maxLength={512} readOnly={readOnly} />
        <ScopeField label={t('scope')} value={scope} onChange={setScope} of={f} error={unreadable} readOnly={readOnly} />
        <Textarea name="reason" label={t('reason')} defaultValue={x?.reason} required withAsterisk={false} autosize minRows={2} maxRows={8} maxLength={4000} readOnly={readOnly} />
        <div className={css.two}>
          <TextInput name="owner" label={t('fieldOwner')} defaultValue={x?.owner ?? me} required withAsterisk={false} maxLength={128} readOnly={readOnly} />
          <TextInput type="datetime-local" label={t('fieldUntil', { zone })} value={until} onChange={(e) => setUntil(e.currentTarget.value)} required withAsterisk={false} readOnly={readOnly} />
        </div>
        {!readOnly && (
          <div className={css.days}>
            {[7, 30, 90, 180].map((n) => (
              <button key={n} type="button" onClick={() => setUntil(inDays(n, zone))}>
                {t('untilDays', { count: n })}
              </button>
            ))}
          </div>
        )}
        {x && (
          <p className="dim">
            {t.word('state', x.state)} · {t('explains')} {x.explains} · <LogText>{x.by}</LogText>
          </p>
        )}
        {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
        {!readOnly && (
          <div className={css.row}>
            <Button type="submit" loading={busy} disabled={everything(scope) || !!unreadable} title={everything(scope) ? t('scopeWide') : undefined}>
              {!responder ? t('propose') : x?.state === 'active' ? t('save') : t('activate')}
            </Button>
            {x && (x.state === 'active' || x.state === 'proposed') && (
              <Button variant="default" onClick={() => revoke(x)} disabled={busy} title={t('revokeDoes')}>
                {t('revoke')}
              </Button>
            )}
            {!responder && <span className="dim">{t('proposeNote')}</span>}
          </div>
        )}
      </form>
      <PreviewBox asked={asked} waiting={waiting} days={days} onDays={setDays} none={everything(scope)} />
    </div>
  )
}

/** So many days from now, at the end of that day. */
function inDays(n: number, zone: string): string {
  return `${wall(new Date(serverNow().getTime() + n * 86_400_000), zone).slice(0, 10)}T23:59`
}

