//! The rules of a room, against a log that is nothing but a list.

use std::num::NonZeroU32;
use std::time::Duration;

use chat_domain::{
    Append, AppendRefused, Attachment, AttachmentKey, Changed, ClientMessageId, Consent, ConsentChange,
    ConsentWrite, Content, DailyLimits, Draft, FirstContact, IN_DOUBT_FOR, ImageFacts, ImageType, Member,
    Message, OPEN_PROPOSALS_MAX, OpenProposal, PREVIEW_MAX_CHARS, PerMember, Proposal, ProposalAnswer,
    ProposalRefused, RECENT_MAX, REQUEST_MESSAGES_MAX, ReadMark, ReadState, Recall, Recent, Room, RoomId,
    RoomLog, SendPolicy, SendRate, Timestamp, UnblockInDoubt, Verdict,
};
use proptest::prelude::*;
use rstest::rstest;
use unicode_segmentation::UnicodeSegmentation;

const RATE: SendRate = SendRate { burst: NonZeroU32::MAX, per_second: NonZeroU32::MAX };
const UNLIMITED: SendPolicy =
    SendPolicy { rate: RATE, first_contact: FirstContact::Open, daily: DailyLimits::UNLIMITED };
const MEMBERS: [Member; 2] = [Member::A, Member::B];

fn their_room() -> RoomId {
    "junho@example.com#minji@example.com".parse().expect("a well-formed room id")
}

fn nine() -> Timestamp {
    "2026-11-23T09:00:00.000Z".parse().expect("a well-formed timestamp")
}

fn after_nine(ms: u64) -> Timestamp {
    nine().after(Duration::from_millis(ms))
}

fn words(text: &str) -> Content {
    Content::Text(text.parse().expect("a short text"))
}

fn draft(id: u64, sender: Member, content: Content) -> Draft {
    Draft { id: ClientMessageId::from_u128(id.into()), sender, content, reply_to: None }
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![Just(Member::A), Just(Member::B)]
}

/// What a store would write and read back.
fn restored(room: &Room, reads: PerMember<ReadState>) -> Room {
    let log = room.log().cloned().expect("something was said");
    Room::restore(room.id().clone(), log, reads).expect("the parts agree")
}

/// A room, and everything that happened in it.
struct Conversation {
    room: Room,
    messages: Vec<Message>,
    now: Timestamp,
}

/// What happens next; the clock jumps first, forth or back. Places are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
struct Step {
    jump_ms: i64,
    member: Member,
    deed: Deed,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Send,
    Read { place: usize },
    Freeze,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deed = prop_oneof![
        4 => Just(Deed::Send),
        2 => any::<usize>().prop_map(|place| Deed::Read { place }),
        1 => Just(Deed::Freeze),
    ];
    let jump_ms = prop_oneof![4 => 0_i64..3, 2 => -3_i64..0, 1 => -100_000_i64..100_000];
    let step = (jump_ms, member(), deed).prop_map(|(jump_ms, member, deed)| Step { jump_ms, member, deed });
    proptest::collection::vec(step, 0..40)
}

impl Conversation {
    fn new() -> Self {
        Self { room: Room::empty(their_room()), messages: Vec::new(), now: nine() }
    }

    fn of(steps: &[Step]) -> Self {
        let mut conversation = Self::new();
        for step in steps {
            conversation.take(*step);
        }
        conversation
    }

    fn take(&mut self, Step { jump_ms, member, deed }: Step) {
        self.now = Timestamp::from_unix_ms(self.now.unix_ms() + jump_ms).expect("not far from now");
        match deed {
            Deed::Send => self.send(member),
            Deed::Read { place } => self.read(member, place),
            Deed::Freeze => self.freeze(),
        }
    }

    /// Both members number their messages alike, so that every id is used by both.
    fn send(&mut self, sender: Member) {
        let number = self.sent(sender, self.messages.len());
        let draft = draft(number, sender, words(&format!("말 {number}")));
        let append = self.room.append(&draft, self.now, UNLIMITED).expect("no rule is broken");
        self.room.apply(&append);
        self.messages.push(append.log.newest);
    }

    fn reads(&self) -> PerMember<ReadState> {
        PerMember { a: self.room.read_state(Member::A), b: self.room.read_state(Member::B) }
    }

    fn read(&mut self, reader: Member, place: usize) {
        if self.messages.is_empty() {
            return;
        }
        let message = &self.messages[place % self.messages.len()];
        let mut reads = self.reads();
        if let Some(advanced) = reads[reader].advanced(ReadMark::at(message, reader)) {
            reads[reader] = advanced;
            self.room = restored(&self.room, reads);
        }
    }

    /// What becomes of the read states when somebody blocks somebody.
    fn freeze(&mut self) {
        let reads = self.reads();
        if self.room.log().is_some() {
            self.room = restored(&self.room, PerMember { a: reads.a.frozen(), b: reads.b.frozen() });
        }
    }

    /// How many of the first `count` messages a member sent.
    fn sent(&self, sender: Member, count: usize) -> u64 {
        self.messages[..count].iter().filter(|message| message.sender == sender).count() as u64
    }

    fn last_at(&self) -> Option<Timestamp> {
        self.messages.last().map(|message| message.at)
    }
}

/// What a person takes for one character: a family, a flag, a thumb of some colour, a letter and its accent,
/// a syllable.
const SIGNS: [&str; 5] = ["👨‍👩‍👧‍👦", "🇰🇷", "👍🏽", "e\u{301}", "\u{1112}\u{1161}\u{11ab}"];

#[test]
fn a_character_that_is_longer_than_a_preview_is_cut() {
    let text = format!("a{}", "\u{301}".repeat(2 * PREVIEW_MAX_CHARS));
    let preview = Content::Text(text.parse().unwrap()).preview();
    assert_eq!(preview, format!("a{}", "\u{301}".repeat(PREVIEW_MAX_CHARS - 1)));
}

