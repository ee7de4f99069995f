import { propsOf } from '@/lib/page'

export { ChatPage as default } from '@/components/ChatPage'
export { getStaticPaths } from '@/lib/page'
export const getStaticProps = propsOf('chat')
