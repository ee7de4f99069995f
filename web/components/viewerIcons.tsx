// The icons of the viewer of photos, which are loaded with it.
import { Icon, type IconProps } from './icons'

export const PreviousIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="m14.5 5-7 7 7 7" />
  </Icon>
)
export const NextIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="m9.5 5 7 7-7 7" />
  </Icon>
)
export const PlusIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M12 5v14M5 12h14" />
  </Icon>
)
export const MinusIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M5 12h14" />
  </Icon>
)
export const SaveIcon = ({ className }: IconProps) => (
  <Icon className={className}>
    <path d="M12 4v11M7 10.5l5 5 5-5M5 19.5h14" />
  </Icon>
)