proptest! {
    #[test]
    fn numbers_have_no_hole_and_timestamps_rise_whatever_the_clocks_say(steps in steps()) {
        let mut conversation = Conversation::new();
        for step in steps {
            let before = conversation.last_at();
            conversation.take(step);
            if matches!(step.deed, Deed::Send) {
                let message = conversation.messages.last().expect("it was just sent");
                let earliest = before.map_or(conversation.now, |last| last.next().max(conversation.now));
                prop_assert_eq!(message.at, earliest, "now, or a millisecond after the last one");
                prop_assert_eq!(message.seq, conversation.messages.len() as u64);
                prop_assert_eq!(conversation.room.seq(), message.seq);
            }
        }
        prop_assert!(conversation.messages.is_sorted_by(|one, next| one.at < next.at));
    }

    #[test]
    fn every_count_is_a_recount(steps in steps()) {
        let conversation = Conversation::of(&steps);
        for (place, message) in conversation.messages.iter().enumerate() {
            prop_assert_eq!(message.sender_seq, conversation.sent(message.sender, place + 1));
            for member in MEMBERS {
                prop_assert_eq!(message.sent_by(member), conversation.sent(member, place + 1));
                let sent = conversation.sent(member.peer(), place + 1);
                prop_assert_eq!(ReadMark::at(message, member).count, sent);
            }
        }
        for member in MEMBERS {
            let sent = conversation.room.log().map_or(0, |log| log.sent[member]);
            prop_assert_eq!(sent, conversation.sent(member, conversation.messages.len()));
        }
    }

    #[test]
    fn unread_is_what_the_peer_sent_after_the_mark(steps in steps()) {
        let mut conversation = Conversation::new();
        for step in steps {
            conversation.take(step);
            for reader in MEMBERS {
                let up_to = conversation.room.read_up_to(reader);
                let peers = conversation.messages.iter().filter(|message| message.sender == reader.peer());
                let unread = peers.filter(|message| Some(message.at) > up_to).count() as u64;
                prop_assert_eq!(conversation.room.unread(reader), unread);
            }
        }
    }

    #[test]
    fn marks_never_move_back_and_never_pass_the_newest_message(steps in steps()) {
        let mut conversation = Conversation::new();
        for step in steps {
            let before = conversation.reads();
            conversation.take(step);
            for reader in MEMBERS {
                let (before, after) = (before[reader], conversation.room.read_state(reader));
                prop_assert!(after.mark.map(|mark| mark.up_to) >= before.mark.map(|mark| mark.up_to));
                prop_assert!(after.mark.map(|mark| mark.count) >= before.mark.map(|mark| mark.count));
                prop_assert!(after.shown_to >= before.shown_to);
                prop_assert!(after.shown_to <= after.mark.map(|mark| mark.up_to));
                prop_assert!(conversation.room.read_up_to(reader) <= conversation.last_at());
                if reader != step.member {
                    prop_assert_eq!(after.mark, before.mark, "nobody reads for somebody else");
                }
            }
        }
    }

    #[test]
    fn a_message_is_read_when_its_receiver_has_come_to_it(steps in steps()) {
        let conversation = Conversation::of(&steps);
        for message in &conversation.messages {
            let mark = conversation.room.read_up_to(message.sender.peer());
            let read = mark.is_some_and(|up_to| message.at <= up_to);
            prop_assert_eq!(seen_by_both(&conversation.room, message), [read; 2]);
        }
    }

    #[test]
    fn the_head_is_about_the_newest_messages(steps in steps()) {
        let conversation = Conversation::of(&steps);
        let Some(log) = conversation.room.log() else { return Ok(()) };
        let newest = conversation.messages.last().expect("there is a log");
        prop_assert_eq!(&log.newest, newest);
        let last = log.last_message();
        let said = (log.seq(), log.last_at(), last.sender, last.kind);
        prop_assert_eq!(said, (newest.seq, newest.at, newest.sender, newest.content.kind()));
        prop_assert_eq!(last.preview, newest.content.preview());
        let first_recent = conversation.messages.len().saturating_sub(RECENT_MAX);
        let recent: Vec<_> = conversation.messages[first_recent..]
            .iter()
            .map(|message| Recent { id: message.id, sender: message.sender, at: message.at })
            .collect();
        prop_assert_eq!(&log.recent, &recent);
        let activity = conversation.room.activity().expect("there is a log");
        prop_assert_eq!((activity.day, activity.room), (newest.at.day(), conversation.room.id().tag()));
    }

    /// Every question that can be asked, against a search of the whole log.
    #[test]
    fn recall_answers_as_a_full_search_would(steps in steps()) {
        let Conversation { room, messages, now } = Conversation::of(&steps);
        let last_at = messages.last().map(|message| message.at);
        let mut afters: Vec<_> = messages.iter().map(|message| Some(message.at)).collect();
        afters.extend([None, Some(last_at.unwrap_or(now).next())]);
        let ids = 0..=messages.len() as u128;
        for (after, id) in afters.iter().flat_map(|after| ids.clone().map(move |id| (*after, id))) {
            for sender in MEMBERS {
                let id = ClientMessageId::from_u128(id);
                let found = messages.iter().position(|message| message.id == id && message.sender == sender);
                let oldest_recent = messages.len().saturating_sub(RECENT_MAX);
                let expected = match found {
                    Some(place) if place >= oldest_recent => Recall::SentAt(messages[place].at),
                    _ if after.is_some() && after > last_at => Recall::AheadOfRoom,
                    // The head knows of everything after this.
                    _ if oldest_recent == 0 || after >= Some(messages[oldest_recent].at) => Recall::Absent,
                    _ => Recall::Search(after),
                };
                let recall = room.recall(sender, id, after);
                prop_assert_eq!(recall, expected);
                if recall == Recall::Absent {
                    let later = messages.iter().filter(|message| Some(message.at) > after);
                    let is_it = |message: &Message| message.id == id && message.sender == sender;
                    prop_assert!(!later.into_iter().any(is_it));
                }
            }
        }
    }

    #[test]
    fn a_room_survives_its_parts(steps in steps()) {
        let conversation = Conversation::of(&steps);
        if conversation.room.log().is_some() {
            prop_assert_eq!(&restored(&conversation.room, conversation.reads()), &conversation.room);
        }
    }

    #[test]
    fn a_preview_cuts_nothing_in_two(before in 0..PREVIEW_MAX_CHARS, sign in 0..SIGNS.len()) {
        let text = format!("{}{}", "가".repeat(before), SIGNS[sign].repeat(PREVIEW_MAX_CHARS));
        let preview = Content::Text(text.parse().unwrap()).preview();
        let signs = (PREVIEW_MAX_CHARS - before) / SIGNS[sign].chars().count();
        prop_assert_eq!(preview, format!("{}{}", "가".repeat(before), SIGNS[sign].repeat(signs)));
    }

    #[test]
    fn a_preview_holds_as_many_whole_characters_as_it_can(
        parts in prop::collection::vec(prop::sample::select([&SIGNS[..], &["🇰", "a", "한"]].concat()), 60..99),
    ) {
        let text = parts.concat();
        let mut expected = String::new();
        for sign in text.graphemes(true) {
            if expected.chars().count() + sign.chars().count() > PREVIEW_MAX_CHARS {
                break;
            }
            expected.push_str(sign);
        }
        prop_assert_eq!(Content::Text(text.parse().unwrap()).preview(), expected);
    }

    #[test]
    fn a_preview_is_one_short_line(text in "[a가 \n\t]{1,150}") {
        let Ok(text) = text.parse() else { return Ok(()) };
        let content = Content::Text(text);
        let preview = content.preview();
        prop_assert!(preview.chars().count() <= PREVIEW_MAX_CHARS && !preview.contains(['\n', '\t']));
        let same = |(shown, said): (char, char)| shown == said || (shown == ' ' && said.is_whitespace());
        prop_assert!(preview.chars().zip(content.text().chars()).all(same));
    }
}

