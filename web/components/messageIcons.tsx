// The icons of what can be done with a message, apart from the others: they are loaded with it.
import { Icon, type IconProps } from './icons'

export const CopyIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2.5" />
    <path d="M5.5 15.5H5A1.5 1.5 0 0 1 3.5 14V5A1.5 1.5 0 0 1 5 3.5h9A1.5 1.5 0 0 1 15.5 5v.5" />
  </Icon>
)
export const LinkIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M10 14a4 4 0 0 0 6 .4l2.6-2.6a4 4 0 0 0-5.7-5.7L11.5 7.500M14 10a4 4 0 0 0-6-.4l-2.6 2.6a4 4 0 0 0 5.7 5.7l1.4-1.4" />
  </Icon>
)
export const ReplyIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M9.500 6 4 11.500 9.500 17M4.500 11.500H14a6 6 0 0 1 6 6V19" />
  </Icon>
)
export const EditIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M4.500 19.500 5.300 16 15.700 5.600a2 2 0 0 1 2.800 2.800L8.100 18.800ZM14 7.300l2.800 2.800" />
  </Icon>
)
export const DeleteIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M4.500 7h15M9.500 7V4.500h5V7M6.500 7l.8 12.500h9.400L17.500 7M10.200 10.500v5.500M13.800 10.500v5.500" />
  </Icon>
)
export const SmileIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <circle cx="12" cy="12" r="8.500" />
    <path d="M8.500 14a4 4 0 0 0 7 0M9 9.500v.2M15 9.500v.2" />
  </Icon>
)
