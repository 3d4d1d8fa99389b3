import { useEffect, useRef } from 'react'
import { To } from './links'
import css from './tabs.module.css'

interface Props {
  label: string
  tabs: { href: string; text: string; current: boolean }[]
  children?: React.ReactNode
}

/** Pages beside each other, as a line of links. */
export function Tabs({ label, tabs, children }: Props) {
  const nav = useRef<HTMLElement>(null)
  const at = tabs.find((x) => x.current)?.href
  // On a phone the line is wider than the page, and the page that is shown may stand outside.
  useEffect(() => nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [at])
  return (
    <nav ref={nav} className={css.tabs} aria-label={label}>
      {tabs.map((x) => (
        <To key={x.href} href={x.href} current={x.current}>
          {x.text}
        </To>
      ))}
      {children}
    </nav>
  )
}
