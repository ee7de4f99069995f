import { checkProposal, type ProposalProblem } from 'chat-core'
import { type FormEvent, useId, useState } from 'react'
import { useTranslations } from 'use-intl'
import { useChatClient } from '@/context/ChatSocketContext'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { nameOf } from './people'

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
  const [entered, setEntered] = useState({ teamName: team, opponentTeamName: opponent, matchAt: tomorrow(), place: '', note: '' })
  const [problems, setProblems] = useState<Partial<Record<string, ProposalProblem>>>({})
  const [queued, setQueued] = useState(false)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const checked = checkProposal({ ...entered, matchAt: Date.parse(entered.matchAt) }, Date.now())
    setProblems(checked.problems)
    if (Object.keys(checked.problems).length > 0 || queued) return
    setQueued(true)
    void client.propose(captain, checked.proposal)
    onQueued()
  }
  const field = (name: keyof typeof entered, type = 'text') => ({
    label: t(name),
    type,
    value: entered[name],
    problem: problems[name] === undefined ? null : t(problems[name]),
    onChange(value: string) {
      setEntered({ ...entered, [name]: value })
      setProblems({ ...problems, [name]: undefined })
    },
  })

  return (
    <Dialog open onClose={onClose} title={t('new', { name: nameOf(captain) })} closeLabel={t('cancel')}>
      <form onSubmit={submit} noValidate className="grid gap-3.5">
        <Field {...field('teamName')} autoFocus={team === ''} />
        <Field {...field('opponentTeamName')} />
        <Field {...field('matchAt', 'datetime-local')} min={localInput(new Date())} />
        <Field {...field('place')} autoFocus={team !== ''} />
        <Field {...field('note')} />
        <Button look="primary" type="submit" className="mt-1.5 w-full" disabled={queued}>
          {t('send')}
        </Button>
      </form>
    </Dialog>
  )
}

function Field({
  label,
  type,
  value,
  problem,
  min,
  autoFocus = false,
  onChange,
}: {
  label: string
  type: string
  value: string
  problem: string | null
  min?: string
  autoFocus?: boolean
  onChange(value: string): void
}) {
  const id = useId()
  return (
    <div>
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
