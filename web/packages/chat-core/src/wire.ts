// The chat's wire format, generated from the Rust types of chat-wire. Do not edit: change them, then run
// `make generate`.

/**
 * An image that was uploaded.
 */
export type AttachmentBody = {
  /**
   * The key that `POST /chat/uploads` gave.
   */
  key: string,
  /**
   * `image/jpeg`, `image/png`, `image/webp` or `image/gif`.
   */
  contentType: ContentType,
  /**
   * Its length in bytes.
   */
  size: number,
  /**
   * Its width in pixels.
   */
  width: number,
  /**
   * Its height in pixels.
   */
  height: number,
  /**
   * What it shows, in words.
   */
  alt?: string,
};

/**
 * The answer of `GET /chat/attachments/{key}`.
 */
export type AttachmentUrlBody = {
  /**
   * Where to `GET` the bytes.
   */
  url: string,
  /**
   * When the URL stops working.
   */
  expiresAt: string,
};

/**
 * The answer of `GET /chat/blocked`.
 */
export type BlockedBody = {
  /**
   * The blocked people of one page of the caller's conversations: possibly nobody, though more pages
   * follow.
   */
  blocked: Array<BlockedPeerBody>,
  /**
   * The `cursor` of the next page; `null` at the end.
   */
  nextCursor: string | null,
};

/**
 * Somebody whom the caller blocks.
 */
export type BlockedPeerBody = {
  /**
   * The address of who is blocked.
   */
  peerEmail: string,
  /**
   * When the caller last blocked them.
   */
  since: string,
};

/**
 * A message was changed.
 */
export type ChangedFrame = {
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * The change's own place in the room.
   */
  timestamp: string,
  /**
   * The change's own number in the room.
   */
  seq: number,
  /**
   * The member who has changed the message.
   */
  senderEmail: string,
  /**
   * That member's name for the change.
   */
  clientMessageId: string,
  /**
   * The timestamp of the message.
   */
  target: string,
  /**
   * The message as it is by now. Whether it is read is not said here.
   */
  message: MessageBody,
};

/**
 * How far the user clears a conversation for themselves.
 */
export type ClearFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The timestamp of the newest message that goes. Later than that of the newest message stands for that
   * one's.
   */
  upTo: string,
};

/**
 * The user has cleared a conversation for themselves.
 */
export type ClearedFrame = {
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * Up to where nothing is shown to the user any more.
   */
  upTo: string,
};

/**
 * What a client says. The `action` chooses the route.
 */
export type ClientFrame = { "action": "sendMessage" } & SendMessageFrame
  | { "action": "react" } & ReactFrame
  | { "action": "edit" } & EditFrame
  | { "action": "delete" } & DeleteFrame
  | { "action": "markRead" } & MarkReadFrame
  | { "action": "typing" } & TypingFrame
  | { "action": "accept" } & ConsentFrame
  | { "action": "block" } & ConsentFrame
  | { "action": "unblock" } & ConsentFrame
  | { "action": "clear" } & ClearFrame
  | { "action": "report" } & ReportFrame
  | { "action": "ping" } & PingFrame
  | { "action": "reauth" } & ReauthFrame;

/**
 * The user has decided something about the peer, on this connection or on another one.
 */
export type ConsentChangedFrame = {
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * About whom it was decided.
   */
  peerEmail: string,
};

/**
 * Whom the user has decided about.
 */
export type ConsentFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
};

/**
 * The types of images that may be sent.
 */
export type ContentType = "image/jpeg" | "image/png" | "image/webp" | "image/gif";

/**
 * One conversation in the list.
 */
