import { Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Today } from '@/api/contract'
import { clock, day, moment } from '@/app/format'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import css from './page.module.css'

/** What is there now that was not, what went quiet, and what we do not know. */
export function Changes({ of }: { of: Today }) {
  const t = useTexts()
  const { principals, regions, resources, quiet } = of.changes
  const nothing =
    of.changes.known && !of.windows.ended.length && !principals.length && !regions.length && !resources.length && !quiet.length && !of.coverage.gaps.length && !of.windows.open.length && !of.windows.next.length
  if (nothing) return <p className="dim">{t('noChanges')}</p>
  return (
    <>
      <Group
        title={t('windowsOpen')} items={alike(of.windows.open)} count={of.windows.open.length} most={3} all="/exceptions?show=windows"
        row={([w, ...more]) => [<Planned key="t" of={w} alike={more.length} />, t.rich('until', { when: <When at={w.now?.end ?? w.end} /> })]}
      />
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

type Window = Today['windows']['open'][number]

/** Windows of the same time and kinds together: shifts of many teams are one thing to know. */
function alike(all: readonly Window[]): [Window, ...Window[]][] {
  const out = new Map<string, [Window, ...Window[]]>()
  for (const w of all) {
    const key = JSON.stringify([w.now?.start, w.now?.end ?? w.end, w.kinds])
    const met = out.get(key)
    if (met) met.push(w)
    else out.set(key, [w])
  }
  return [...out.values()]
}

function Planned({ of: w, alike }: { of: Window; alike: number }) {
  const t = useTexts()
  return (
    <>
      <LogText>{w.title}</LogText>
      {alike > 0 && <span className="dim"> {t('alike', { count: alike })}</span>}
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

interface GroupProps<T> {
  title: string
  items: readonly T[]
  row: (x: T) => [ReactNode, ReactNode]
  hatched?: boolean
  /** How many there are, where a row stands for several. */
  count?: number
  most?: number
  /** Where all of them are. */
  all?: string
}

function Group<T>({ title, items, row, hatched, count = items.length, most = 6, all }: GroupProps<T>) {
  const t = useTexts()
  if (items.length === 0) return null
  return (
    <section className={css.group} data-hatched={hatched || undefined}>
      <h3>
        {title} <span className="num">{count}</span>
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
      {items.length > most && <p className="faint">{all ? <To href={all}>{t('more', { count: items.length - most })}</To> : t('more', { count: items.length - most })}</p>}
    </section>
  )
}
