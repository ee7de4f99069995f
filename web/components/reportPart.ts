import { Part } from './OnDemand'

export const reportDialog = new Part(() => import('./ReportDialog'))
