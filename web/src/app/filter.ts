/**
 * The filter language as far as the console writes it: `field:value`, joined by
 * spaces (and), a minus for not. It is read by the server alone.
 */

/** A value as the language takes it: in quotes where it needs them. */
export function quoted(value: string): string {
  // Behind a field's colon two slashes would make the whole an address, which is text.
  return !value.startsWith('//') && /^[\p{L}\p{N}_.@/:][\p{L}\p{N}_.@/:-]*$/u.test(value) && !/^(and|or|not)$/i.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** One condition. */
export function term(field: string, value: string, not = false): string {
  return `${not ? '-' : ''}${field}:${quoted(value)}`
}

/** Adds a condition to a filter, or takes it out when it is there. */
export function toggled(filter: string, field: string, value: string, not = false): string {
  const t = term(field, value, not)
  const parts = conditions(filter)
  const without = parts.filter((p) => p !== t)
  if (without.length < parts.length) return without.join(' ')
  // "a or b" needs its brackets before anything is added to it.
  const whole = parts.some((p) => /^or$/i.test(p)) ? `(${filter.trim()})` : parts.join(' ')
  return whole ? `${whole} ${t}` : t
}

export function has(filter: string, field: string, value: string, not = false): boolean {
  return conditions(filter).includes(term(field, value, not))
}

/** Splits at spaces that are not in quotes or brackets. */
export function conditions(filter: string): string[] {
  const out: string[] = []
  let depth = 0
  let inside = false
  let from = 0
  for (let i = 0; i <= filter.length; i++) {
    const c = filter[i]
    if (c === '\\') i++
    else if (c === '"') inside = !inside
    else if (!inside && c === '(') depth++
    else if (!inside && c === ')') depth--
    if (c === undefined || (!inside && depth <= 0 && /\s/.test(c))) {
      if (i > from) out.push(filter.slice(from, i))
      from = i + 1
    }
  }
  return out
}
