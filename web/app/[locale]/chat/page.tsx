import { ChatPage } from '@/components/ChatPage'

export default function Page() {
  return <ChatPage />
}
