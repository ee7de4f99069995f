//! A handler of read marks that is wrong in a few ways; with [`ReadBug::None`] it is right.

use std::sync::Arc;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_domain::{
    Advance, Changed, ClientMessageId, ConnectionId, Consistency, Content, Email, Message, ReadMark, RoomId,
    Timestamp,
};
use chat_wire::frames::{MarkReadFrame, ReadFrame, ServerFrame};
use chat_wire::table::ClientFrame;

use super::base::real;
use crate::call::Call;
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Running, Server};

/// What the planted handler of read marks does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadBug {
    None,
    OnlyAnswered,
    Upsert,
    PastHead,
    Backwards,
    ForThePeer,
}

/// The real functions, but that `markRead` is handled here.
pub(super) struct ReadServer {
    real: Box<dyn Server>,
    shared: SharedEnvironment,
    bug: ReadBug,
}

impl ReadServer {
    pub(super) fn build(shared: &SharedEnvironment, bug: ReadBug) -> Box<dyn Server> {
        Box::new(Self { real: real(shared), shared: shared.clone(), bug })
    }
}

impl Server for ReadServer {
    fn counts_requests(&self) -> bool {
        false
    }

    fn handle(&self, event: GatewayEvent) -> Running {
        if let GatewayEvent::Frame(frame) = &event
            && let Ok(ClientFrame::MarkRead(parsed)) =
                serde_json::from_str(frame.body.as_deref().unwrap_or_default())
        {
            let context = &frame.request_context;
            let connection = ConnectionId::new(context.connection_id.clone().unwrap_or_default());
            let now = Timestamp::from_unix_ms(context.request_time_epoch).unwrap_or(Timestamp::UNIX_EPOCH);
            let (shared, bug) = (self.shared.clone(), self.bug);
            return Box::pin(async move {
                let mut response = ApiGatewayProxyResponse::default();
                response.status_code = 200;
                let frame = mark(&shared, bug, &connection, now, parsed).await;
                response.body = frame.map(|frame| Body::Text(ServerFrame::Read(frame).to_json()));
                response
            });
        }
        self.real.handle(event)
    }
}

async fn mark(
    shared: &SharedEnvironment,
    bug: ReadBug,
    connection: &ConnectionId,
    now: Timestamp,
    frame: MarkReadFrame,
) -> Option<ReadFrame> {
    let ports = Arc::new(shared.ports());
    let connection = ports.connections.get(connection).await.ok()??;
    if connection.identity.is_expired(now) || !connection.may_be_open(now) {
        return None;
    }
    let me = connection.identity.email().clone();
    let (peer, up_to): (Email, Timestamp) = (frame.peer_email.parse().ok()?, frame.up_to.parse().ok()?);
    let id = RoomId::new(&me, &peer).ok()?;
    let reader = id.member(&me)?;
    let room = ports.messages.room(&id, Consistency::Strong).await.ok()??;
    let log = room.log()?.clone();
    let (by, at) = match bug {
        ReadBug::Upsert => {
            // An update of one attribute makes a row where there is none.
            let table = shared.environment().tables().table(&id).map(|table| table.find(up_to).is_err());
            if table == Some(true) {
                let content = Content::Text("?".parse().ok()?);
                let message = Message {
                    room: id.clone(),
                    at: up_to,
                    seq: log.seq() + 1,
                    sender: reader.peer(),
                    sender_seq: log.sent[reader.peer()] + 1,
                    changes: log.changes,
                    id: ClientMessageId::from_u128(0),
                    content,
                    reply_to: None,
                    changed: Changed::default(),
                };
                let _ = shared.call(Call::PutRow(Box::new(message))).await;
            }
            return None;
        }
        ReadBug::PastHead => {
            let mark = ReadMark { up_to, count: log.sent[reader.peer()] };
            let _ = shared.call(Call::ForceMark(id.clone(), reader, mark)).await;
            (reader, up_to)
        }
        ReadBug::None | ReadBug::OnlyAnswered | ReadBug::Backwards | ReadBug::ForThePeer => {
            let query = chat_domain::PageQuery {
                range: chat_domain::PageRange::Before(up_to.next()),
                limit: chat_domain::PageLimit::ONE,
            };
            let page = ports.messages.page(&id, query, Consistency::Strong).await.ok()?;
            let by = if bug == ReadBug::ForThePeer { reader.peer() } else { reader };
            let mark = ReadMark::at(page.messages.first()?, by);
            match bug {
                ReadBug::OnlyAnswered => (by, mark.up_to),
                ReadBug::None => match ports.messages.advance_read(&id, by, mark).await.ok()? {
                    Advance::Moved(room) | Advance::Unchanged(room) => (by, room.read_up_to(by)?),
                    Advance::NoRoom => return None,
                },
                _ => {
                    let _ = shared.call(Call::ForceMark(id.clone(), by, mark)).await;
                    (by, mark.up_to)
                }
            }
        }
    };
    Some(ReadFrame { room_id: id.to_string(), reader_email: id.email(by).to_string(), up_to: at.to_string() })
}
