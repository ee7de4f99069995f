import { checkProposal, type ProposalProblem } from 'chat-core'
import { type FormEvent, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { nameOf } from './people'
import { useKept } from './useKept'

/** The time that is proposed at first: in a day, on the hour. */
function tomorrow(): string {
  const day = new Date(Date.now() + 24 * 60 * 60_000)
  day.setMinutes(0, 0, 0)
  return localInput(day)
}

/** As `<input type="datetime-local">` has it: in the reader's own time zone. */
const localInput = (at: Date): string => new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

/** Proposes a match to the captain of another team; it is queued like a message, and `onQueued` leads to where it is seen. */
export default function ProposeMatch({
  captain,
  team,
  opponent,
  onClose,
  onQueued,
}: {
  captain: string
  team: string
  opponent: string
  onClose(): void
  onQueued(): void
}) {
  const t = useTranslations('proposal')
  const client = useChatClient()
  const [matchAt, setMatchAt] = useState(tomorrow)
  const kept = useKeptWords(captain, team, opponent)
  const [problems, setProblems] = useState<Partial<Record<string, ProposalProblem>>>({})
  const [queued, setQueued] = useState(false)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const { teamName, opponentTeamName, place, note } = kept
    const entered = { teamName: teamName.text, opponentTeamName: opponentTeamName.text, place: place.text, note: note.text }
    const checked = checkProposal({ ...entered, matchAt: Date.parse(matchAt) }, Date.now())
    setProblems(checked.problems)
    if (Object.keys(checked.problems).length > 0 || queued) return
    setQueued(true)
    for (const { forget } of Object.values(kept)) forget()
    void client.queue(captain, { kind: 'matchProposal', text: '', proposal: checked.proposal })
    onQueued()
  }
  const change = (name: string, set: (value: string) => void) => (value: string) => {
    set(value)
    setProblems({ ...problems, [name]: undefined })
  }
  const problemOf = (name: string) => (problems[name] === undefined ? null : t(problems[name]))
  const field = (name: keyof typeof kept) => ({
    label: t(name),
    value: kept[name].text,
    problem: problemOf(name),
    onChange: change(name, kept[name].change),
  })

  return (
    <Dialog open onClose={onClose} title={t('new', { name: nameOf(captain) })} closeLabel={t('cancel')}>
      <form onSubmit={submit} noValidate className="grid grid-cols-[minmax(0,1fr)] gap-3.5">
        <Field {...field('teamName')} autoFocus={team === ''} />
        <Field {...field('opponentTeamName')} />
        <Field
          label={t('matchAt')}
          type="datetime-local"
          min={localInput(new Date())}
          value={matchAt}
          problem={problemOf('matchAt')}
          onChange={change('matchAt', setMatchAt)}
        />
        <Field {...field('place')} autoFocus={team !== ''} />
        <Field {...field('note')} />
        <Button look="primary" type="submit" className="mt-1.5 w-full" disabled={queued}>
          {t('send')}
        </Button>
      </form>
    </Dialog>
  )
}

function useKeptWords(captain: string, team: string, opponent: string) {
  return {
    teamName: useKept(`proposal ${captain} team`, team),
    opponentTeamName: useKept(`proposal ${captain} opponent`, opponent),
    place: useKept(`proposal ${captain} place`),
    note: useKept(`proposal ${captain} note`),
  }
}

function Field({
  label,
  type = 'text',
  value,
  problem,
  min,
  autoFocus = false,
  onChange,
}: {
  label: string
  type?: string
  value: string
  problem: string | null
  min?: string
  autoFocus?: boolean
  onChange(value: string): void
}) {
  const id = useId()
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium text-sm">
        {label}
      </label>
      <input
        id={id}
        type={type}
        value={value}
        min={min}
        autoComplete="off"
        data-autofocus={autoFocus || undefined}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        className="field w-full"
      />
      {problem !== null && (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-danger text-sm">
          {problem}
        </p>
      )}
    </div>
  )
}
