import type { ReactNode } from 'react'

/** Icons are decoration: whatever they mean is said in words beside them. */
function Icon({ children, className = 'size-5' }: { children: ReactNode; className?: string | undefined }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`shrink-0 ${className}`}
    >
      {children}
    </svg>
  )
}

type Props = { className?: string }

export const ChatIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="M20.5 11.5a8 8 0 0 1-11.8 7L4 20l1.5-4.4a8 8 0 1 1 15-4.1Z" />
  </Icon>
)
export const TeamsIcon = ({ className }: Props) => (
  <Icon className={className}>
    <circle cx="9" cy="8" r="3.5" />
    <path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8" />
  </Icon>
)
export const SettingsIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
    <circle cx="16" cy="7" r="2.5" />
    <circle cx="8" cy="17" r="2.5" />
  </Icon>
)
export const PlusIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="M12 5v14M5 12h14" />
  </Icon>
)
export const SearchIcon = ({ className }: Props) => (
  <Icon className={className}>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m20 20-4.2-4.2" />
  </Icon>
)
export const BackIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="m14.5 5-7 7 7 7" />
  </Icon>
)
export const DownIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
)
export const ImageIcon = ({ className }: Props) => (
  <Icon className={className}>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <circle cx="9" cy="10" r="1.6" />
    <path d="m4 17 4.5-4.5 3.5 3 3.500-3.500 5 5" />
  </Icon>
)
export const MatchIcon = ({ className }: Props) => (
  <Icon className={className}>
    <rect x="3.5" y="5" width="17" height="15.500" rx="3" />
    <path d="M3.500 10h17M8 3v4M16 3v4M9 14.800l2.200 2.200 4-4" />
  </Icon>
)
export const SendIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
)
export const CloseIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
)
export const ClockIcon = ({ className }: Props) => (
  <Icon className={className}>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
)
export const SentIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="m6 12.5 4 4 8-9" />
  </Icon>
)
export const ReadIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="m2.5 12.5 4 4 8-9M11 15l1.5 1.5 8-9" />
  </Icon>
)
export const AlertIcon = ({ className }: Props) => (
  <Icon className={className}>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7.5v5.5M12 16.3v.2" />
  </Icon>
)
export const WindowIcon = ({ className }: Props) => (
  <Icon className={className}>
    <path d="M13 4h7v7M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5" />
  </Icon>
)
