//! What a page of history, and each message in it, has to be.

use std::collections::BTreeMap;

use chat_domain::{Content, FirstContact, Member, Message, PageRange, Room, Timestamp};
use chat_wire::message::{KindName, MessageBody};
use chat_wire::rest::{HistoryBody, RequestName};

use super::record::StoredMessage;

/// What the wire calls a content, of those that are sent here.
pub(super) fn kind(content: &Content) -> Option<KindName> {
    match content {
        Content::Text(_) => Some(KindName::Text),
        Content::MatchProposal(_) => Some(KindName::MatchProposal),
        Content::MatchProposalAnswer(_) => Some(KindName::MatchProposalAnswer),
        Content::Change(_) => Some(KindName::Change),
        Content::Deleted => Some(KindName::Deleted),
        Content::Image { .. } | Content::Erased | Content::Other(_) => None,
    }
}

/// Whose request a room is to a member, while it is one.
pub(super) fn request(head: &Room, me: Member, first_contact: FirstContact) -> Option<RequestName> {
    let log = head.log().filter(|_| first_contact == FirstContact::Request)?;
    let has_answered = |member: Member| log.sent[member] > 0 || log.reacted[member];
    let is_known_to = |member: Member| head.consent(member).accepted || has_answered(member);
    match (is_known_to(me), is_known_to(me.peer())) {
        (true, true) => None,
        (true, false) => Some(RequestName::Outgoing),
        (false, _) => Some(RequestName::Incoming),
    }
}

/// How far a member sees that the other one has read.
pub(super) fn shows(head: &Room, me: Member, first_contact: FirstContact) -> Option<Timestamp> {
    let nobody_blocks = [Member::A, Member::B].iter().all(|member| head.consent(*member).blocked.is_none());
    let reads = head.read_state(me.peer());
    if nobody_blocks && request(head, me, first_contact).is_none() {
        reads.mark.map(|mark| mark.up_to)
    } else {
        reads.shown_to
    }
}

/// Whether a time on the wire is this one.
fn is_time(seen: Option<&String>, stored: Option<Timestamp>) -> bool {
    match (seen, stored) {
        (Some(seen), Some(stored)) => seen.parse() == Ok(stored),
        (seen, stored) => seen.is_none() && stored.is_none(),
    }
}

/// Whether these are the reactions that both members have left on a message.
fn are_reactions(seen: Option<&BTreeMap<String, Vec<String>>>, stored: &Message) -> bool {
    let left = |member: Member| &stored.changed.reactions[member];
    if seen.is_none() {
        return left(Member::A).is_empty() && left(Member::B).is_empty();
    }
    let has = |member: Member| {
        let seen = seen.and_then(|seen| seen.get(stored.room.email(member).as_str()));
        let seen = seen.map_or(&[][..], Vec::as_slice);
        left(member).iter().map(|emoji| emoji.as_str()).eq(seen.iter().map(String::as_str))
    };
    let by = [Member::A, Member::B].into_iter().filter(|member| !left(*member).is_empty()).count();
    seen.map_or(0, BTreeMap::len) == by && has(Member::A) && has(Member::B)
}

