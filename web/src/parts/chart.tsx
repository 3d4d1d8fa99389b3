/**
 * A chart of ECharts, which comes when the first one is shown. `make` gives its
 * option from the colours in force; `label` says in words what it shows, for whoever
 * does not see it.
 */
import { useMantineColorScheme } from '@mantine/core'
import { useEffect, useRef, type ReactNode } from 'react'
import type { ECharts, Option } from './echarts'

export interface Ink {
  text: string
  dim: string
  line: string
  ink: string
  band: string
  high: string
  critical: string
  hatch: string
  background: string
  font: string
}

interface Props {
  make: (ink: Ink) => Option
  height: number
  label: string
  /** Called with the chart once it is there, for events such as a brush. */
  ready?: (chart: ECharts) => void
  children?: ReactNode
}

export function Chart({ make, height, label, ready, children }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<ECharts>(undefined)
  const latest = useRef({ make, ready })
  latest.current = { make, ready }
  const { colorScheme } = useMantineColorScheme()

  useEffect(() => {
    const el = box.current
    if (!el) return
    let gone = false
    let watch: ResizeObserver | undefined
    void import('./echarts').then(({ init }) => {
      if (gone) return
      const c = init(el, undefined, { renderer: 'svg' })
      chart.current = c
      c.setOption(drawn(latest.current.make, el))
      latest.current.ready?.(c)
      watch = new ResizeObserver(() => c.resize())
      watch.observe(el)
    })
    return () => {
      gone = true
      watch?.disconnect()
      chart.current?.dispose()
      chart.current = undefined
    }
  }, [])

  useEffect(() => {
    const el = box.current
    if (!el) return
    const draw = () => chart.current?.setOption(drawn(make, el), { notMerge: true })
    draw()
    // The system's own change of look reaches the page's colours without a render.
    const media = window.matchMedia('(prefers-color-scheme: dark)')
    media.addEventListener('change', draw)
    return () => media.removeEventListener('change', draw)
  }, [make, colorScheme])

  return (
    <figure className="chart" style={{ margin: 0 }} aria-label={label} role="img">
      <div ref={box} style={{ height }} aria-hidden="true" />
      {children}
    </figure>
  )
}

/** Axes of time are divided at midnight UTC, as their labels are written, wherever the browser is. */
function drawn(make: Props['make'], el: Element): Option {
  return { useUTC: true, ...make(inkOf(el)) }
}

/** The colours of the page, for what is not drawn by style sheets. */
export function inkOf(el: Element): Ink {
  const s = getComputedStyle(el)
  const v = (name: string) => s.getPropertyValue(name).trim()
  return {
    text: v('--y-text'),
    dim: v('--y-dim'),
    line: v('--y-line'),
    ink: v('--y-ink'),
    band: v('--y-band'),
    high: v('--y-high'),
    critical: v('--y-critical'),
    hatch: v('--y-hatch'),
    background: v('--y-bg'),
    font: v('font-family') || s.fontFamily,
  }
}
