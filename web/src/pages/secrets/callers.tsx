import { Tooltip } from '@mantine/core'
import { number } from '@/app/format'
import { useEventTexts } from '@/parts/event.texts'
import { bandsOf } from './days'
import css from './page.module.css'

/** Which kinds of callers use it, as a bar and in words. */
export function Callers({ of }: { of: readonly { caller: string; calls: number }[] }) {
  const words = useEventTexts()
  if (of.length === 0) return <span className="faint">–</span>
  const bands = bandsOf(of)
  const calls = (names: string[]) => of.filter((c) => names.includes(c.caller)).reduce((n, c) => n + c.calls, 0)
  return (
    <Tooltip label={of.map((c) => `${words.word('caller', c.caller)}: ${number(c.calls, words.language)}`).join(' · ')}>
      <span className={css.callers}>
        <span className={css.bar} aria-hidden="true">
          {bands.map((b, i) => <i key={i} data-rank={i} style={{ flexGrow: Math.max(calls(b.of), 1) }} />)}
        </span>
        <span className={css.callerNames}>{of.map((c) => words.word('caller', c.caller)).join(', ')}</span>
      </span>
    </Tooltip>
  )
}
