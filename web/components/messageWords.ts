import type { useTranslations } from 'use-intl'
import { formatMatch, formatStamp } from '@/lib/formatWords'
import type { Locale } from '@/lib/locale'
import { type Item, shownOf, timeOf } from './items'
import { ANSWERS } from './preview'

/** What a message says in words alone, whatever it is. */
export function wordsOf(item: Item, locale: Locale, t: ReturnType<typeof useTranslations<never>>): string {
  const { message: text, image, proposal, proposalAnswer } = shownOf(item)
  if (proposal !== undefined) {
    const { teamName, opponentTeamName, matchAt, place, note } = proposal
    const match = `${t('proposal.title')}: ${teamName} ${t('proposal.against')} ${opponentTeamName}`
    return [match, formatMatch(locale, Date.parse(matchAt)), place, ...(note === undefined ? [] : [note])].join('\n')
  }
  if (proposalAnswer !== undefined) return t(`message.${ANSWERS[proposalAnswer.answer]}`)
  if (image !== undefined) return [`[${image.alt ?? t('image.photo')}]`, ...(text === '' ? [] : [text])].join('\n')
  if (item.kind === 'deleted') return t('message.deleted')
  return item.kind === 'erased' ? t('message.erased') : text
}

/** A message among others that are copied: when, who, what. */
export function lineOf(item: Item, name: string, words: string, locale: Locale): string {
  return `[${formatStamp(locale, timeOf(item))}] ${name}: ${words}`
}
