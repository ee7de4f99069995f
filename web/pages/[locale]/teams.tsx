export { TeamsPage as default } from '@/components/TeamsPage'
export { getStaticPaths, getStaticProps } from '@/lib/page'
