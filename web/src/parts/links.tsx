import { useRouter } from '@tanstack/react-router'
import type { MouseEvent, ReactNode } from 'react'

/** An address within the console, made of words that may be anything. */
export function address(path: string, search: Record<string, string | undefined>): string {
  const set = Object.entries(search).filter((e): e is [string, string] => !!e[1])
  return set.length ? `${path}?${new URLSearchParams(set)}` : path
}

/** A link to a page by its address; it opens without loading the console anew. */
export function To({ href, children, className, current, label }: { href: string; children: ReactNode; className?: string; current?: boolean ; label?: string }) {
  const router = useRouter()
  return (
    <a
      href={href}
      className={className}
      aria-label={label}
      title={label}
      aria-current={current ? 'page' : undefined}
      onClick={(e: MouseEvent) => {
        if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return
        e.preventDefault()
        router.history.push(href)
      }}
    >
      {children}
    </a>
  )
}

/** Events, on the search page. */
export function searchAddress(q: string, since?: string, until?: string): string {
  return address('/search', { q, since, until })
}