/// What of a message that somebody is shown is not as it is stored; whether it is read changes, and so does
/// what it quotes, and both are looked at elsewhere.
pub(super) fn differs(seen: &MessageBody, stored: &Message) -> Option<&'static str> {
    let (words, proposal, answer) = match &stored.content {
        Content::Text(words) => (words.as_str(), None, None),
        Content::MatchProposal(proposal) => {
            (proposal.note.as_ref().map_or("", |note| note.as_str()), Some(proposal), None)
        }
        Content::MatchProposalAnswer(answer) => ("", None, Some(answer)),
        Content::Change(_) | Content::Deleted => ("", None, None),
        // Nobody sends these here.
        Content::Image { .. } | Content::Erased | Content::Other(_) => ("", None, None),
    };
    let proposal = match (proposal, &seen.proposal) {
        (Some(stored), Some(seen)) => {
            stored.team_name.as_str() == seen.team_name
                && stored.opponent_team_name.as_str() == seen.opponent_team_name
                && seen.match_at.parse() == Ok(stored.match_at)
                && stored.venue.as_str() == seen.place
                && stored.note.as_ref().map(|note| note.as_str()) == seen.note.as_deref()
        }
        (stored, seen) => stored.is_none() && seen.is_none(),
    };
    let target = if let Content::Change(change) = &stored.content { Some(change.target) } else { None };
    let answer = match (answer, &seen.proposal_answer) {
        (Some(stored), Some(seen)) => {
            seen.proposal.parse() == Ok(stored.proposal) && stored.verdict.as_str() == seen.answer
        }
        (stored, seen) => stored.is_none() && seen.is_none(),
    };
    [
        (seen.timestamp.parse() == Ok(stored.at), "timestamp"),
        (seen.seq == stored.seq, "seq"),
        (seen.sender_email == stored.sender_email().as_str(), "senderEmail"),
        (seen.receiver_email == stored.receiver_email().as_str(), "receiverEmail"),
        (seen.message == words, "message"),
        (Some(&seen.kind) == kind(&stored.content).as_ref(), "kind"),
        (seen.client_message_id.parse() == Ok(stored.id), "clientMessageId"),
        (seen.attachment.is_none(), "attachment"),
        (proposal, "proposal"),
        (answer, "proposalAnswer"),
        (is_time(seen.target.as_ref(), target), "target"),
        (is_time(seen.edited_at.as_ref(), stored.changed.edited_at), "editedAt"),
        (is_time(seen.reply_to.as_ref(), stored.reply_to), "replyTo"),
        (seen.changed_by.unwrap_or(0) == stored.changed.by, "changedBy"),
        (are_reactions(seen.reactions.as_ref(), stored), "reactions"),
    ]
    .into_iter()
    .find_map(|(same, field)| (!same).then_some(field))
}

/// What is wrong with a page: its order, where it begins, where it ends, or what it says of what is beyond.
/// `begun` rows were there when it was asked for, which a strong read has to show.
pub(super) fn misplaced(
    rows: &[StoredMessage],
    range: PageRange,
    begun: u64,
    body: &HistoryBody,
) -> Option<&'static str> {
    let forward = matches!(range, PageRange::After(_) | PageRange::Oldest);
    let mut before: Option<u64> = None;
    for seen in &body.messages {
        let next =
            before.is_none_or(|before| if forward { seen.seq == before + 1 } else { seen.seq + 1 == before });
        let place = usize::try_from(seen.seq).ok().and_then(|seq| seq.checked_sub(1));
        let Some(stored) = place.and_then(|place| rows.get(place)).filter(|_| next) else {
            return Some("order");
        };
        if seen.room_id != body.room_id {
            return Some("roomId");
        }
        // Whether the state is one that may be shown still, another checker says.
        let Some(state) = stored.changed_by(seen.changed_by) else { return Some("changedBy") };
        if let Some(field) = differs(seen, state) {
            return Some(field);
        }
        before = Some(seen.seq);
    }
    let first = body.messages.first().map(|message| message.seq);
    let last = body.messages.last().map(|message| message.seq);
    let until = |at: Timestamp| rows.partition_point(|row| row.message.at <= at) as u64;
    let newest = rows.len() as u64;
    let (begins, ends) = match range {
        PageRange::After(_) | PageRange::Oldest => {
            let known = if let PageRange::After(after) = range { until(after) } else { 0 };
            let reached = last.unwrap_or(known);
            let ends = if body.has_more { last.is_some() && reached < newest } else { reached >= begun };
            (first.is_none_or(|first| first == known + 1), ends)
        }
        PageRange::Newest | PageRange::Before(_) => {
            let top = if let PageRange::Before(at) = range { until(at.previous()) } else { newest };
            (first.is_none_or(|first| first <= top), body.has_more == last.is_some_and(|last| last > 1))
        }
    };
    let last_at = body.messages.last().map(|message| &message.timestamp);
    let (next_before, next_after) = (body.next_before.as_ref(), body.next_after.as_ref());
    let cursors = match range {
        PageRange::After(after) => {
            next_before.is_none()
                && match last_at {
                    Some(at) => next_after == Some(at),
                    None => next_after.and_then(|next| next.parse().ok()) == Some(after),
                }
        }
        PageRange::Oldest => next_before.is_none() && next_after == last_at,
        PageRange::Newest | PageRange::Before(_) => {
            next_after.is_none() && next_before == last_at.filter(|_| body.has_more)
        }
    };
    [(begins, "beginning"), (ends, "end"), (cursors, "next page")]
        .into_iter()
        .find_map(|(right, what)| (!right).then_some(what))
}
