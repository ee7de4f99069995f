import { TeamsPage } from '@/components/TeamsPage'

export default function Page() {
  return <TeamsPage />
}
