export { ChatPage as default } from '@/components/ChatPage'
export { getStaticPaths, getStaticProps } from '@/lib/page'
