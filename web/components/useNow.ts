import { useEffect, useState } from 'react'

/** The time, renewed each minute: "today" ends at midnight, and matches begin, while the page is open. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000)
    return () => clearInterval(timer)
  }, [])
  return now
}
