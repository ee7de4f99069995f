//! The real functions over stores that are wrong about messages that change, and with answers that are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lambda_events::encodings::Body;
use chat_adapters_aws::items::{Value as ItemValue, WriteKind};
use chat_domain::testing::{MessageStoreCall, MessageStoreReply, Port as _};
use chat_domain::{
    Append, Consistency, Content, Effect, Email, Emoji, Message, MessageStore, MessageStoreError,
    REACTIONS_MAX, Reactions, RoomId,
};
use dynamodb_sim::{Answers as _, DatabaseRequest};
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::answers::messages;
use super::base::real;
use super::consent::{self, Route};
use super::dynamodb::over_requests;
use super::ports::{altering, over_messages};
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Running, Server};

/// How a planted bug makes another entry of one that is about to be stored.
type AlterAppend = for<'a> fn(
    &'a SharedEnvironment,
    Append,
    &'a Arc<dyn MessageStore>,
) -> BoxFuture<'a, Result<Append, MessageStoreError>>;

/// Changes are altered before they are stored, with what is stored by then.
fn altering_changes(shared: &SharedEnvironment, alter: AlterAppend) -> Box<dyn Server> {
    let environment = shared.clone();
    over_messages(shared, move |call, next| match call {
        MessageStoreCall::Commit { append } if append.change().is_some() => {
            let shared = environment.clone();
            Box::pin(async move {
                let append = alter(&shared, append.into_owned(), next).await?;
                next.call(MessageStoreCall::Commit { append: Cow::Owned(append) }).await
            })
        }
        call => next.call(call),
    })
}

/// The message that a change is about, as it is.
async fn target_of(
    append: &Append,
    store: &Arc<dyn MessageStore>,
) -> Result<Option<Message>, MessageStoreError> {
    let Some((target, _)) = append.change() else { return Ok(None) };
    Ok(store.messages_at(&append.message().room, &[target], Consistency::Strong).await?.pop())
}

/// What somebody leaves on a message is added to what they have left before.
pub(super) fn reactions_added(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering_changes(shared, |_, mut append, next| {
        Box::pin(async move {
            let target = target_of(&append, next).await?;
            if let (Some(target), Some(Effect::React(chosen))) = (target, &append.effect) {
                let before = &target.changed.reactions[append.message().sender];
                let mut all: Vec<Emoji> = before.iter().cloned().collect();
                all.extend(chosen.iter().filter(|emoji| !before.iter().any(|it| it == *emoji)).cloned());
                all.truncate(REACTIONS_MAX);
                let all = Reactions::new(all).expect("they are few and differ");
                append.effect = Some(Effect::React(all));
            }
            Ok(append)
        })
    })
}

/// Of two edits the one counts that the later clock has seen.
pub(super) fn later_clock_counts(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering_changes(shared, |shared, mut append, _| {
        let mut environment = shared.environment();
        let clock = environment.clock_of_current();
        let room = append.message().room.clone();
        if let Some((target, Effect::Edit(words))) = append.change() {
            let edits = &mut environment.bug_state().edits;
            let last = edits.entry((room, target)).or_insert_with(|| (clock, words.clone()));
            if clock >= last.0 {
                *last = (clock, words.clone());
            } else {
                append.effect = Some(Effect::Edit(last.1.clone()));
            }
        }
        Box::pin(async move { Ok(append) })
    })
}

/// A change is stored, and does nothing.
pub(super) fn effect_lost(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering(shared, |append| append.effect = None)
}

/// A change counts as a message, and so as unread.
pub(super) fn counted_as_unread(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering(shared, |append| {
        if append.change().is_some() {
            let log = &mut append.log;
            log.sent[log.newest.sender] += 1;
            log.newest.sender_seq += 1;
            log.newest.changes -= 1;
            log.changes -= 1;
        }
    })
}

/// A list goes on showing what its newest message said before that was edited or deleted.
pub(super) fn listed_as_it_was(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering_changes(shared, |_, mut append, next| {
        Box::pin(async move {
            let head = next.room(&append.message().room, Consistency::Strong).await?;
            let before = head.as_ref().and_then(|head| head.log()).map(|log| log.last_message());
            append.log.shown = before.or(append.log.shown);
            Ok(append)
        })
    })
}

/// A reaction to a request leaves it one.
pub(super) fn reaction_accepts_nothing(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering(shared, |append| append.log.reacted = chat_domain::PerMember::default())
}

/// What a change does is decided on another message than the one that is there.
fn misread_target(shared: &SharedEnvironment, misread: fn(&mut Message, &RoomId, &Email)) -> Box<dyn Server> {
    let environment = shared.clone();
    over_messages(shared, move |call, next| match call {
        MessageStoreCall::RoomForChange { id, place, consistency } => {
            let shared = environment.clone();
            Box::pin(async move {
                let (head, mut target) = next.room_for_change(&id, place, consistency).await?;
                let caller = shared.environment().email_of_current();
                if let (Some(target), Some(caller)) = (&mut target, caller) {
                    misread(target, &id, &caller);
                }
                Ok(MessageStoreReply::RoomForChange((head, target)))
            })
        }
        call => next.call(call),
    })
}

/// What is deleted can be changed.
pub(super) fn deleted_is_changed(shared: &SharedEnvironment) -> Box<dyn Server> {
    misread_target(shared, |target, _, _| {
        if target.content == Content::Deleted {
            target.content = Content::Text("?".parse().expect("it is short"));
        }
    })
}

