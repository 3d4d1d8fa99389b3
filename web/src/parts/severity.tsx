import { useParts } from './texts'
import css from './severity.module.css'

export const severities = ['critical', 'high', 'medium', 'low', 'informational'] as const

/** A shape of its own for each: what colour says is never said by colour alone. */
const shapes: Record<string, React.ReactNode> = {
  critical: <path d="M8 0 16 8 8 16 0 8ZM7 3.5V9H9V3.5ZM7 10.5V12.5H9V10.5Z" fillRule="evenodd" />,
  high: <path d="M8 1 16 15H0Z" />,
  medium: <path d="M1.5 1.5H14.5V14.5H1.5ZM3.5 3.5V8H12.5V3.5Z" fillRule="evenodd" />,
  low: <path d="M8 1.5A6.5 6.5 0 1 1 8 14.5 6.5 6.5 0 1 1 8 1.5ZM8 3.5A4.5 4.5 0 1 0 8 12.5 4.5 4.5 0 1 0 8 3.5Z" fillRule="evenodd" />,
  informational: <path d="M8 5.5A2.5 2.5 0 1 1 8 10.5 2.5 2.5 0 1 1 8 5.5Z" />,
}

/** Severity as a shape, and as a word where there is room. */
export function Severity({ of, word }: { of: string; word?: boolean }) {
  const t = useParts()
  const said = t.word('severity', of)
  return (
    <span className={css.severity} data-severity={of} title={word ? undefined : said}>
      <svg viewBox="0 0 16 16" width="11" height="11" aria-hidden="true">
        {shapes[of] ?? shapes.informational}
      </svg>
      <span className={word ? undefined : 'hidden-but-read'}>{said}</span>
    </span>
  )
}
