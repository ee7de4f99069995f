// What the server allows, by the Rust constants of the same names. Do not edit: change them, then run `make
// generate`.

export const SUBPROTOCOL = 'chat.v1'
export const EMAIL_MAX_BYTES = 254
export const MESSAGE_TEXT_MAX_BYTES = 8192
export const PREVIEW_MAX_CHARS = 100
export const ROOMS_PAGE_MAX = 100
export const REQUEST_MESSAGES_MAX = 10
export const REACTIONS_MAX = 4
export const REPORT_MESSAGES_MAX = 20
export const REPORT_REASON_MAX_BYTES = 500
export const IMAGE_MAX_BYTES = 10485760
export const IMAGE_MAX_SIDE = 16384
export const IMAGE_MAX_PIXELS = 67108864
export const ALT_TEXT_MAX_BYTES = 1000
export const TEAM_NAME_MAX_BYTES = 200
export const VENUE_MAX_BYTES = 400
export const NOTE_MAX_BYTES = 1000
export const OWN_BODY_MAX_BYTES = 4096
export const OWN_PREVIEW_MAX_BYTES = 400
export const SEARCH_QUERY_MAX_CHARS = 100
/** The kinds of messages that the server knows. */
export const KINDS = [
  'text',
  'image',
  'matchProposal',
  'matchProposalAnswer',
  'change',
  'deleted',
  'erased',
] as const
