//! What may be changed of a message, by whom, and what the room remembers of it.

use chat_domain::{
    AppendRefused, Change, ChangeAction, ChangeDraft, ChangeRefused, ClientMessageId, Consent, Content,
    Draft, Effect, Emoji, EmojiError, FirstContact, Kind, Member, Message, OtherContent, PerMember, Proposal,
    ProposalAnswer, REACTIONS_MAX, Reactions, ReactionsError, Room, SendPolicy, SendRate, Timestamp, Verdict,
};
use rstest::rstest;

const OPEN: FirstContact = FirstContact::Open;

fn at(ms: i64) -> Timestamp {
    let nine: Timestamp = "2026-11-23T09:00:00.000Z".parse().expect("a timestamp");
    Timestamp::from_unix_ms(nine.unix_ms() + ms).expect("a year like this")
}

fn words(text: &str) -> Content {
    Content::Text(text.parse().expect("words"))
}

fn edit(text: &str) -> Effect {
    Effect::Edit(text.parse().expect("words"))
}

fn react(emoji: &[&str]) -> Effect {
    let emoji = emoji.iter().map(|one| one.parse().expect("an emoji")).collect();
    Effect::React(Reactions::new(emoji).expect("few and different"))
}

fn proposal() -> Content {
    Content::MatchProposal(Proposal {
        team_name: "한강 FC".parse().expect("a name"),
        opponent_team_name: "남산 FC".parse().expect("a name"),
        match_at: at(600_000),
        venue: "여의도".parse().expect("a place"),
        note: None,
    })
}

/// The answer to a proposal that was the first message.
fn withdrawal() -> Content {
    Content::MatchProposalAnswer(ProposalAnswer { proposal: at(0), verdict: Verdict::Withdrawn })
}

/// A room in which this was said, each a second after the other.
fn said(all: &[(Member, Content)]) -> (Room, Vec<Message>) {
    let mut room = Room::empty("junho@example.com#minji@example.com".parse().expect("a room id"));
    let mut messages = Vec::new();
    for (number, (sender, content)) in (0_u32..).zip(all) {
        let id = ClientMessageId::from_u128(number.into());
        let draft = Draft { id, sender: *sender, content: content.clone(), reply_to: None };
        let policy = SendPolicy { first_contact: OPEN, ..SendRate::default().into() };
        let append = room.append(&draft, at(i64::from(number) * 1_000), policy).expect("it is allowed");
        room.apply(&append);
        messages.push(append.log.newest);
    }
    (room, messages)
}

fn draft(sender: Member, target: &Message, effect: Effect) -> ChangeDraft {
    ChangeDraft { id: ClientMessageId::from_u128(77), sender, target: target.at, effect }
}

/// The room and the message once it is changed.
fn changed(
    room: &Room,
    sender: Member,
    target: &Message,
    effect: Effect,
    first_contact: FirstContact,
) -> Result<(Room, Message), AppendRefused> {
    let policy = SendPolicy { first_contact, ..SendRate::default().into() };
    let append = room.change(&draft(sender, target, effect), Some(target), at(60_000), policy)?;
    let (named, effect) = append.change().expect("it is a change");
    assert_eq!((named, append.expected_seq, append.message().seq), (target.at, room.seq(), room.seq() + 1));
    let message = target.changed_by(append.message(), effect);
    assert!(message.has_change(append.message()));
    let mut room = room.clone();
    room.apply(&append);
    Ok((room, message))
}

#[rstest]
#[case::a_text(words("안녕"))]
#[case::a_proposal(proposal())]
#[case::an_answer(withdrawal())]
#[case::another_kind(Content::Other(OtherContent {
    kind: "x-order".parse().expect("a kind"), preview: None, body: None,
}))]
fn everybody_reacts_to_everything(#[case] content: Content) {
    let (room, messages) = said(&[(Member::A, proposal()), (Member::A, content.clone())]);
    for sender in [Member::A, Member::B] {
        let (_, message) = changed(&room, sender, &messages[1], react(&["👍"]), OPEN).expect("it is allowed");
        let left: Vec<_> = message.changed.reactions[sender].iter().map(Emoji::as_str).collect();
        assert_eq!((left, message.content), (vec!["👍"], content.clone()));
        assert!(message.changed.reactions[sender.peer()].is_empty());
    }
}