export type ConversationBody = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The beginning of the newest message: its first `PREVIEW_MAX_CHARS` characters.
   */
  preview: string,
  /**
   * The timestamp of the newest message.
   */
  lastTimestamp: string,
  /**
   * The number of the newest message.
   */
  lastSeq: number,
  /**
   * Who sent the newest message.
   */
  lastSenderEmail: string,
  /**
   * What kind the newest message is.
   */
  lastKind: KindName,
  /**
   * How many of the peer's messages the caller has not read.
   */
  unread: number,
  /**
   * How far the peer has read.
   */
  peerReadUpTo: string | null,
  /**
   * Whose request the conversation is; absent when it is none.
   */
  request?: RequestName,
  /**
   * Whether the caller blocks the peer.
   */
  blocked: boolean,
  /**
   * How far the caller has cleared the conversation. Absent when nothing was cleared.
   */
  clearedTo?: string,
};

/**
 * The answer of `GET /chat/conversations`.
 */
export type ConversationsBody = {
  /**
   * The conversations, the one with the newest message first.
   */
  conversations: Array<ConversationBody>,
  /**
   * What is unread in the conversations of this page together; on the first page only.
   */
  totalUnread?: number,
  /**
   * The `cursor` of the next page; `null` at the end.
   */
  nextCursor: string | null,
};

/**
 * A message of the user that is to be deleted for both.
 */
export type DeleteFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The timestamp of the message.
   */
  target: string,
  /**
   * A UUID made before the first attempt, the same for every retry, as in `sendMessage`.
   */
  clientMessageId?: string,
  /**
   * As in `sendMessage`; no earlier than the target.
   */
  after?: string,
};

/**
 * Other words for a message of the user.
 */
export type EditFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The timestamp of the message: a text, or an image.
   */
  target: string,
  /**
   * The words of the message from now on: 1 to `MESSAGE_TEXT_MAX_BYTES` bytes of UTF-8.
   */
  message: string,
  /**
   * A UUID made before the first attempt, the same for every retry, as in `sendMessage`.
   */
  clientMessageId?: string,
  /**
   * As in `sendMessage`; no earlier than the target.
   */
  after?: string,
};

/**
 * A request was refused or failed. A REST answer has the same body, with the HTTP status that fits the code.
 */
export type ErrorBody = {
  /**
   * What kind of error it is.
   */
  code: ErrorCode,
  /**
   * What went wrong, for developers; people are told by `code`, in their language.
   */
  message: string,
  /**
   * Whether to send the same again with the same id. `false` is definitive: it did not happen and will
   * not.
   */
  retryable: boolean,
  /**
   * The server's name for the request, to be found in its log.
   */
  requestId: string,
  /**
   * The message's id, when the request had one.
   */
  clientMessageId?: string,
};

/**
 * The closed list of error codes. Clients decide by the code, and never by the text beside it.
 */
export type ErrorCode = "badRequest" | "invalidEmail" | "selfChat" | "messageTooLong" | "messageEmpty" | "idReused" | "unauthorized" | "authExpired" | "unknownConnection" | "suspended" | "notYours" | "rateLimited" | "resyncNeeded" | "attachmentMissing" | "attachmentRejected" | "proposalState" | "notAccepted" | "notFound" | "unavailable" | "internal";

/**
 * A header of an HTTP request.
 */
export type HeaderBody = {
  /**
   * The name of the header.
   */
  name: string,
  /**
   * The value of the header.
   */
  value: string,
};

/**
 * The answer of `GET /chat/history`.
 */
export type HistoryBody = {
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * Newest first; with `after`, oldest first.
   */
  messages: Array<MessageBody>,
  /**
   * The messages that are not among `messages` and that a `change` among them is about, as they are by
   * now.
   */
  changed?: Array<MessageBody>,
  /**
   * Whether there is more beyond the last of them.
   */
  hasMore: boolean,
  /**
   * Without `after`: the `before` of the next older page; absent at the beginning of the conversation.
   */
  nextBefore?: string,
  /**
   * With `after`: the `after` of the next newer page, or of the next sync. With `around`: the `after` of
   * what is newer than the page; absent when nothing is.
   */
  nextAfter?: string,
  /**
   * How far the peer has read.
   */
  peerReadUpTo: string | null,
  /**
   * How far the caller has read.
   */
  myReadUpTo: string | null,
  /**
   * Whose request the conversation is; absent when it is none.
   */
  request?: RequestName,
  /**
   * Whether the caller blocks the peer.
   */
  blocked: boolean,
  /**
   * How far the caller has cleared the conversation: nothing up to there is in any page. Absent when
   * nothing was cleared.
   */
  clearedTo?: string,
};