#[test]
fn only_a_further_mark_advances() {
    let mark = |up_to, count| ReadMark { up_to, count };
    let state = ReadState::default().advanced(mark(nine(), 1)).expect("the first mark");
    assert_eq!(state.mark, Some(mark(nine(), 1)));
    assert_eq!(state.advanced(mark(nine(), 1)), None);
    assert_eq!(state.advanced(mark(nine().previous(), 2)), None);
    let further = state.advanced(mark(nine().next(), 1)).expect("it is further");
    assert_eq!(further, ReadState { mark: Some(mark(nine().next(), 1)), ..state });
}

/// Whether each member sees a message as read, in a chat in which everybody is in touch.
fn seen_by_both(room: &Room, message: &Message) -> [bool; 2] {
    [Member::A, Member::B].map(|viewer| room.is_read(message, viewer, FirstContact::Open))
}

#[test]
fn an_id_of_the_peer_is_not_mine() {
    let mut conversation = Conversation::new();
    conversation.send(Member::A);
    let id = conversation.messages[0].id;
    assert_eq!(conversation.room.recall(Member::A, id, None), Recall::SentAt(nine()));
    assert_eq!(conversation.room.recall(Member::B, id, None), Recall::Absent);
}

#[test]
fn an_empty_room_holds_nothing_and_nothing_newer_can_be_known_of_it() {
    let room = Room::empty(their_room());
    assert_eq!((room.seq(), room.log(), room.activity()), (0, None, None));
    for member in MEMBERS {
        assert_eq!((room.unread(member), room.read_up_to(member)), (0, None));
        let id = ClientMessageId::from_u128(1);
        assert_eq!(room.recall(member, id, None), Recall::Absent);
        assert_eq!(room.recall(member, id, Some(Timestamp::UNIX_EPOCH)), Recall::Absent);
        assert_eq!(room.recall(member, id, Some(Timestamp::UNIX_EPOCH.next())), Recall::AheadOfRoom);
    }
}

/// A room as a store keeps it.
#[derive(Clone)]
struct Parts {
    log: RoomLog,
    reads: PerMember<ReadState>,
}

/// Ten messages; A has read some of them, B none.
fn ten_messages() -> Parts {
    let mut conversation = Conversation::new();
    for sender in MEMBERS.into_iter().cycle().take(10) {
        conversation.send(sender);
    }
    conversation.read(Member::A, 7);
    conversation.freeze();
    Parts { log: conversation.room.log().cloned().expect("ten messages"), reads: conversation.reads() }
}

