import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import type { Event, Finding } from '@/api/contract'
import { term } from '@/app/filter'
import { compact, day, number } from '@/app/format'
import { FindingLink } from '@/parts/finding'
import { address, searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { useEventTexts } from '@/parts/event.texts'
import { Histogram } from './histogram'
import { useTexts } from './texts'
import css from './record.module.css'

const before = 14 * 86_400_000
const after = 86_400_000
const fields = ['api_operation', 'resource_uid', 'caller', 'region', 'src_ip', 'account_uid']

/** The session, where it is a person's own in a role that several share. */
export function personOf(e: Pick<Event, 'actor_session' | 'actor_type' | 'caller'>): string | undefined {
  return e.actor_type === 'role' && (e.caller === 'console' || e.caller === 'person_cli') ? e.actor_session || undefined : undefined
}

/** The filter that finds whoever did it: the principal, a person's session of it, or the credential where that is all there is. */
export function whoTerm(e: Event): string | undefined {
  const person = personOf(e)
  if (e.actor_uid && person) return `${term('actor', e.actor_uid)} ${term('session', person)}`
  if (e.actor_uid) return term('actor', e.actor_uid)
  if (e.actor_credential_uid) return term('key', e.actor_credential_uid)
  return undefined
}

/** The two weeks before an event and the day after it. */
export function around(at: string): { since: string; until: string } {
  const ms = new Date(at).getTime()
  return { since: new Date(ms - before).toISOString(), until: new Date(ms + after).toISOString() }
}

/** Who did this: what else they do, from where, and what was found of them. */
export function Who({ of: e }: { of: Event }) {
  const t = useTexts()
  const q = whoTerm(e)
  if (!q) return <p className="dim">{t('whoNobody')}</p>
  return <Known of={e} q={q} />
}

function Known({ of: e, q }: { of: Event; q: string }) {
  const t = useTexts()
  const words = useEventTexts()
  const times = around(e.time)
  const counts = useQuery(get('/api/search/histogram', { query: { q, ...times, buckets: 60 } }))
  const values = useQuery(get('/api/search/fields', { query: { q, ...times, fields, most: 6 } }))
  const hour = { since: new Date(new Date(e.time).getTime() - 1_800_000).toISOString(), until: new Date(new Date(e.time).getTime() + 1_800_000).toISOString() }
  const name = <LogText name most={48} copy>{personOf(e) ?? (e.actor_uid || e.actor_credential_uid)}</LogText>
  return (
    <>
      <Asked of={counts} lines={3}>
        {(c) => (
          <>
            <p>{t.rich('whoAnswer', { who: name, count: c.total, n: number(c.total, t.language), since: day(c.since, t.language), until: day(times.until, t.language) })}</p>
            <Histogram of={c} height={56} />
          </>
        )}
      </Asked>
      <p className={css.links}>
        <To href={searchAddress(q)}>{t('whoAll')}</To>
        <To href={searchAddress(q, hour.since, hour.until)}>{t('whoAround')}</To>
        {e.resource_uid && <To href={searchAddress(term('resource', e.resource_uid))}>{t('whoResource')}</To>}
      </p>
      <Asked of={values} lines={4}>
        {(v) => (
          <div className={css.tops}>
            {v.fields.filter((f) => f.values.some((x) => x.value !== '')).map((f) => (
              <section key={f.field}>
                <h3><code>{f.field}</code></h3>
                <ul>
                  {f.values.filter((x) => x.value !== '').map((x) => (
                    <li key={x.value}>
                      <To href={searchAddress(`${q} ${term(f.field, x.value)}`, times.since, times.until)}>
                        <LogText name most={24}>{f.field === 'caller' ? words.word('caller', x.value) : x.value}</LogText>
                      </To>
                      <span className="dim num">{v.sampled && '≈'}{compact(x.count, t.language)}</span>
                    </li>
                  ))}
                </ul>
              </section>
            ))}
          </div>
        )}
      </Asked>
      {e.actor_uid && <FindingsOf field="actor" value={e.actor_uid} uid={e.uid} />}
      {e.resource_uid && <FindingsOf field="resource" value={e.resource_uid} uid={e.uid} />}
    </>
  )
}

/** What was found of a principal or on a resource; what rests on this very event comes first. */
function FindingsOf({ field, value, uid }: { field: 'actor' | 'resource'; value: string; uid: string }) {
  const t = useTexts()
  const q = term(field, value)
  const found = useQuery(get('/api/findings', { query: { q, limit: 50 } }))
  return (
    <section>
      <h3>{t(field === 'actor' ? 'whoFindings' : 'resourceFindings')}</h3>
      <Asked of={found} lines={2}>
        {({ findings }) => {
          const rank = (f: Finding) => (f.evidence.includes(uid) ? 1 : 0)
          const of = findings.filter((f) => f[field] === value).sort((a, b) => rank(b) - rank(a) || b.priority - a.priority)
          if (of.length === 0) return <p className="dim">{t('whoFindingsNone')}</p>
          return (
            <>
              <ul className={css.findings}>
                {of.slice(0, 6).map((f) => (
                  <li key={f.key}><Severity of={f.severity} /> <span><FindingLink of={f} /></span> {rank(f) > 0 && <b>{t('evidenceOf')}</b>}</li>
                ))}
              </ul>
              {of.length > 6 && <To href={address('/findings', { q, show: 'all' })}>{t('findingsAll')}</To>}
            </>
          )
        }}
      </Asked>
    </section>
  )
}
