import { propsOf } from '@/lib/page'

export { TeamsPage as default } from '@/components/TeamsPage'
export { getStaticPaths } from '@/lib/page'
export const getStaticProps = propsOf('teams')