/**
 * What kind of message it is. There may be kinds that are not listed here: show the `preview` of those.
 */
export type KindName = "text" | "image" | "matchProposal" | "matchProposalAnswer" | "change" | "deleted" | "erased" | string & {};

/**
 * How far a conversation was read.
 */
export type MarkReadFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The timestamp of the newest message read.
   */
  upTo: string,
};

/**
 * A message as clients see it.
 */
export type MessageBody = {
  /**
   * The two members' addresses, sorted and joined with `#`.
   */
  roomId: string,
  /**
   * Its place in the room, `YYYY-MM-DDTHH:MM:SS.mmmZ`: unique there, and later than that of every earlier
   * message.
   */
  timestamp: string,
  /**
   * Its number in the room: 1, 2, 3, ... A hole means that something is missing: sync.
   */
  seq: number,
  /**
   * The member who sent it.
   */
  senderEmail: string,
  /**
   * Who is to get it.
   */
  receiverEmail: string,
  /**
   * The words in it; empty when there are none.
   */
  message: string,
  /**
   * Whether the receiver has read it.
   */
  read: boolean,
  /**
   * What kind of message it is.
   */
  kind: KindName,
  /**
   * The sender's name for it.
   */
  clientMessageId: string,
  /**
   * The image, of kind `image`.
   */
  attachment?: AttachmentBody,
  /**
   * The proposal, of kind `matchProposal`.
   */
  proposal?: ProposalBody,
  /**
   * The answer, of kind `matchProposalAnswer`.
   */
  proposalAnswer?: ProposalAnswerBody,
  /**
   * Of kind `change`: the timestamp of the message that has changed. What it is by now stands in
   * `messages` or in `changed` of the same answer.
   */
  target?: string,
  /**
   * When the words were last replaced; absent if they never were.
   */
  editedAt?: string,
  /**
   * The emoji that each member has left on it, by the member's address; absent if there are none.
   */
  reactions?: { [address: string]: Array<string> },
  /**
   * The number of the last change that it has had, by which a client tells which of two states is the
   * later; absent if it has had none.
   */
  changedBy?: number,
  /**
   * The timestamp of the message that it replies to; absent if it is no reply.
   */
  replyTo?: string,
  /**
   * The message that it replies to, as it is by now. Absent where that is not known: a client that has the
   * message shows that.
   */
  quoted?: QuotedBody,
  /**
   * Only with a kind that is not listed here: the words that a client shows which does not know the kind.
   * `message` repeats them.
   */
  preview?: string,
  /**
   * Only with a kind that is not listed here: the rest of what the message says, as any JSON.
   */
  body?: unknown,
};

/**
 * A frame that asks whether the connection still works, and keeps it open.
 */
export type PingFrame = {
  /**
   * Whether a connection that works is not answered. Such a ping keeps the connection open for half of
   * what an answered one costs.
   */
  quiet?: boolean,
};

/**
 * The connection works: the answer to `ping`.
 */
export type PongFrame = {
  /**
   * What time it is for the server.
   */
  serverTime: string,
};

/**
 * An answer to a proposal.
 */
export type ProposalAnswerBody = {
  /**
   * The timestamp of the message that proposed.
   */
  proposal: string,
  /**
   * `accepted` or `declined` by the receiver of the proposal, `withdrawn` by its sender.
   */
  answer: Verdict,
};

/**
 * A proposal to play a match.
 */
