// The routes of REST, by what they do, as chat-wire's table has them. Do not edit: change the table, then run
// `make generate`.

export const ROUTES = {
  history: '/chat/history',
  search: '/chat/search',
  conversations: '/chat/conversations',
  blocked: '/chat/blocked',
  requestUpload: '/chat/uploads',
  openAttachment: '/chat/attachments/{key}',
  proposeMatch: '/chat/proposals',
} as const
