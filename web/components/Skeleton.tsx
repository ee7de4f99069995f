const ROWS = ['a', 'b', 'c', 'd', 'e', 'f']

export function ListSkeleton() {
  return (
    <div aria-hidden="true">
      {ROWS.map((row) => (
        <div key={row} className="flex animate-pulse items-center gap-3 px-4 py-2.5">
          <div className="size-11 rounded-full bg-sunken" />
          <div className="grid flex-1 gap-2">
            <div className="h-3.5 w-2/5 rounded bg-sunken" />
            <div className="h-3 w-4/5 rounded bg-sunken" />
          </div>
        </div>
      ))}
    </div>
  )
}

const BUBBLES = [
  ['a', 'w-48'],
  ['b', 'w-64'],
  ['c', 'ml-auto w-56'],
  ['d', 'w-40'],
  ['e', 'ml-auto w-72'],
  ['f', 'ml-auto w-36'],
] as const

export function MessagesSkeleton() {
  return (
    <div aria-hidden="true" className="column flex h-full flex-col justify-end gap-3 px-3 pb-6 md:px-6">
      {BUBBLES.map(([key, shape]) => (
        <div key={key} className={`h-10 max-w-full animate-pulse rounded-2xl bg-sunken ${shape}`} />
      ))}
    </div>
  )
}
