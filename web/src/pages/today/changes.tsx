import { Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Today } from '@/api/contract'
import { clock, day, moment } from '@/app/format'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import css from './page.module.css'

const most = 6

/** What is there now that was not, what went quiet, and what we do not know. */
export function Changes({ of }: { of: Today }) {
  const t = useTexts()
  const { principals, regions, resources, quiet } = of.changes
  const nothing =
    of.changes.known && !of.windows.ended.length && !principals.length && !regions.length && !resources.length && !quiet.length && !of.coverage.gaps.length && !of.windows.open.length && !of.windows.next.length
  if (nothing) return <p className="dim">{t('noChanges')}</p>
  return (
    <>
      <Group title={t('windowsOpen')} items={of.windows.open} row={(w) => [<LogText key="t">{w.title}</LogText>, t.rich('until', { when: <When at={w.now?.end ?? w.end} /> })]} />
      <Group title={t('silent')} hatched items={of.coverage.gaps} row={(g) => [<Gap key="g" of={g} />, null]} />
      {!of.changes.known && (
        <p className={css.unknown}>
          <span className="unknown" /> {t('notKnown')}
        </p>
      )}
      <Group title={t('windowsEnded')} items={of.windows.ended} row={(w) => [<LogText key="t">{w.window.title}</LogText>, t('windowExplained', { count: w.explained })]} />
      <Group title={t('principals')} items={principals} row={(p) => [<LogText key="a" name most={40} copy>{p.actor}</LogText>, <When key="w" at={p.first_seen} />]} />
      <Group title={t('regions')} items={regions} row={(r) => [<span key="r">{r.region} <span className="faint">{r.account}</span></span>, <When key="w" at={r.first_seen} />]} />
      <Group title={t('resources')} items={resources} row={(r) => [<Secret key="r" of={r} />, <When key="w" at={r.first_seen} />]} />
      <Group title={t('quiet')} items={quiet} row={(r) => [<Secret key="r" of={r} />, t.rich('lastUse', { when: <When at={r.last_use} /> })]} />
      <Group title={t('windowsNext')} items={of.windows.next} row={(w) => [<LogText key="t">{w.title}</LogText>, <When key="w" at={w.next?.start ?? w.start} />]} />
    </>
  )
}

/** A stretch of time of which the log is not whole; the numbers it is known by are in the tooltip. */
function Gap({ of: g }: { of: Today['coverage']['gaps'][number] }) {
  const t = useTexts()
  const sameDay = day(g.from, t.language) === day(g.to, t.language)
  return (
    <Tooltip label={<bdi>{g.reason}</bdi>}>
      <span>
        {t(`gap.${g.kind}`)} · <LogText>{g.account}</LogText> <LogText>{g.region}</LogText>
        <br />
        <span className="dim">{t('gapSpan', { from: moment(g.from, t.language), to: sameDay ? clock(g.to, t.language) : moment(g.to, t.language) })} UTC</span>
      </span>
    </Tooltip>
  )
}

function Secret({ of }: { of: { resource: string; name: string } }) {
  return (
    <To href={address('/secrets/one', { resource: of.resource })}>
      <LogText most={40}>{of.name || of.resource}</LogText>
    </To>
  )
}

function Group<T>({ title, items, row, hatched }: { title: string; items: readonly T[]; row: (x: T) => [ReactNode, ReactNode]; hatched?: boolean }) {
  const t = useTexts()
  if (items.length === 0) return null
  return (
    <section className={css.group} data-hatched={hatched || undefined}>
      <h3>
        {title} <span className="num">{items.length}</span>
      </h3>
      <ul>
        {items.slice(0, most).map((x, i) => {
          const [what, when] = row(x)
          return (
            <li key={i}>
              <span>{what}</span>
              {when && <span className="dim">{when}</span>}
            </li>
          )
        })}
      </ul>
      {items.length > most && <p className="faint">{t('more', { count: items.length - most })}</p>}
    </section>
  )
}