#[rstest]
#[case::no_message(|it: &mut Parts| it.log.newest.seq = 0, "it holds no message")]
#[case::one_more(|it: &mut Parts| it.log.sent.a += 1, "the counts do not add up")]
#[case::overflow(|it: &mut Parts| it.log.sent.a = u64::MAX, "the counts do not add up")]
#[case::one_recent_less(
    |it: &mut Parts| it.log.recent.truncate(RECENT_MAX - 1),
    "the recent messages are too many or too few"
)]
#[case::no_recent(|it: &mut Parts| it.log.recent.clear(), "the recent messages are too many or too few")]
#[case::one_recent_more(
    |it: &mut Parts| it.log.recent.insert(0, Recent { at: Timestamp::MIN, ..it.log.recent[0] }),
    "the recent messages are too many or too few"
)]
#[case::swapped(|it: &mut Parts| it.log.recent.swap(2, 3), "the recent messages are not in order")]
#[case::doubled(|it: &mut Parts| it.log.recent[2] = it.log.recent[3], "the recent messages are not in order")]
#[case::another_newest(
    |it: &mut Parts| it.log.newest.at = it.log.newest.at.next(),
    "the newest message is not the last of the recent ones"
)]
#[case::read_ahead(
    |it: &mut Parts| it.reads.b.mark = Some(ReadMark { up_to: it.log.last_at().next(), count: 5 }),
    "a read mark is past the newest message"
)]
#[case::read_too_many(
    |it: &mut Parts| it.reads.b.mark = Some(ReadMark { up_to: it.log.last_at(), count: 6 }),
    "a read mark counts more than was sent"
)]
#[case::shown_ahead(
    |it: &mut Parts| it.reads.a.shown_to = it.reads.a.mark.map(|mark| mark.up_to.next()),
    "more is shown as read than was read"
)]
#[case::shown_unread(
    |it: &mut Parts| it.reads.b.shown_to = Some(Timestamp::MIN),
    "more is shown as read than was read"
)]
#[case::another_sender(
    |it: &mut Parts| it.log.newest.sender = it.log.newest.sender.peer(),
    "the newest message is not the last of the recent ones"
)]
#[case::another_id(
    |it: &mut Parts| it.log.newest.id = it.log.recent[0].id,
    "the newest message is not the last of the recent ones"
)]
#[case::of_another_room(
    |it: &mut Parts| it.log.newest.room = "a@example.com#b@example.com".parse().expect("well-formed"),
    "the newest message is of another room"
)]
#[case::counted_otherwise(
    |it: &mut Parts| it.log.newest.sender_seq -= 1,
    "the newest message counts otherwise"
)]
#[case::nine_open_proposals(
    |it: &mut Parts| it.log.open_proposals = (0..9).map(open_proposal).collect(),
    "too many proposals are open"
)]
#[case::one_open_proposal_twice(
    |it: &mut Parts| it.log.open_proposals = vec![open_proposal(0), open_proposal(0)],
    "the open proposals are not in order"
)]
#[case::open_proposals_out_of_order(
    |it: &mut Parts| it.log.open_proposals = vec![open_proposal(1), open_proposal(0)],
    "the open proposals are not in order"
)]
fn parts_that_contradict_each_other_are_refused(#[case] corrupt: fn(&mut Parts), #[case] rule: &str) {
    let mut parts = ten_messages();
    assert!(Room::restore(their_room(), parts.log.clone(), parts.reads).is_ok());
    corrupt(&mut parts);
    let refused = Room::restore(their_room(), parts.log, parts.reads).expect_err("it is corrupt");
    assert_eq!(refused.to_string(), format!("the stored room is corrupt: {rule}"));
}

fn open_proposal(number: u64) -> OpenProposal {
    let at = after_nine(number);
    OpenProposal { at, proposer: Member::A, match_at: at.after(Duration::from_secs(60)) }
}

fn rate() -> impl Strategy<Value = SendRate> {
    let number = |max: u32| (1..=max).prop_map(|number| NonZeroU32::new(number).expect("at least one"));
    (number(6), number(4)).prop_map(|(burst, per_second)| SendRate { burst, per_second })
}

fn send_at(room: &Room, sender: Member, now: Timestamp, rate: SendRate) -> Result<Append, AppendRefused> {
    let policy = SendPolicy { rate, first_contact: FirstContact::Open, daily: DailyLimits::UNLIMITED };
    room.append(&draft(room.seq(), sender, words("말")), now, policy)
}

proptest! {
    #[test]
    fn no_stretch_of_time_admits_more_than_the_burst_and_the_refill(
        rate in rate(),
        gaps_ms in proptest::collection::vec(prop_oneof![0_u64..50, 0_u64..2_000], 1..80),
    ) {
        let mut room = Room::empty(their_room());
        let mut now = nine();
        let mut admitted: Vec<Timestamp> = Vec::new();
        for gap in gaps_ms {
            now = now.after(Duration::from_millis(gap));
            match send_at(&room, Member::A, now, rate) {
                Ok(append) => {
                    room.apply(&append);
                    admitted.push(now);
                }
                Err(AppendRefused::RateLimited { retry_after }) => {
                    let in_time = now.after(retry_after);
                    prop_assert!(send_at(&room, Member::A, in_time, rate).is_ok());
                    let sooner = send_at(&room, Member::A, in_time.previous(), rate);
                    prop_assert!(sooner.is_err(), "not a moment sooner");
                    let by_the_peer = send_at(&room, Member::B, now, rate);
                    prop_assert!(by_the_peer.is_ok(), "the peer has a bucket of their own");
                }
                Err(refused) => return Err(TestCaseError::fail(refused.to_string())),
            }
        }
        for (first, from) in admitted.iter().enumerate() {
            for (last, to) in admitted.iter().enumerate().skip(first) {
                let count = (last - first + 1) as u128;
                let refill = to.since(*from).as_millis() * u128::from(rate.per_second.get()) / 1_000;
                prop_assert!(count <= u128::from(rate.burst.get()) + refill);
            }
        }
    }

    #[test]
    fn the_first_burst_is_always_admitted(
        rate in rate(),
        senders in proptest::collection::vec(member(), 1..12),
    ) {
        let mut conversation = Conversation::new();
        for sender in senders {
            let sent = conversation.sent(sender, conversation.messages.len());
            let appended = send_at(&conversation.room, sender, nine(), rate);
            prop_assert_eq!(appended.is_ok(), sent < u64::from(rate.burst.get()));
            if let Ok(append) = appended {
                conversation.room.apply(&append);
                conversation.messages.push(append.log.newest);
            }
        }
    }
}

