//! What a client knows of messages that have changed.

use chat_domain::{Effect, Timestamp};
use chat_wire::message::{KindName, MessageBody};

use super::ClientBug;
use super::conversation::Conversation;
use crate::observations::ChangedMessage;

impl ChangedMessage {
    /// Learns of a state. Of two states the one that has had the later change counts.
    fn learn(&mut self, state: &MessageBody, latest_to_come: bool) {
        let known = self.state.as_ref().and_then(|known| known.changed_by);
        if latest_to_come || known < state.changed_by {
            self.state = Some(state.clone());
        }
        let has_had = self.state.as_ref().and_then(|known| known.changed_by);
        self.own.retain(|(seq, ..)| Some(*seq) > has_had);
    }

    /// Learns that a change of its own is stored.
    fn apply(&mut self, seq: u64, at: Timestamp, effect: Effect) {
        let place = self.own.partition_point(|(other, ..)| *other < seq);
        self.own.insert(place, (seq, at, effect));
    }

    /// The message as its client shows it, who is `me`. It was `first` before it changed.
    pub(crate) fn shown(&self, first: MessageBody, me: &str) -> MessageBody {
        let mut shown = self.state.clone().unwrap_or(first);
        for (seq, at, effect) in &self.own {
            if Some(*seq) > shown.changed_by && shown.kind != KindName::Deleted {
                change(&mut shown, effect, *at, me);
                shown.changed_by = Some(*seq);
            }
        }
        shown
    }
}

/// Changes a message as the server does.
fn change(message: &mut MessageBody, effect: &Effect, at: Timestamp, me: &str) {
    match effect {
        Effect::React(reactions) => {
            let all = message.reactions.get_or_insert_default();
            if reactions.is_empty() {
                all.remove(me);
            } else {
                all.insert(me.to_owned(), reactions.iter().map(ToString::to_string).collect());
            }
            message.reactions.take_if(|all| all.is_empty());
        }
        Effect::Edit(text) => {
            message.message = text.as_str().to_owned();
            message.edited_at = Some(at.to_string());
        }
        Effect::Delete => {
            message.kind = KindName::Deleted;
            message.message.clear();
            message.proposal = None;
            message.reply_to = None;
            message.edited_at = None;
            message.reactions = None;
        }
    }
}

impl Conversation {
    /// Learns of all states among these messages, whether or not they are loaded.
    pub(super) fn learn_states<'a>(
        &mut self,
        found: impl IntoIterator<Item = &'a MessageBody>,
        bug: Option<ClientBug>,
    ) {
        let latest_to_come = bug == Some(ClientBug::LatestStateToCome);
        let loaded_alone = bug == Some(ClientBug::StatesOfLoadedAlone);
        for state in found.into_iter().filter(|state| latest_to_come || state.changed_by.is_some()) {
            let Ok(at) = state.timestamp.parse::<Timestamp>() else { continue };
            if !loaded_alone || self.messages.contains_key(&state.seq) {
                self.changed.entry(at).or_default().learn(state, latest_to_come);
            }
        }
    }

    /// Learns that a change of the client's own is stored.
    pub(super) fn learn_own_change(&mut self, target: Timestamp, seq: u64, at: Timestamp, effect: Effect) {
        self.changed.entry(target).or_default().apply(seq, at, effect);
    }
}
