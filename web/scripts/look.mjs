// Takes pictures of pages, to look at:
//
//   node scripts/look.mjs --url http://127.0.0.1:8484 --out /tmp/pictures [--cookie NAME=VALUE | --token TOKEN] \
//     [--only light,ja,phone] [--do 'press j; press e; click .x; wait 500'] /findings '/findings?show=all' …
//
// It says what the browser complained of, policy violations first, and which pages
// scroll sideways; then it fails. Needs a Chromium (CHROMIUM, /usr/bin/chromium).
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'

const args = process.argv.slice(2)
const flags = {}
const pages = []
while (args.length) {
  const a = args.shift()
  if (a.startsWith('--')) flags[a.slice(2)] = args.shift()
  else pages.push(a)
}
const url = flags.url ?? 'http://127.0.0.1:8484'
const out = flags.out ?? 'pictures'
mkdirSync(out, { recursive: true })

const wide = { width: 1280, height: 800 }
const phone = { width: 390, height: 844 }
const looks = {
  light: { viewport: wide, colorScheme: 'light', locale: 'en-GB' },
  dark: { viewport: wide, colorScheme: 'dark', locale: 'en-GB' },
  ja: { viewport: wide, colorScheme: 'light', locale: 'ja-JP' },
  phone: { viewport: phone, colorScheme: 'light', locale: 'en-GB', hasTouch: true, isMobile: true },
  'phone-ja': { viewport: phone, colorScheme: 'dark', locale: 'ja-JP', hasTouch: true, isMobile: true },
}
const chosen = flags.only ? flags.only.split(',') : Object.keys(looks)

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
})
let bad = 0
for (const look of chosen) {
  const context = await browser.newContext({ ...looks[look], timezoneId: 'Asia/Tokyo', extraHTTPHeaders: flags.token ? { Authorization: `Bearer ${flags.token}` } : {} })
  if (flags.cookie) {
    const [name, value] = flags.cookie.split('=')
    await context.addCookies([{ name, value, url }])
  }
  for (const path of pages) {
    const page = await context.newPage()
    const told = []
    page.on('console', (m) => (m.type() === 'error' || m.type() === 'warning') && told.push(m.text()))
    page.on('pageerror', (e) => told.push(String(e)))
    await page.goto(url + path, { waitUntil: 'load' })
    await page.waitForTimeout(Number(flags.wait ?? 1200))
    for (const step of (flags.do ?? '').split(';').map((s) => s.trim()).filter(Boolean)) {
      const [what, ...rest] = step.split(' ')
      const arg = rest.join(' ')
      if (what === 'press') await page.keyboard.press(arg)
      else if (what === 'click') await page.click(arg)
      else if (what === 'type') await page.keyboard.type(arg)
      else if (what === 'wait') await page.waitForTimeout(Number(arg))
      else if (what === 'scroll') await page.evaluate((y) => document.querySelector('#page')?.scrollTo(0, y), Number(arg))
      else throw new Error(`--do: ${what} is not press, click, type, wait or scroll`)
      await page.waitForTimeout(150)
    }
    const name = `${(path.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'today').slice(0, 60)}-${flags.name ? `${flags.name}-` : ''}${look}`
    await page.screenshot({ path: `${out}/${name}.png` })
    const sideways = await page.evaluate(() => {
      const main = document.querySelector('#page') ?? document.documentElement
      return Math.max(document.documentElement.scrollWidth - window.innerWidth, main.scrollWidth - main.clientWidth)
    })
    if (sideways > 1) told.push(`scrolls sideways by ${sideways} px`)
    for (const t of told) console.error(`${name}: ${t}`)
    bad += told.length
    await page.close()
  }
  await context.close()
}
await browser.close()
process.exit(bad ? 1 : 0)