fn proposal(match_at: Timestamp) -> Content {
    let text = "a short text";
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().expect(text),
        opponent_team_name: "준호 유나이티드".parse().expect(text),
        match_at,
        venue: "서울특별시 중구 세종대로 110".parse().expect(text),
        note: None,
    })
}

fn answer(proposal: Timestamp, verdict: Verdict) -> Content {
    Content::MatchProposalAnswer(ProposalAnswer { proposal, verdict })
}

fn say(room: &Room, sender: Member, content: Content, now: Timestamp) -> Result<Room, AppendRefused> {
    let append = room.append(&draft(room.seq(), sender, content), now, UNLIMITED)?;
    let mut room = room.clone();
    room.apply(&append);
    Ok(room)
}

fn refused<T>(refused: ProposalRefused) -> Result<T, AppendRefused> {
    Err(AppendRefused::Proposal(refused))
}

/// A room in which A proposed, at nine, a match a second later.
fn proposed() -> Room {
    say(&Room::empty(their_room()), Member::A, proposal(after_nine(1_000)), nine())
        .expect("it is for the future")
}

fn open(room: &Room) -> &[OpenProposal] {
    room.log().map_or(&[], |log| &log.open_proposals)
}

#[rstest]
#[case::receiver_accepts(Member::B, Verdict::Accepted, Ok(()))]
#[case::receiver_declines(Member::B, Verdict::Declined, Ok(()))]
#[case::proposer_withdraws(Member::A, Verdict::Withdrawn, Ok(()))]
#[case::proposer_accepts(Member::A, Verdict::Accepted, refused(ProposalRefused::NotYours))]
#[case::proposer_declines(Member::A, Verdict::Declined, refused(ProposalRefused::NotYours))]
#[case::receiver_withdraws(Member::B, Verdict::Withdrawn, refused(ProposalRefused::NotYours))]
fn each_answer_is_one_members_to_give(
    #[case] by: Member,
    #[case] verdict: Verdict,
    #[case] answered: Result<(), AppendRefused>,
) {
    let room = say(&proposed(), by, answer(nine(), verdict), after_nine(1));
    assert_eq!(room.map(|room| open(&room).len()), answered.map(|()| 0));
}

#[test]
fn the_first_answer_wins() {
    for (by, verdict) in
        [(Member::B, Verdict::Accepted), (Member::B, Verdict::Declined), (Member::A, Verdict::Withdrawn)]
    {
        let room = say(&proposed(), by, answer(nine(), verdict), after_nine(1)).unwrap();
        for (late, verdict) in
            [(Member::B, Verdict::Accepted), (Member::B, Verdict::Declined), (Member::A, Verdict::Withdrawn)]
        {
            let second = say(&room, late, answer(nine(), verdict), after_nine(2));
            assert_eq!(second, refused(ProposalRefused::NotOpen));
        }
    }
}

#[test]
fn an_answer_names_a_proposal() {
    let room = say(&proposed(), Member::A, words("어때?"), after_nine(1)).unwrap();
    for not_a_proposal in [after_nine(1), nine().previous(), nine().next()] {
        let answered = say(&room, Member::B, answer(not_a_proposal, Verdict::Accepted), after_nine(2));
        assert_eq!(answered, refused(ProposalRefused::NotOpen));
    }
    let nothing = Room::empty(their_room());
    let answered = say(&nothing, Member::B, answer(nine(), Verdict::Accepted), nine());
    assert_eq!(answered, refused(ProposalRefused::NotOpen));
}

#[test]
fn a_match_is_proposed_for_the_future() {
    let room = Room::empty(their_room());
    let past = nine().before(IN_DOUBT_FOR);
    assert_eq!(say(&room, Member::A, proposal(past), nine()), refused(ProposalRefused::InThePast));
    assert_eq!(say(&room, Member::A, proposal(past.next()), nine()), refused(ProposalRefused::InDoubt));
    assert_eq!(say(&room, Member::A, proposal(nine()), nine()), refused(ProposalRefused::InDoubt));
    assert!(say(&room, Member::A, proposal(nine().next()), nine()).is_ok());
}

/// The message's own timestamp counts, which may be later than the handler's clock.
#[test]
fn the_future_begins_at_the_messages_timestamp() {
    let room = say(&Room::empty(their_room()), Member::B, words("안녕"), after_nine(500)).unwrap();
    let late_clock = nine();
    let proposed = say(&room, Member::A, proposal(after_nine(501)), late_clock);
    assert_eq!(proposed, refused(ProposalRefused::InDoubt));
    assert!(say(&room, Member::A, proposal(after_nine(502)), late_clock).is_ok());
}

#[rstest]
#[case::at_the_last_moment(Member::B, Verdict::Accepted, 999, Ok(()))]
#[case::when_it_has_just_begun(Member::B, Verdict::Accepted, 1_000, refused(ProposalRefused::InDoubt))]
#[case::as_long_as_that_is_in_doubt(Member::B, Verdict::Accepted, 60_999, refused(ProposalRefused::InDoubt))]
#[case::when_it_has_begun(Member::B, Verdict::Accepted, 61_000, refused(ProposalRefused::TooLate))]
#[case::declining_is_never_too_late(Member::B, Verdict::Declined, 1_000, Ok(()))]
#[case::nor_is_withdrawing(Member::A, Verdict::Withdrawn, 1_000, Ok(()))]
fn a_match_is_accepted_before_it_begins(
    #[case] by: Member,
    #[case] verdict: Verdict,
    #[case] ms: u64,
    #[case] answered: Result<(), AppendRefused>,
) {
    assert_eq!(say(&proposed(), by, answer(nine(), verdict), after_nine(ms)).map(drop), answered);
}

