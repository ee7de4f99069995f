import { useEffect, useState } from 'react'

/** The time, anew each minute: "today" ends at midnight and a match begins, and nobody reloads for that. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000)
    return () => clearInterval(timer)
  }, [])
  return now
}
