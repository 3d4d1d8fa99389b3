/** The hours of a week, as they are where the reader is. */
import type { SecretDetail } from './types'

export interface Hour {
  /** 0 is Monday: weeks of work are read from there. */
  day: number
  hour: number
  calls: number
  /** Weeks in which this hour is known, and in which it is not. */
  known: number
  unknown: number
}

/**
 * Shifts hours of UTC by an offset in minutes. Where the offset is not whole hours,
 * an hour of UTC lies in two of ours: it goes to the one in which it begins, and the
 * picture says that its hours begin at that minute.
 */
export function week(of: Pick<SecretDetail, 'heat' | 'heat_known'>, offset: number, caller?: string): Hour[][] {
  const grid = Array.from({ length: 7 }, (_, day) =>
    Array.from({ length: 24 }, (_, hour): Hour => ({ day, hour, calls: 0, known: 0, unknown: 0 })),
  )
  const at = (weekday: number, hour: number): Hour | undefined => {
    const hours = weekday * 24 + hour + Math.floor(offset / 60)
    const shifted = ((hours % 168) + 168) % 168
    return grid[(Math.floor(shifted / 24) + 6) % 7]?.[shifted % 24]
  }
  for (const h of of.heat_known) {
    const cell = at(h.weekday, h.hour)
    if (!cell) continue
    cell.known += h.known
    cell.unknown += h.unknown
  }
  for (const h of of.heat) {
    const cell = at(h.weekday, h.hour)
    if (cell && (caller === undefined || h.caller === caller)) cell.calls += h.calls
  }
  return grid
}

/** At which minute our hours begin, when those of UTC are shifted by offset. */
export function minuteOf(offset: number): number {
  return ((offset % 60) + 60) % 60
}

/** Minutes that local time is ahead of UTC. */
export function offsetHere(at = new Date()): number {
  return -at.getTimezoneOffset()
}

/** "UTC+9", "UTC-3:30", "UTC". */
export function zoneName(offset: number): string {
  if (offset === 0) return 'UTC'
  const abs = Math.abs(offset)
  const minutes = abs % 60
  return `UTC${offset < 0 ? '-' : '+'}${Math.floor(abs / 60)}${minutes ? `:${String(minutes).padStart(2, '0')}` : ''}`
}

/** A step of 0 (none) to 5 for calls, by orders rather than parts: rare hours stay seen beside busy ones. */
export function shade(calls: number, most: number): number {
  if (calls <= 0 || most <= 0) return 0
  if (most === 1) return 5
  return 1 + Math.round((Math.log(calls) / Math.log(most)) * 4)
}