/// Whoever asks may edit and delete every message.
pub(super) fn anothers_is_changed(shared: &SharedEnvironment) -> Box<dyn Server> {
    misread_target(shared, |target, room, caller| {
        target.sender = room.member(caller).unwrap_or(target.sender);
    })
}

/// A reply is stored whatever it replies to.
pub(super) fn reply_to_anything(shared: &SharedEnvironment) -> Box<dyn Server> {
    consent::over_messages(shared, Route::Frames("sendMessage"), |call, next| match call {
        MessageStoreCall::MessagesAt { room, places, .. } => Box::pin(async move {
            let head = next.room(&room, Consistency::Strong).await?;
            let newest = head.and_then(|head| head.log().map(|log| log.newest.clone()));
            let found = newest.into_iter().flat_map(|newest| {
                let content = Content::Text("?".parse().expect("it is short"));
                places.iter().map(move |at| Message { at: *at, content: content.clone(), ..newest.clone() })
            });
            Ok(MessageStoreReply::MessagesAt(found.collect()))
        }),
        call => next.call(call),
    })
}

/// The messages that a page's entries change are shown as they may have been earlier.
pub(super) fn joined_as_it_was(shared: &SharedEnvironment) -> Box<dyn Server> {
    consent::over_messages(shared, Route::Rest("/chat/history"), |call, next| match call {
        MessageStoreCall::MessagesAt { room, places, .. } => {
            next.call(MessageStoreCall::MessagesAt { room, places, consistency: Consistency::Eventual })
        }
        call => next.call(call),
    })
}

/// A change is pushed with the message as it was before.
pub(super) fn pushed_as_it_was(shared: &SharedEnvironment) -> Box<dyn Server> {
    let environment = shared.clone();
    over_messages(shared, move |call, next| match call {
        MessageStoreCall::ApplyChange { append } => {
            let shared = environment.clone();
            Box::pin(async move {
                let target = next.apply_change(&append).await?;
                let before = target.and_then(|target| {
                    let environment = shared.environment();
                    environment.tables().messages_at(&target.room, &[target.at], 1).pop()
                });
                Ok(MessageStoreReply::ApplyChange(before))
            })
        }
        call => next.call(call),
    })
}

/// The real functions, but that a page goes on showing what each reply quoted first.
struct QuotingOnce {
    real: Box<dyn Server>,
    quotes: Arc<Mutex<HashMap<String, Value>>>,
}

impl Server for QuotingOnce {
    fn handle(&self, event: GatewayEvent) -> Running {
        let (running, quotes) = (self.real.handle(event), Arc::clone(&self.quotes));
        Box::pin(async move {
            let mut response = running.await;
            if let Some(Body::Text(text)) = &mut response.body
                && let Ok(mut answer) = serde_json::from_str::<Value>(text)
            {
                let mut quotes = quotes.lock().unwrap_or_else(PoisonError::into_inner);
                for message in messages(&mut answer) {
                    if let Some(quoted) = message.get("quoted").cloned() {
                        let name = format!("{} {}", message["roomId"], message["timestamp"]);
                        message["quoted"] = quotes.entry(name).or_insert(quoted).clone();
                    }
                }
                *text = answer.to_string();
            }
            response
        })
    }
}

/// A reply keeps a copy of what it replies to.
pub(super) fn reply_copies(shared: &SharedEnvironment) -> Box<dyn Server> {
    Box::new(QuotingOnce { real: real(shared), quotes: Arc::default() })
}

/// The entry of a change gets its row before its effect.
pub(super) fn effect_after_row(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_messages(shared, |call, next| match call {
        MessageStoreCall::ApplyChange { append } => Box::pin(async move {
            next.settle(append.message()).await?;
            next.call(MessageStoreCall::ApplyChange { append }).await
        }),
        call => next.call(call),
    })
}

/// The row of an edit keeps the words.
pub(super) fn words_kept(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(
        shared,
        |_| true,
        |request, shared| {
            let DatabaseRequest::Write(mut write) = request else { return shared.answer(request) };
            if let (Some(ItemValue::M(effect)), Some(seq)) =
                (write.values.get(":effect"), write.values.get(":seq"))
            {
                let words = effect.get("edit").and_then(ItemValue::as_s).map(str::to_owned);
                let seq = format!("{:?} {seq:?}", key_of(&write.kind));
                if let Some(words) = words {
                    shared.environment().bug_state().words.insert(seq, words);
                }
            } else if let WriteKind::Put(row) = &mut write.kind {
                let entry =
                    format!("{:?} {:?}", row.get("roomId"), row.get("seq").unwrap_or(&ItemValue::Null));
                let words = shared.environment().bug_state().words.get(&entry).cloned();
                row.extend(words.map(|words| ("message".to_owned(), ItemValue::S(words))));
            }
            shared.answer(DatabaseRequest::Write(write))
        },
    )
}

/// The room whose head is written.
fn key_of(write: &WriteKind) -> Option<&ItemValue> {
    if let WriteKind::Update(key, _) = write { key.get("roomId") } else { None }
}

/// A deleted message has the kind of one, and keeps its words.
pub(super) fn deleted_keeps_words(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(
        shared,
        |_| true,
        |request, shared| {
            let DatabaseRequest::Write(mut write) = request else { return shared.answer(request) };
            if let WriteKind::Update(_, update) = &mut write.kind
                && update.contains("#message, ")
            {
                *update = update.replace("#message, ", "");
                write.names.remove("#message");
            }
            shared.answer(DatabaseRequest::Write(write))
        },
    )
}