export type ProposalBody = {
  /**
   * The name of the proposer's team: at most `TEAM_NAME_MAX_BYTES` bytes of UTF-8.
   */
  teamName: string,
  /**
   * The name of the receiver's team, of the same length at the most.
   */
  opponentTeamName: string,
  /**
   * When the match begins, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
   */
  matchAt: string,
  /**
   * Where the match takes place: at most `VENUE_MAX_BYTES` bytes of UTF-8.
   */
  place: string,
  /**
   * A remark of the proposer's: at most `NOTE_MAX_BYTES` bytes of UTF-8.
   */
  note?: string,
};

/**
 * The request of `POST /chat/proposals`. It is answered as a `sendMessage` frame is: with the fields of
 * `sent`.
 */
export type ProposalRequestBody = {
  /**
   * Who is to get it.
   */
  receiverEmail: string,
  /**
   * A UUID made before the first attempt, the same for every retry.
   */
  clientMessageId: string,
  /**
   * The newest timestamp of the conversation that the client knew when it made the proposal;
   * `1970-01-01T00:00:00.000Z` when it knew the conversation to be empty.
   */
  after?: string,
  /**
   * The proposal that is sent.
   */
  proposal: ProposalBody,
};

/**
 * A message that another one replies to, as it is by now.
 */
export type QuotedBody = {
  /**
   * The member who has sent it.
   */
  senderEmail: string,
  /**
   * What kind of message it is.
   */
  kind: KindName,
  /**
   * Its first `PREVIEW_MAX_CHARS` characters, on one line.
   */
  preview: string,
};

/**
 * The reactions of the user to a message.
 */
export type ReactFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The timestamp of the message.
   */
  target: string,
  /**
   * All emoji of the user on the message from now on: different ones, or none.
   */
  emoji: Array<string>,
  /**
   * A UUID made before the first attempt, the same for every retry, as in `sendMessage`.
   */
  clientMessageId?: string,
  /**
   * As in `sendMessage`; no earlier than the target.
   */
  after?: string,
};

/**
 * A member has read further.
 */
export type ReadFrame = {
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * The member who has read.
   */
  readerEmail: string,
  /**
   * The timestamp of the newest message read.
   */
  upTo: string,
};

/**
 * A newer token of the same user.
 */
export type ReauthFrame = {
  /**
   * The access token, as the identity provider gave it.
   */
  token: string,
};

/**
 * The connection's authentication is extended.
 */
export type ReauthedFrame = {
  /**
   * When it expires now.
   */
  expiresAt: string,
};

/**
 * Messages that the user reports to whoever runs the chat.
 */
export type ReportFrame = {
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
  /**
   * The timestamps of the reported messages.
   */
  timestamps: Array<string>,
  /**
   * Why, in the user's words.
   */
  reason?: string,
};

/**
 * A report is kept.
 */
export type ReportedFrame = {
  /**
   * The room of the reported messages.
   */
  roomId: string,
  /**
   * The other member of the conversation.
   */
  peerEmail: string,
};

/**
 * Whose request a conversation is.
 */
export type RequestName = "incoming" | "outgoing";

/**
 * The answer of `GET /chat/search`.
 */
export type SearchBody = {
  /**
   * The messages that were found, the newest first.
   */
  hits: Array<MessageBody>,
  /**
   * How far the search has looked: the `before` with which it goes on. `null` if there was nothing to look
   * at.
   */
  searchedTo: string | null,
  /**
   * Whether there is more before that.
   */
  more: boolean,
};

/**
 * A message to send.
 */
