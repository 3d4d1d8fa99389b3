import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { get } from '@/api/client'
import type { Event, Finding } from '@/api/contract'
import { Outcome, Record } from '@/parts/event'
import { useEventTexts } from '@/parts/event.texts'
import { after, eventsOf } from '@/parts/finding'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { column, Table, type Column } from '@/parts/table'
import { When } from '@/parts/when'
import { useTexts } from './texts'

/** The events that the finding rests on; a row opens to the record. */
export function Evidence({ of: f }: { of: Finding }) {
  const t = useTexts()
  const words = useEventTexts()
  const evidence = useQuery(get('/api/findings/{key}/evidence', { path: { key: f.key } }))
  const [open, setOpen] = useState<string>()
  const columns = useMemo(() => columnsOf(f.kind, words), [f.kind, words])
  const all = eventsOf(f)
  return (
    <Section
      title={t('evidence')}
      note={evidence.data && evidence.data.events.length < f.count ? t('evidenceShown', { n: evidence.data.events.length, count: f.count }) : undefined}
      actions={all && <To href={searchAddress(all, f.first_seen, after(f.last_seen))}>{t('openSearch')}</To>}
    >
      <Asked of={evidence} lines={4}>
        {({ events, missing = [] }) => {
          const opened = events.find((e) => e.uid === open)
          return (
            <>
              <Table
                label={t('evidence')} rows={events} columns={columns} rowKey={(e) => e.uid} height={280} at={open} onOpen={(e) => setOpen(open === e.uid ? undefined : e.uid)} cardHeight={64}
                card={(e) => (
                  <>
                    <div><When at={e.time} as="exact" /> <b><LogText>{e.api_operation}</LogText></b></div>
                    <div className="dim"><Outcome of={e.outcome} /> <LogText name most={34}>{e.resource_uid}</LogText></div>
                  </>
                )}
              />
              {missing.length > 0 && (
                <p className="dim">
                  <span className="unknown" style={{ display: 'inline-block', width: 14, height: 10 }} /> {t('evidenceMissing', { count: missing.length })}
                </p>
              )}
              {opened && <Record of={opened} />}
            </>
          )
        }}
      </Asked>
    </Section>
  )
}

/** The columns that tell most for a kind. */
export function columnsOf(kind: string, t: ReturnType<typeof useEventTexts>): Column<Event>[] {
  const c = {
    time: column<Event>('time', t('time'), (e) => <When at={e.time} as="exact" />, { width: 128, by: (e) => e.time }),
    operation: column<Event>('operation', t('operation'), (e) => <LogText>{e.api_operation}</LogText>, { grow: 2, by: (e) => e.api_operation ?? '' }),
    who: column<Event>('who', t('session'), (e) => <LogText name most={32}>{e.actor_session || e.actor_name || e.actor_uid}</LogText>, { grow: 2, above: 560, by: (e) => e.actor_session ?? '' }),
    resource: column<Event>('resource', t('resource'), (e) => <LogText name most={34}>{e.resource_uid}</LogText>, { grow: 2, above: 680, by: (e) => e.resource_uid ?? '' }),
    from: column<Event>('from', t('from'), (e) => <LogText mono>{e.src_ip || e.src_host}</LogText>, { width: 130, by: (e) => e.src_ip ?? '' }),
    agent: column<Event>('agent', t('agent'), (e) => <LogText>{e.user_agent}</LogText>, { grow: 2, above: 760, by: (e) => e.user_agent ?? '' }),
    caller: column<Event>('caller', t('caller'), (e) => t.word('caller', e.caller), { width: 96, above: 420, by: (e) => e.caller }),
    region: column<Event>('region', t('region'), (e) => <LogText>{e.region}</LogText>, { width: 110, above: 420, by: (e) => e.region ?? '' }),
    outcome: column<Event>('outcome', t('outcome'), (e) => <Outcome of={e.outcome} />, { width: 150, by: (e) => e.outcome }),
    error: column<Event>('error', t('error'), (e) => <LogText>{e.status_code}</LogText>, { width: 130, above: 620, by: (e) => e.status_code ?? '' }),
  }
  switch (kind) {
    case 'anomaly.caller':
    case 'anomaly.view':
      return [c.time, c.operation, c.caller, c.who, c.agent, c.from]
    case 'anomaly.region':
      return [c.time, c.operation, c.region, c.from, c.who, c.resource]
    case 'anomaly.failures':
    case 'anomaly.denials':
      return [c.time, c.operation, c.outcome, c.error, c.resource, c.from]
    case 'anomaly.frequency':
    case 'anomaly.group':
      return [c.time, c.operation, c.resource, c.who, c.caller, c.from]
  }
  return [c.time, c.operation, c.who, c.resource, c.from, c.outcome]
}
