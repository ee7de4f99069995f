/** Timers by name: setting one again replaces it. */
export class Timers {
  readonly #running = new Map<string, ReturnType<typeof setTimeout>>()

  has(name: string): boolean {
    return this.#running.has(name)
  }

  set(name: string, delayMs: number, run: () => void = () => {}): void {
    clearTimeout(this.#running.get(name))
    const fire = () => {
      this.#running.delete(name)
      run()
    }
    this.#running.set(name, setTimeout(fire, delayMs))
  }

  stop(name: string): void {
    clearTimeout(this.#running.get(name))
    this.#running.delete(name)
  }

  clear(): void {
    for (const timer of this.#running.values()) clearTimeout(timer)
  }
}
