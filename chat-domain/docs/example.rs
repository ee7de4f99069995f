// What the examples in the documentation begin with: Minji's phone and Junho's, connected to a chat in memory.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chat_adapters_memory::*;
use chat_domain::*;

struct Example {
    verifier: Arc<MemoryIdentityVerifier>,
    connections: Arc<MemoryConnectionStore>,
    messages: Arc<MemoryMessageStore>,
    attachments: Arc<MemoryAttachmentStore>,
    pusher: Arc<MemoryPusher>,
    backoff: Arc<NoWait>,
    identify: Arc<Identify>,
    minji: Email,
    junho: Email,
    /// Good for two hours, and Minji's.
    token: AccessToken,
    /// A frame from Minji's phone.
    origin: Origin,
    now: Timestamp,
}

struct NoWait;

#[async_trait::async_trait]
impl Backoff for NoWait {
    async fn wait(&self, _: Duration) {}
}

/// Runs an example after Junho has written to Minji.
fn example(run: impl AsyncFnOnce(Example) -> Result<(), Box<dyn Error>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { run(begin().await?).await }).unwrap();
}

async fn begin() -> Result<Example, Box<dyn Error>> {
    let verifier = Arc::new(MemoryIdentityVerifier::new());
    let connections = Arc::new(MemoryConnectionStore::new());
    let messages = Arc::new(MemoryMessageStore::new());
    let attachments = Arc::new(MemoryAttachmentStore::new("http://localhost/attachments", [7; 32]));
    let pusher = Arc::new(MemoryPusher::new());
    let backoff = Arc::new(NoWait);
    let identify = Arc::new(Identify::new(connections.clone(), pusher.clone()));
    let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
    let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;

    let identity = |email: &Email, hours: u64| {
        let expires_at = now.after(Duration::from_secs(hours * 3_600));
        VerifiedIdentity::vouched(email.clone(), UserId::new(email.as_str()), expires_at)
    };
    for (phone, email) in [("minji-phone", &minji), ("junho-phone", &junho)] {
        let id = ConnectionId::new(phone);
        connections.put(&Connection { id, identity: identity(email, 1), connected_at: now }).await?;
    }
    let token = verifier.issue(identity(&minji, 2), 1);
    let origin = Origin {
        connection: ConnectionId::new("minji-phone"),
        correlation: Correlation { request_id: "request-1".into(), message: None },
        now,
    };

    let room = RoomId::new(&minji, &junho)?;
    let sender = room.member(&junho).ok_or("he is a member")?;
    let content = Content::Text("안녕하세요".parse()?);
    let draft = Draft { id: ClientMessageId::from_u128(1), sender, content };
    messages.commit(&Room::empty(room).append(&draft, now, SendRate::default())?).await?;
    Ok(Example {
        verifier,
        connections,
        messages,
        attachments,
        pusher,
        backoff,
        identify,
        minji,
        junho,
        token,
        origin,
        now,
    })
}
