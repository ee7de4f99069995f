/** What a person is called: the part of the address before the `@`. */
export function nameOf(email: string): string {
  return email.slice(0, email.lastIndexOf('@'))
}

const TINTS = ['tint-1', 'tint-2', 'tint-3', 'tint-4', 'tint-5', 'tint-6']

/** A person's first letter on a colour that is always theirs; where the system forces its colours, the border shows. */
export function Avatar({ email, className = 'size-11 text-base' }: { email: string; className?: string }) {
  let hash = 0
  for (const character of email) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return (
    <span
      aria-hidden="true"
      className={`grid shrink-0 select-none place-items-center rounded-full border border-transparent font-semibold uppercase ${TINTS[hash % TINTS.length]} ${className}`}
    >
      {nameOf(email).slice(0, 1)}
    </span>
  )
}
