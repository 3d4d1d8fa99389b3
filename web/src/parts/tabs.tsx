import { To } from './links'
import css from './tabs.module.css'

interface Props {
  label: string
  tabs: { href: string; text: string; current: boolean }[]
  children?: React.ReactNode
}

/** Pages beside each other, as a line of links. */
export function Tabs({ label, tabs, children }: Props) {
  return (
    <nav className={css.tabs} aria-label={label}>
      {tabs.map((x) => (
        <To key={x.href} href={x.href} current={x.current}>
          {x.text}
        </To>
      ))}
      {children}
    </nav>
  )
}
