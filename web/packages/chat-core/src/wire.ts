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
 * What a client says. The `action` chooses the route.
 */
export type ClientFrame = { "action": "sendMessage" } & SendMessageFrame
  | { "action": "markRead" } & MarkReadFrame
  | { "action": "typing" } & TypingFrame
  | { "action": "ping" } & PingFrame
  | { "action": "reauth" } & ReauthFrame;

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
   * The first 100 characters of the newest message.
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
};

/**
 * The answer of `GET /chat/conversations`.
 */
export type ConversationsBody = {
  /**
   * Newest first, at most 100.
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
 * The closed list of error codes.
 */
export type ErrorCode = "badRequest" | "invalidEmail" | "selfChat" | "messageTooLong" | "messageEmpty" | "idReused" | "unauthorized" | "authExpired" | "unknownConnection" | "rateLimited" | "resyncNeeded" | "attachmentMissing" | "attachmentRejected" | "proposalState" | "unavailable" | "internal";

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
   * Whether there is more beyond the last of them.
   */
  hasMore: boolean,
  /**
   * Without `after`: the `before` of the next older page; absent at the beginning of the conversation.
   */
  nextBefore?: string,
  /**
   * With `after`: the `after` of the next newer page, or of the next sync.
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
};

/**
 * What kind of message it is.
 */
export type KindName = "text" | "image" | "matchProposal" | "matchProposalAnswer" | "erased";

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
};

/**
 * A frame that asks whether the connection still works.
 */
export type PingFrame = Record<symbol, never>;

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
   * The proposer's team, at most 200 bytes.
   */
  teamName: string,
  /**
   * The receiver's team, at most 200 bytes.
   */
  opponentTeamName: string,
  /**
   * When the match begins, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
   */
  matchAt: string,
  /**
   * Where it takes place, at most 400 bytes.
   */
  place: string,
  /**
   * A remark, at most 1,000 bytes.
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
 * A message to send.
 */
export type SendMessageFrame = {
  /**
   * Who is to get it.
   */
  receiverEmail: string,
  /**
   * The words: 1 to 8,192 bytes of UTF-8. May be absent beside an attachment, and must be beside a
   * proposal or an answer.
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
};

/**
 * The acknowledgement of a message: it is stored, for good.
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
  | { "type": "sent" } & SentFrame
  | { "type": "read" } & ReadFrame
  | { "type": "typing" } & TypingEventFrame
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
   * The exact length in bytes, at most 10 MiB.
   */
  size: number,
  /**
   * The width in pixels, as the file has it; with the height at most 64 Mi pixels.
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
