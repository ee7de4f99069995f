import { browserMemory } from './storage'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** The chosen theme: scripts/theme.js shows it. */
export function chosenTheme(): Theme {
  const { theme } = document.documentElement.dataset
  return THEMES.find((known) => known === theme) ?? 'system'
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
  browserMemory.set('chat.theme', theme)
  window.dispatchEvent(new Event('chat:theme'))
}
