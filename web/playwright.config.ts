import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

// The tests use the browser that CHROMIUM names, or else the system's; dev/web.sh makes sure that there is one.
const system = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  reporter: [['list', { printSteps: false }]],
  // The limits are long because the machine may be busy with builds. No test waits for time to pass, only for something to happen.
  timeout: 180_000,
  // On a busy machine two browsers and a server may starve one another. What passes only the second time is listed as flaky.
  retries: 1,
  expect: { timeout: 45_000 },
  use: {
    browserName: 'chromium',
    locale: 'ko-KR',
    timezoneId: 'Asia/Seoul',
    // A page with a service worker sends its requests to the worker and not to the test, so only the tests of the worker have one.
    serviceWorkers: 'block',
    viewport: { width: 1180, height: 760 },
    actionTimeout: 45_000,
    navigationTimeout: 60_000,
    trace: process.env.TRACE === undefined ? 'off' : 'retain-on-failure',
    launchOptions: {
      ...(system === undefined ? {} : { executablePath: system }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