#[rstest]
#[case::to_others_words(Member::B, edit("안녕?"), ChangeRefused::NotYours)]
#[case::deleting_anothers(Member::B, Effect::Delete, ChangeRefused::NotYours)]
fn nobody_changes_what_another_has_said(
    #[case] by: Member,
    #[case] effect: Effect,
    #[case] why: ChangeRefused,
) {
    let (room, messages) = said(&[(Member::A, words("안녕"))]);
    assert_eq!(changed(&room, by, &messages[0], effect, OPEN).err(), Some(AppendRefused::Change(why)));
}

#[test]
fn words_of_some_kinds_stand_and_an_answer_is_not_taken_back() {
    let other =
        Content::Other(OtherContent { kind: "x-order".parse().expect("a kind"), preview: None, body: None });
    let (room, messages) = said(&[(Member::A, proposal()), (Member::A, withdrawal()), (Member::A, other)]);
    let fixed = Some(AppendRefused::Change(ChangeRefused::Fixed));
    for message in &messages {
        assert_eq!(changed(&room, Member::A, message, edit("다른 말"), OPEN).err(), fixed);
    }
    assert_eq!(changed(&room, Member::A, &messages[1], Effect::Delete, OPEN).err(), fixed);
    for deletable in [&messages[0], &messages[2]] {
        let (_, gone) = changed(&room, Member::A, deletable, Effect::Delete, OPEN).expect("it is one's own");
        assert_eq!(gone.content, Content::Deleted);
    }
}

#[test]
fn nothing_changes_what_is_gone_or_is_a_change_itself() {
    let (room, messages) = said(&[(Member::A, words("안녕"))]);
    let (room, gone) =
        changed(&room, Member::A, &messages[0], Effect::Delete, OPEN).expect("it is one's own");
    let entry = room.log().expect("something was said").newest.clone();
    let erased = messages[0].erased();
    let no_target = Some(AppendRefused::Change(ChangeRefused::NoTarget));
    for nothing in [&gone, &entry, &erased] {
        for effect in [react(&["👍"]), edit("돌아와"), Effect::Delete] {
            for by in [Member::A, Member::B] {
                assert_eq!(changed(&room, by, nothing, effect.clone(), OPEN).err(), no_target);
            }
        }
        assert!(nothing.is_final());
    }
    let policy = SendPolicy { first_contact: OPEN, ..SendRate::default().into() };
    let absent = room.change(&draft(Member::A, &messages[0], Effect::Delete), None, at(1), policy);
    assert_eq!(absent.err(), no_target);
    let empty = Room::empty(room.id().clone());
    let nowhere = empty.change(&draft(Member::A, &gone, Effect::Delete), Some(&messages[0]), at(1), policy);
    assert_eq!(nowhere.err(), no_target);
}

#[test]
fn an_entry_keeps_nothing_of_what_was_said() {
    let (room, messages) = said(&[(Member::A, words("비밀"))]);
    for (effect, action) in [
        (edit("다른 비밀"), ChangeAction::Edit),
        (react(&["👍"]), ChangeAction::React),
        (Effect::Delete, ChangeAction::Delete { attachment: None }),
    ] {
        let (room, _) = changed(&room, Member::A, &messages[0], effect, OPEN).expect("it is one's own");
        let entry = &room.log().expect("something was said").newest;
        assert_eq!(entry.content, Content::Change(Change { target: at(0), action }));
        assert!(entry.says_nothing());
    }
}

#[test]
fn a_change_counts_as_an_entry_and_not_as_a_message() {
    let (room, messages) = said(&[(Member::A, words("하나")), (Member::B, words("둘"))]);
    let (after, _) = changed(&room, Member::A, &messages[0], edit("일"), OPEN).expect("it is one's own");
    let log = after.log().expect("something was said");
    assert_eq!((log.seq(), log.changes, log.sent), (3, 1, PerMember { a: 1, b: 1 }));
    assert_eq!((log.newest.sender_seq, log.newest.changes), (1, 1));
    for member in [Member::A, Member::B] {
        assert_eq!(after.unread(member), room.unread(member));
        assert_eq!(log.newest.sent_by(member), 1);
    }
    let (again, _) = changed(&after, Member::B, &messages[1], react(&["👍"]), OPEN).expect("it is allowed");
    assert_eq!(again.log().expect("something was said").changes, 2);
}

