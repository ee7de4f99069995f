// The icons of an open conversation, apart from the others: the list of conversations does not load them.
import { Icon, type IconProps } from './icons'

export const BackIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="m14.5 5-7 7 7 7" />
  </Icon>
)
export const DownIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
)
export const ImageIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <circle cx="9" cy="10" r="1.6" />
    <path d="m4 17 4.5-4.5 3.5 3 3.500-3.500 5 5" />
  </Icon>
)
export const MoreIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M6 12h.01M12 12h.01M18 12h.01" strokeWidth="2.75" />
  </Icon>
)
export const SendIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
)
export const ClockIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
)
export const SentIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="m6 12.5 4 4 8-9" />
  </Icon>
)
export const ReadIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="m2.5 12.5 4 4 8-9M11 15l1.5 1.5 8-9" />
  </Icon>
)
