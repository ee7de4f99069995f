// The icons of what is decided about somebody, apart from the others: they are loaded with it.
import { Icon, type IconProps } from './icons'

export const BlockIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <circle cx="12" cy="12" r="8.25" />
    <path d="m6.2 6.2 11.6 11.6" />
  </Icon>
)
export const ReportIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M6 21V4M6 4.500h11.500l-2.200 4 2.200 4H6" />
  </Icon>
)
export const ChevronIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="m6 9.500 6 6 6-6" />
  </Icon>
)
