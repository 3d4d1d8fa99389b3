// Scrolls a list as with a wheel and says how many frames took longer than 50 ms, and
// how much processor time the page itself took for one, which does not depend on what
// else the machine does:
//
//   node scripts/scroll.mjs --url http://127.0.0.1:8484 --token TOKEN [--seconds 5] /findings?show=all /cases?show=all
//
// Needs a Chromium (CHROMIUM, /usr/bin/chromium).
import { chromium } from 'playwright-core'

const args = process.argv.slice(2)
const flags = {}
const pages = []
while (args.length) {
  const a = args.shift()
  if (a.startsWith('--')) flags[a.slice(2)] = args.shift()
  else pages.push(a)
}
const seconds = Number(flags.seconds ?? 5)
const slow = 50

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
})
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, extraHTTPHeaders: { Authorization: `Bearer ${flags.token}` } })
for (const path of pages) {
  const page = await context.newPage()
  await page.goto(flags.url + path, { waitUntil: 'load' })
  await page.waitForSelector('[role=row]:nth-child(5), tbody tr:nth-child(5)')
  await page.waitForTimeout(2000)
  const box = await page.locator('[role=row], tbody tr').nth(4).boundingBox()
  await page.mouse.move(box.x + 200, box.y + box.height / 2)
  await page.evaluate(() => {
    window.frames50 = []
    let before = performance.now()
    const frame = (now) => {
      window.frames50.push(now - before)
      before = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })
  const probe = await context.newCDPSession(page)
  await probe.send('Performance.enable', { timeDomain: 'threadTicks' })
  const spent = async () => Object.fromEntries((await probe.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value * 1000]))
  const before = await spent()
  const until = Date.now() + seconds * 1000
  let turns = 0
  while (Date.now() < until) {
    await page.mouse.wheel(0, 300)
    turns++
    await page.waitForTimeout(30)
  }
  const after = await spent()
  const each = (name) => ((after[name] - before[name]) / all.length).toFixed(1)
  const all = (await page.evaluate(() => window.frames50)).slice(1)
  const sorted = all.toSorted((a, b) => a - b)
  const down = await page.evaluate(() => Math.max(...[...document.querySelectorAll('*')].map((e) => e.scrollTop)))
  console.log(
    `${path}: ${all.length} frames in ${seconds} s of scrolling (${turns} turns of the wheel, ${Math.round(down)} px down), ` +
      `${all.filter((f) => f > slow).length} over ${slow} ms, half within ${sorted[all.length >> 1].toFixed(0)} ms, 95 % within ${sorted[Math.floor(all.length * 0.95)].toFixed(0)} ms, the longest ${sorted.at(-1).toFixed(0)} ms; ` +
      `of a frame's processor time scripts take ${each('ScriptDuration')} ms, layout and style ${(Number(each('LayoutDuration')) + Number(each('RecalcStyleDuration'))).toFixed(1)} ms, all ${each('TaskDuration')} ms`,
  )
  await page.close()
}
await browser.close()