/// A room whose list of open proposals is full; all matches begin at the same time.
fn full(match_at: Timestamp) -> Room {
    MEMBERS.into_iter().cycle().take(OPEN_PROPOSALS_MAX).fold(Room::empty(their_room()), |room, proposer| {
        say(&room, proposer, proposal(match_at), nine()).expect("there is room for eight")
    })
}

#[test]
fn no_more_than_eight_proposals_wait() {
    let room = full(after_nine(1_000));
    assert_eq!(open(&room).len(), OPEN_PROPOSALS_MAX);
    let ninth = say(&room, Member::B, proposal(after_nine(2_000)), after_nine(999));
    assert_eq!(ninth, refused(ProposalRefused::InDoubt), "one millisecond later there would be room");
    let later = full(after_nine(100_000));
    let ninth = say(&later, Member::B, proposal(after_nine(200_000)), after_nine(999));
    assert_eq!(ninth, refused(ProposalRefused::TooManyOpen));
    let first = open(&room)[0];
    let room = say(&room, Member::B, answer(first.at, Verdict::Declined), after_nine(999)).unwrap();
    assert!(say(&room, Member::B, proposal(after_nine(2_000)), after_nine(999)).is_ok());
}

#[test]
fn matches_that_have_begun_make_room() {
    let room =
        say(&full(after_nine(1_000)), Member::B, proposal(after_nine(2_000)), after_nine(1_000)).unwrap();
    let ninth = OpenProposal { at: after_nine(1_000), proposer: Member::B, match_at: after_nine(2_000) };
    assert_eq!(open(&room), [ninth]);
}

#[derive(Clone, Copy, Debug)]
enum Negotiation {
    Propose { match_in_ms: u64 },
    Answer { place: usize, verdict: Verdict },
    Say,
}

fn negotiation() -> impl Strategy<Value = Negotiation> {
    let verdict = prop_oneof![Just(Verdict::Accepted), Just(Verdict::Declined), Just(Verdict::Withdrawn)];
    prop_oneof![
        3 => (0_u64..40).prop_map(|match_in_ms| Negotiation::Propose { match_in_ms }),
        2 => (any::<usize>(), verdict).prop_map(|(place, verdict)| Negotiation::Answer { place, verdict }),
        1 => Just(Negotiation::Say),
    ]
}

proptest! {
    /// Against the whole log: what was proposed, when its match begins, and whether anybody has answered.
    #[test]
    fn an_answer_is_taken_once_by_who_may_give_it_and_in_time(
        steps in proptest::collection::vec((member(), 0_u64..6, negotiation()), 1..60),
    ) {
        struct Proposed { open: OpenProposal, answered: bool }
        let mut room = Room::empty(their_room());
        let mut proposals: Vec<Proposed> = Vec::new();
        let mut now = nine();
        for (by, gap_ms, step) in steps {
            now = now.after(Duration::from_millis(gap_ms));
            let at = room.log().map_or(now, |log| now.max(log.last_at().next()));
            let (content, taken) = match step {
                Negotiation::Say => (words("음"), true),
                Negotiation::Propose { match_in_ms } => {
                    let match_at = now.after(Duration::from_millis(match_in_ms));
                    let waiting = open(&room).iter().filter(|open| open.match_at > at).count();
                    (proposal(match_at), match_at > at && waiting < OPEN_PROPOSALS_MAX)
                }
                Negotiation::Answer { place, verdict } => {
                    let Some(count) = proposals.len().checked_sub(1) else { continue };
                    let Proposed { open: named, answered } = &proposals[place % (count + 1)];
                    // One whose match has begun may be forgotten, and then nothing can be said to it.
                    let remembered = open(&room).contains(named);
                    prop_assert!(remembered != *answered || (!remembered && named.match_at <= at));
                    let entitled = (by == named.proposer) == (verdict == Verdict::Withdrawn);
                    let in_time = verdict != Verdict::Accepted || at < named.match_at;
                    (answer(named.at, verdict), remembered && entitled && in_time)
                }
            };
            let said = say(&room, by, content.clone(), now);
            prop_assert_eq!(said.is_ok(), taken, "{:?}", said.map(drop));
            let Ok(next) = say(&room, by, content.clone(), now) else { continue };
            room = next;
            match content {
                Content::MatchProposal(Proposal { match_at, .. }) => {
                    let open = OpenProposal { at, proposer: by, match_at };
                    proposals.push(Proposed { open, answered: false });
                }
                Content::MatchProposalAnswer(ProposalAnswer { proposal, .. }) => {
                    let named = proposals.iter_mut().find(|proposed| proposed.open.at == proposal);
                    named.expect("it was found before").answered = true;
                }
                _ => {}
            }
            prop_assert!(open(&room).len() <= OPEN_PROPOSALS_MAX);
            prop_assert!(open(&room).is_sorted_by(|one, next| one.at < next.at), "oldest first");
        }
    }
}

#[test]
fn a_room_is_deserted_once_both_members_were_erased() {
    let said = |room: &Room, id, sender| {
        let append = room.append(&draft(id, sender, words("말")), nine(), SendRate::default());
        let mut room = room.clone();
        room.apply(&append.expect("it is allowed"));
        room
    };
    assert_eq!(Room::empty(their_room()).without(Member::A), None, "it is never stored");
    let room = said(&Room::empty(their_room()), 1, Member::A);
    assert_eq!(room.erased(), PerMember::default());
    for [first, second] in [[Member::A, Member::B], [Member::B, Member::A]] {
        let one = room.without(first).expect("the first is there");
        assert!(!one.is_deserted());
        assert_eq!(one.without(first), None, "nothing is left of the first");
        let both = one.without(second).expect("the second is there");
        assert!(both.is_deserted());
        // Who writes is here again, and the other one is not.
        let again = said(&both, 2, first);
        assert!(!again.is_deserted());
        assert!(!again.erased()[first] && again.erased()[second]);
        assert_eq!(restored(&again, PerMember::default()).with_erased(again.erased()), again);
    }
}

