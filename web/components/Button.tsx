import type { ComponentProps } from 'react'

const LOOKS = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong disabled:bg-line disabled:text-muted',
  quiet: 'border border-line bg-surface text-text hover:bg-hover disabled:text-muted',
  danger: 'bg-danger text-surface hover:opacity-90',
  plain: 'text-accent-text hover:bg-hover',
}

export function Button({ look = 'quiet', className = '', ...props }: ComponentProps<'button'> & { look?: keyof typeof LOOKS }) {
  return (
    <button
      type="button"
      {...props}
      className={`inline-flex min-h-10 pointer-coarse:min-h-11 items-center justify-center gap-2 rounded-lg px-4 text-[0.9375rem] font-medium transition-colors disabled:cursor-not-allowed ${LOOKS[look]} ${className}`}
    />
  )
}

export function IconButton({ label, className = '', ...props }: ComponentProps<'button'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...props}
      className={`grid size-10 pointer-coarse:size-11 shrink-0 place-items-center rounded-lg text-muted transition-colors hover:bg-hover hover:text-text ${className}`}
    />
  )
}
