import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

// The system's browser, or the one that CHROMIUM names; dev/web.sh sees to it that there is one.
const system = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  reporter: [['list', { printSteps: false }]],
  // The machine may be busy with builds. Nothing here waits for time to pass, only for things to happen.
  timeout: 180_000,
  expect: { timeout: 45_000 },
  use: {
    browserName: 'chromium',
    locale: 'ko-KR',
    timezoneId: 'Asia/Seoul',
    // A page under a worker asks the worker, and not the test, for what it needs: only who tests the worker has one.
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