/// A room in which these have been said, one after the other.
fn said_by(senders: &[Member]) -> Room {
    senders.iter().fold(Room::empty(their_room()), |room, sender| {
        say(&room, *sender, words("말"), nine()).expect("everybody may say everything")
    })
}

fn ask(room: &Room, sender: Member, content: Content) -> Result<Append, AppendRefused> {
    let policy =
        SendPolicy { rate: RATE, first_contact: FirstContact::Request, daily: DailyLimits::UNLIMITED };
    room.append(&draft(room.seq(), sender, content), nine(), policy)
}

fn accepted(by: Member) -> PerMember<Consent> {
    let mut consents = PerMember::<Consent>::default();
    consents[by].accepted = true;
    consents
}

fn blocking(by: Member) -> PerMember<Consent> {
    let mut consents = PerMember::<Consent>::default();
    consents[by].blocked = Some(nine());
    consents
}

fn photo() -> Content {
    let facts = ImageFacts::new(ImageType::Jpeg, 1_000, 16, 9).expect("within bounds");
    let key = AttachmentKey::mint(&their_room(), Member::A, facts, 1);
    Content::Image { attachment: Attachment { key, facts, alt: None }, caption: None }
}

#[test]
fn a_conversation_is_a_request_until_its_receiver_answers_or_accepts() {
    let request = FirstContact::Request;
    assert_eq!(Room::empty(their_room()).request_of(request), None);
    for [began, other] in [[Member::A, Member::B], [Member::B, Member::A]] {
        let room = said_by(&[began, began]);
        assert_eq!(room.request_of(request), Some(began));
        assert_eq!(room.request_of(FirstContact::Open), None);
        assert_eq!(room.clone().with_consent(accepted(began)).request_of(request), Some(began));
        assert_eq!(room.clone().with_consent(accepted(other)).request_of(request), None);
        assert_eq!(said_by(&[began, other]).request_of(request), None);
        assert_eq!(room.clone().with_consent(blocking(other)).request_of(request), Some(began));
    }
}

#[test]
fn a_request_has_at_most_ten_messages_and_its_answer_ends_the_limit() {
    let mut room = Room::empty(their_room());
    for _ in 0..REQUEST_MESSAGES_MAX {
        room.apply(&ask(&room, Member::A, words("말")).expect("it is one of the ten"));
    }
    assert_eq!(ask(&room, Member::A, words("하나 더")), Err(AppendRefused::NotAccepted));
    assert!(say(&room, Member::A, words("하나 더"), nine()).is_ok(), "not where everybody may write");
    let accepted = room.clone().with_consent(accepted(Member::B));
    assert!(ask(&accepted, Member::A, words("하나 더")).is_ok());
    room.apply(&ask(&room, Member::B, words("그래")).expect("the receiver may say everything"));
    assert!(ask(&room, Member::A, photo()).is_ok());
}

#[test]
fn a_request_says_words_and_proposals_only() {
    let tomorrow = nine().after(Duration::from_secs(86_400));
    let empty = Room::empty(their_room());
    assert_eq!(ask(&empty, Member::A, photo()), Err(AppendRefused::NotAccepted));
    let mut room = empty;
    room.apply(&ask(&room, Member::A, proposal(tomorrow)).expect("a proposal is allowed"));
    let place = room.log().expect("there is a proposal").last_at();
    assert_eq!(ask(&room, Member::A, photo()), Err(AppendRefused::NotAccepted));
    let verdict = ask(&room, Member::A, answer(place, Verdict::Accepted));
    assert_eq!(verdict, Err(AppendRefused::Proposal(ProposalRefused::NotYours)));
    assert!(ask(&room, Member::A, answer(place, Verdict::Withdrawn)).is_ok());
    assert!(ask(&room, Member::B, answer(place, Verdict::Accepted)).is_ok(), "an answer is an answer");
    assert!(!room.admits_images(Member::A, FirstContact::Request));
    assert!(room.admits_images(Member::B, FirstContact::Request));
    assert!(room.admits_images(Member::A, FirstContact::Open));
}

#[test]
fn nobody_writes_to_who_blocks_them() {
    for first_contact in [FirstContact::Open, FirstContact::Request] {
        let policy = SendPolicy { rate: RATE, first_contact, daily: DailyLimits::UNLIMITED };
        for [blocker, blocked] in [[Member::A, Member::B], [Member::B, Member::A]] {
            let room = said_by(&[blocked, blocker]).with_consent(blocking(blocker));
            let by = |sender, content| room.append(&draft(9, sender, content), nine(), policy);
            for content in [words("말"), photo(), proposal(nine().after(Duration::from_secs(60)))] {
                assert_eq!(by(blocked, content), Err(AppendRefused::NotAccepted));
            }
            assert!(by(blocker, words("말")).is_ok());
            assert!(!room.admits_images(blocked, first_contact));
            assert!(room.admits_images(blocker, first_contact));
        }
    }
}

#[test]
fn a_refusal_of_the_receiver_comes_before_that_of_the_rate() {
    let slow = SendRate { burst: NonZeroU32::MIN, per_second: NonZeroU32::MIN };
    let room = said_by(&[Member::B]);
    let room =
        Room::restore(their_room(), room.log().expect("something was said").clone(), PerMember::default());
    let mut room = room.expect("it is whole").with_consent(blocking(Member::B));
    let again = |room: &Room| room.append(&draft(9, Member::A, words("말")), nine(), slow);
    assert_eq!(again(&room), Err(AppendRefused::NotAccepted));
    room = room.with_consent(PerMember::default());
    room.apply(&again(&room).expect("it is the first"));
    assert!(matches!(again(&room), Err(AppendRefused::RateLimited { .. })));
}