#[test]
fn the_list_shows_what_is_left_of_the_newest_message() {
    let (room, messages) = said(&[(Member::A, words("하나")), (Member::B, words("둘"))]);
    let shown = |room: &Room| {
        let last = room.log().expect("something was said").last_message();
        (last.at, last.sender, last.kind, last.preview)
    };
    let newest = (at(1_000), Member::B, Kind::Text, "둘".to_owned());
    for (by, target, effect) in
        [(Member::A, 0, edit("일")), (Member::A, 0, Effect::Delete), (Member::A, 1, react(&["👍"]))]
    {
        let (after, _) = changed(&room, by, &messages[target], effect, OPEN).expect("it is allowed");
        assert_eq!(shown(&after), newest, "what is older, and reactions, are not shown");
    }
    let (edited, two) =
        changed(&room, Member::B, &messages[1], edit("이\n이"), OPEN).expect("it is one's own");
    assert_eq!(shown(&edited).3, "이 이");
    let (deleted, _) = changed(&edited, Member::B, &two, Effect::Delete, OPEN).expect("it is one's own");
    assert_eq!(shown(&deleted), (at(1_000), Member::B, Kind::Deleted, String::new()));
}

#[test]
fn a_deleted_proposal_is_open_no_more() {
    let (room, messages) = said(&[(Member::A, proposal()), (Member::A, words("어때?"))]);
    let open = |room: &Room| room.log().expect("something was said").open_proposals.len();
    let (kept, _) = changed(&room, Member::A, &messages[1], Effect::Delete, OPEN).expect("it is one's own");
    let (gone, _) = changed(&room, Member::A, &messages[0], Effect::Delete, OPEN).expect("it is one's own");
    assert_eq!((open(&room), open(&kept), open(&gone)), (1, 1, 0));
}

#[test]
fn in_a_request_its_sender_only_deletes_and_a_reaction_of_its_receiver_accepts_it() {
    let request = FirstContact::Request;
    let (room, messages) = said(&[(Member::A, words("저기요"))]);
    let message = &messages[0];
    for effect in [edit("안녕하세요"), react(&["👍"])] {
        let refused = changed(&room, Member::A, message, effect.clone(), request).err();
        assert_eq!(refused, Some(AppendRefused::NotAccepted));
        assert!(changed(&room, Member::A, message, effect, OPEN).is_ok());
    }
    assert!(changed(&room, Member::A, message, Effect::Delete, request).is_ok());
    let (liked, _) =
        changed(&room, Member::B, message, react(&["👍"]), request).expect("it is asked of them");
    assert_eq!((room.request_of(request), liked.request_of(request)), (Some(Member::A), None));
    // Reacting to one's own message accepts nothing.
    let (own, _) = changed(&room, Member::A, message, react(&["👍"]), OPEN).expect("it is open");
    assert_eq!(own.request_of(request), Some(Member::A));
}

#[test]
fn nobody_changes_anything_for_who_blocks_them() {
    let (room, messages) = said(&[(Member::A, words("안녕")), (Member::B, words("응"))]);
    let blocked = Consent { blocked: Some(at(5_000)), ..Consent::default() };
    let room = room.with_consent(PerMember { b: blocked, ..PerMember::default() });
    for effect in [edit("잘 가"), react(&["👍"]), Effect::Delete] {
        let refused = changed(&room, Member::A, &messages[0], effect, OPEN).err();
        assert_eq!(refused, Some(AppendRefused::NotAccepted));
    }
    assert!(changed(&room, Member::B, &messages[1], edit("아니"), OPEN).is_ok(), "who blocks may");
}

#[test]
fn changes_count_towards_the_rate() {
    let (mut room, messages) = said(&[(Member::A, words("안녕"))]);
    let target = &messages[0];
    for _ in 1..SendRate::default().burst.get() {
        room = changed(&room, Member::A, target, react(&[]), OPEN).expect("the burst is not used up").0;
    }
    // A minute has passed since the message, and one place more was free.
    room = changed(&room, Member::A, target, react(&[]), OPEN).expect("one more").0;
    let refused = changed(&room, Member::A, target, react(&[]), OPEN).err();
    assert!(matches!(refused, Some(AppendRefused::RateLimited { .. })), "{refused:?}");
    assert!(changed(&room, Member::B, target, react(&["👍"]), OPEN).is_ok(), "each has a rate of their own");
}

#[test]
fn of_two_changes_the_later_one_in_the_room_counts_however_they_come() {
    let (room, messages) = said(&[(Member::A, words("하나"))]);
    let (room, once) = changed(&room, Member::A, &messages[0], edit("둘"), OPEN).expect("it is one's own");
    let first = room.log().expect("something was said").newest.clone();
    let (room, twice) = changed(&room, Member::A, &once, edit("셋"), OPEN).expect("it is one's own");
    let second = room.log().expect("something was said").newest.clone();
    assert_eq!((twice.content.text(), twice.changed.by, twice.changed.edited_at), ("셋", 3, Some(second.at)));
    // The first one comes late, and then once more.
    let late = messages[0].changed_by(&second, &edit("셋")).changed_by(&first, &edit("둘"));
    assert_eq!(late, twice);
    assert_eq!(twice.changed_by(&second, &edit("넷")), twice);
    let gone = twice.changed_by(&second.clone(), &Effect::Delete);
    assert_eq!(gone.content.text(), "셋", "the same entry has one effect");
}

