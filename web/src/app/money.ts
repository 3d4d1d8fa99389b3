/** Money as people read it, in every language alike, and as the commands write it: say/money.go in the repository's root has the rules, say/testdata/money.json cases for both. */

/** "3,745.08 USD": with the cents of its currency, and more digits only below a cent. */
export function money(n: number, currency: string): string {
  const cents = centsOf(currency)
  return coded(n, currency, leading(n) < -cents ? figures(n) : cents)
}

/** Money that a choice hangs on: below ten it keeps four figures, "-1.056 USD". */
export function saving(n: number, currency: string): string {
  return coded(n, currency, leading(n) < 1 ? figures(n) : 0)
}

/** Money of one unit, which may be a millionth: with all its digits. */
export function price(n: number, currency: string): string {
  return coded(n, currency, 20)
}

/** Minor units of ISO 4217 that are not two decimals. */
const centless: [number, string][] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
]

/** Currencies come from bills and may be no code. */
const centsOf = (currency: string) => centless.find(([, codes]) => currency.length === 3 && codes.includes(currency))?.[0] ?? 2

/** Where the first figure stands: 2 of 345, -2 of 0.03. */
const leading = (n: number) => Number(n.toExponential().split('e')[1])

/** How many decimals show four figures. */
const figures = (n: number) => Math.min(20, 3 - leading(n))

const forms = new Map<string, Intl.NumberFormat>()

function coded(n: number, currency: string, most: number): string {
  const cents = centsOf(currency)
  const digits = { minimumFractionDigits: cents, maximumFractionDigits: Math.max(cents, most) }
  const key = Object.values(digits).join()
  const form = forms.get(key) ?? new Intl.NumberFormat('en', { ...digits, signDisplay: 'negative' })
  forms.set(key, form)
  return `${form.format(n)}\u00a0${currency}`.trim() // on one line with its code
}