export type SendMessageFrame = {
  /**
   * Who is to get it.
   */
  receiverEmail: string,
  /**
   * The words: 1 to `MESSAGE_TEXT_MAX_BYTES` bytes of UTF-8. They may be absent beside an attachment, and
   * must be beside a proposal, an answer or a kind.
   */
  message?: string,
  /**
   * A UUID made before the first attempt, the same for every retry. Without it only doubled deliveries of
   * the same frame are recognised, not retries.
   */
  clientMessageId?: string,
  /**
   * The newest timestamp of the conversation that the client knew when it made the message;
   * `1970-01-01T00:00:00.000Z` when it knew the conversation to be empty.
   */
  after?: string,
  /**
   * The timestamp of the message that it replies to.
   */
  replyTo?: string,
  /**
   * An image that was uploaded before.
   */
  attachment?: AttachmentBody,
  /**
   * A proposal to play a match.
   */
  proposal?: ProposalBody,
  /**
   * An answer to one.
   */
  proposalAnswer?: ProposalAnswerBody,
  /**
   * A kind of the application's own that this chat admits. `message` is absent beside it, and a kind
   * that is none of those is ignored beside `message`.
   */
  kind?: string,
  /**
   * Only beside `kind`: what clients show that do not know the kind; 1 to `OWN_PREVIEW_MAX_BYTES` bytes of
   * UTF-8.
   */
  preview?: string,
  /**
   * Only beside `kind`: the rest of what the message says, as any JSON; at most `OWN_BODY_MAX_BYTES` bytes
   * without white space.
   */
  body?: unknown,
};

/**
 * The acknowledgement of a message, or of a change of one: it is stored, for good.
 */
export type SentFrame = {
  /**
   * The client's name for it, or the one the server made when the client gave none.
   */
  clientMessageId: string,
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * Its place in the room: the same in every acknowledgement of this id.
   */
  timestamp: string,
  /**
   * Its number in the room: the same in every acknowledgement of this id.
   */
  seq: number,
  /**
   * Whether an earlier attempt had stored it.
   */
  duplicate: boolean,
};

/**
 * What the server says.
 */
export type ServerFrame = { "type": "message" } & MessageBody
  | { "type": "changed" } & ChangedFrame
  | { "type": "sent" } & SentFrame
  | { "type": "read" } & ReadFrame
  | { "type": "typing" } & TypingEventFrame
  | { "type": "accept" } & ConsentChangedFrame
  | { "type": "block" } & ConsentChangedFrame
  | { "type": "unblock" } & ConsentChangedFrame
  | { "type": "cleared" } & ClearedFrame
  | { "type": "reported" } & ReportedFrame
  | { "type": "pong" } & PongFrame
  | { "type": "reauth" } & ReauthedFrame
  | { "type": "error" } & ErrorBody;

/**
 * A member is typing.
 */
export type TypingEventFrame = {
  /**
   * The room of the two members.
   */
  roomId: string,
  /**
   * The member who is typing.
   */
  senderEmail: string,
};

/**
 * The user is typing.
 */
export type TypingFrame = {
  /**
   * Who is to be told.
   */
  receiverEmail: string,
};

/**
 * The answer of `POST /chat/uploads`: `PUT` the bytes to `url` with exactly these headers, then show them in
 * one message within 23 hours.
 */
export type UploadBody = {
  /**
   * The name to send the image by.
   */
  key: string,
  /**
   * Where to `PUT` the bytes.
   */
  url: string,
  /**
   * The headers the `PUT` must carry.
   */
  headers: Array<HeaderBody>,
  /**
   * When the URL stops working.
   */
  expiresAt: string,
};

/**
 * The request of `POST /chat/uploads`.
 */
export type UploadRequestBody = {
  /**
   * The other member of the conversation.
   */
  with: string,
  /**
   * `image/jpeg`, `image/png`, `image/webp` or `image/gif`.
   */
  contentType: ContentType,
  /**
   * The exact length in bytes, at most `IMAGE_MAX_BYTES`.
   */
  size: number,
  /**
   * The width in pixels, as the file has it. Times the height it is at most `IMAGE_MAX_PIXELS`, and in a
   * small file less.
   */
  width: number,
  /**
   * The height in pixels, as the file has it.
   */
  height: number,
};

/**
 * What can be answered to a proposal.
 */
export type Verdict = "accepted" | "declined" | "withdrawn";