#[test]
fn deleting_leaves_nothing_and_erasing_neither() {
    let (room, messages) = said(&[(Member::A, words("하나"))]);
    let (room, liked) = changed(&room, Member::B, &messages[0], react(&["👍"]), OPEN).expect("it is allowed");
    let (_, gone) = changed(&room, Member::A, &liked, Effect::Delete, OPEN).expect("it is one's own");
    for left in [&gone, &liked.erased()] {
        assert_eq!((left.content.text(), left.reply_to, left.changed.edited_at), ("", None, None));
        assert!(left.changed.reactions.a.is_empty() && left.changed.reactions.b.is_empty());
    }
    assert_eq!((gone.changed.by, liked.erased().changed.by), (3, 2));
    let without = liked.without_reactions_of(Member::B);
    assert!(without.changed.reactions.b.is_empty());
    assert_eq!(without.content, liked.content);
    assert_eq!(liked.without_reactions_of(Member::A), liked);
}

#[rstest]
#[case::a_flag("🇰🇷")]
#[case::a_family("👨‍👩‍👧‍👦")]
#[case::of_a_skin("👍🏽")]
#[case::the_longest("🏴󠁧󠁢󠁥󠁮󠁧󠁿")]
#[case::a_key_cap("1️⃣")]
fn one_emoji_is_one(#[case] text: &str) {
    assert_eq!(text.parse::<Emoji>().as_ref().map(Emoji::as_str), Ok(text));
}

#[rstest]
#[case::nothing("")]
#[case::words("ok")]
#[case::a_digit("1")]
#[case::a_selector_alone("\u{fe0f}")]
#[case::two("👍👍")]
#[case::beside_words("👍!")]
#[case::a_skin_alone("\u{1f3fd}\u{1f3fd}")]
#[case::hangul("ㅋ")]
#[case::longer_than_any("👨‍👩‍👧‍👦👨‍👩‍👧‍👦")]
fn other_texts_are_none(#[case] text: &str) {
    assert_eq!(text.parse::<Emoji>(), Err(EmojiError));
}

/// Keyboards differ in whether they write the selector, and people should not see two of the same.
#[test]
fn an_emoji_is_kept_in_the_form_of_the_standard() {
    assert_eq!("❤".parse::<Emoji>(), "❤️".parse::<Emoji>());
    assert_eq!("❤".parse::<Emoji>().map(|emoji| emoji.to_string()), Ok("❤️".to_owned()));
    assert_eq!(format!("{:?}", Emoji::stored("👍")), "Emoji(4 bytes)");
}

#[test]
fn reactions_are_few_and_different() {
    let emoji = |texts: &[&str]| texts.iter().map(|text| Emoji::stored(text)).collect::<Vec<_>>();
    let most = ["👍", "🎉", "⚽", "😀"];
    assert_eq!(most.len(), REACTIONS_MAX);
    assert!(Reactions::new(emoji(&most)).is_ok_and(|reactions| !reactions.is_empty()));
    assert!(Reactions::new(Vec::new()).is_ok_and(|reactions| reactions.is_empty()));
    assert_eq!(Reactions::new(emoji(&["👍", "🎉", "⚽", "😀", "🔥"])), Err(ReactionsError));
    assert_eq!(Reactions::new(emoji(&["👍", "🎉", "👍"])), Err(ReactionsError));
}

/// What a retry is recognised by: an entry says nothing of words and emoji.
#[test]
fn a_change_is_the_same_by_its_target_and_its_action() {
    let change = Change { target: at(0), action: ChangeAction::Edit };
    assert!(change.is(at(0), &edit("둘")));
    assert!(!change.is(at(1), &edit("둘")));
    for other in [react(&["👍"]), Effect::Delete] {
        assert!(!change.is(at(0), &other));
    }
    assert!(Change { target: at(0), action: ChangeAction::React }.is(at(0), &react(&[])));
    let delete = Change { target: at(0), action: ChangeAction::Delete { attachment: None } };
    assert!(delete.is(at(0), &Effect::Delete));
}
