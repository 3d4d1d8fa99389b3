/** Times of a wall clock in a zone, as <input type="datetime-local"> has them: 2026-03-25T09:00. */

/** The zone of the reader. */
export const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

export function isZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone || 'UTC' })
    return true
  } catch {
    return false
  }
}

/** What a clock in the zone shows at a time. */
export function wall(at: string | Date, zone: string): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return ''
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: isZone(zone) ? zone || 'UTC' : 'UTC', hourCycle: 'h23',
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
  }).formatToParts(date)
  const of = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`
}

/**
 * The time at which a clock in the zone shows this; '' for what is no time. Of an
 * hour that takes place twice it is the first, of one that is left out the one after.
 */
export function instant(local: string, zone: string): string {
  const as = new Date(`${local}:00Z`).getTime()
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(local) || Number.isNaN(as) || !isZone(zone)) return ''
  const offset = (at: number) => new Date(`${wall(new Date(at), zone)}:00Z`).getTime() - at
  const found = [as - offset(as - 86_400_000), as - offset(as + 86_400_000)].toSorted((a, b) => a - b)
  const right = found.find((at) => wall(new Date(at), zone) === local) ?? found[1]
  return new Date(right ?? as).toISOString().replace('.000Z', 'Z')
}

/** The zones that the browser knows, the reader's own and UTC first. */
export function zones(): string[] {
  const all = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : []
  return [...new Set([here(), 'UTC', ...all])]
}