#[test]
fn the_two_are_in_touch_once_both_agree() {
    let request = FirstContact::Request;
    assert!(!Room::empty(their_room()).are_in_touch(request));
    assert!(!Room::empty(their_room()).are_in_touch(FirstContact::Open));
    assert!(!said_by(&[Member::A]).are_in_touch(request));
    assert!(said_by(&[Member::A]).are_in_touch(FirstContact::Open));
    assert!(said_by(&[Member::A]).with_consent(accepted(Member::B)).are_in_touch(request));
    assert!(said_by(&[Member::A, Member::B]).are_in_touch(request));
    for member in [Member::A, Member::B] {
        let room = said_by(&[Member::A, Member::B]).with_consent(blocking(member));
        assert!(!room.are_in_touch(request) && !room.are_in_touch(FirstContact::Open));
    }
}

#[test]
fn who_is_out_of_touch_sees_what_the_other_had_read_when_they_were_in_touch() {
    let room = said_by(&[Member::A, Member::A, Member::B]);
    let log = room.log().expect("something was said").clone();
    let (first, newest) = (log.recent[0].at, log.last_at());
    let mark = Some(ReadMark { up_to: newest, count: 2 });
    let reads =
        PerMember { b: ReadState { mark, shown_to: Some(first), cleared_to: None }, ..PerMember::default() };
    let room = Room::restore(their_room(), log, reads).expect("it is whole");
    let message = |at, seq| Message {
        room: their_room(),
        at,
        seq,
        sender: Member::A,
        sender_seq: seq,
        changes: 0,
        id: ClientMessageId::from_u128(seq.into()),
        content: words("말"),
        reply_to: None,
        changed: Changed::default(),
    };
    let messages = [message(first, 1), message(room.log().expect("said").recent[1].at, 2)];
    let seen = |room: &Room, viewer| {
        messages.each_ref().map(|message| room.is_read(message, viewer, FirstContact::Request))
    };
    assert_eq!(room.peer_read_up_to(Member::A, FirstContact::Request), Some(newest));
    assert_eq!(seen(&room, Member::A), [true, true]);
    let apart = room.with_consent(blocking(Member::A));
    assert_eq!(apart.peer_read_up_to(Member::A, FirstContact::Request), Some(first));
    assert_eq!(seen(&apart, Member::A), [true, false]);
    assert_eq!(seen(&apart, Member::B), [true, true], "who has read knows");
}

#[test]
fn a_change_of_mind_writes_what_is_new_and_every_block() {
    let change =
        |room: &Room, change, now| room.change_of_consent(Member::A, change, now, FirstContact::Request);
    let room = said_by(&[Member::B]);
    assert_eq!(change(&room, ConsentChange::Accept, nine()), Ok(Some(ConsentWrite::Accept)));
    assert_eq!(change(&room, ConsentChange::Unblock, nine()), Ok(None));
    let block = |freezes_reads| Ok(Some(ConsentWrite::Block { at: nine(), freezes_reads }));
    assert_eq!(change(&room, ConsentChange::Block, nine()), block(false), "it is a request");
    let room = room.with_consent(accepted(Member::A));
    assert_eq!(change(&room, ConsentChange::Block, nine()), block(true));
    assert_eq!(change(&room, ConsentChange::Accept, nine()), Ok(None));
    let room = room.with_consent(blocking(Member::A));
    assert_eq!(change(&room, ConsentChange::Block, nine()), block(false), "an unblocking may be on its way");
    let unblock = Ok(Some(ConsentWrite::Unblock { of: nine() }));
    assert_eq!(change(&room, ConsentChange::Unblock, nine()), unblock);
    assert_eq!(change(&room, ConsentChange::Unblock, nine().previous()), Err(UnblockInDoubt));
}

#[test]
fn a_decision_is_applied_to_the_room_that_it_was_made_for() {
    let none = PerMember::<Consent>::default();
    let mark = ReadMark { up_to: nine(), count: 1 };
    let read = ReadState { mark: Some(mark), ..ReadState::default() };
    let reads = PerMember { a: read, b: ReadState::default() };
    let block = |freezes_reads| ConsentWrite::Block { at: nine(), freezes_reads };
    let frozen = PerMember { a: ReadState { shown_to: Some(nine()), ..read }, ..reads };
    for member in MEMBERS {
        assert_eq!(block(true).applied(member, none, reads), Some((blocking(member), frozen)));
        assert_eq!(block(false).applied(member, none, reads), Some((blocking(member), reads)));
        assert_eq!(ConsentWrite::Accept.applied(member, none, reads), Some((accepted(member), reads)));
        for other in MEMBERS {
            assert_eq!(block(true).applied(member, blocking(other), reads), None, "they are not in touch");
        }
        let lift = |of| ConsentWrite::Unblock { of }.applied(member, blocking(member), reads);
        assert_eq!(lift(nine()), Some((none, reads)));
        assert_eq!(lift(nine().previous()), None, "it is another block");
        assert_eq!(ConsentWrite::Unblock { of: nine() }.applied(member, none, reads), Some((none, reads)));
    }
}

#[test]
fn who_is_erased_leaves_no_decision() {
    let room = said_by(&[Member::A, Member::B]).with_consent(PerMember {
        a: Consent { accepted: true, blocked: Some(nine()) },
        b: Consent { accepted: true, blocked: Some(nine()) },
    });
    let without = room.without(Member::A).expect("there is something of theirs");
    assert_eq!(without.consent(Member::A), Consent::default());
    assert_eq!(without.consent(Member::B), room.consent(Member::B));
    let again = without.clone().with_consent(room.consents());
    assert_eq!(again.without(Member::A), Some(without), "a decision made since is found");
}
