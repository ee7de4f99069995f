use std::sync::Arc;

use chat_adapters_memory::MemoryReportStore;
use chat_domain::{
    ChatError, DailyLimits, FileReport, Identify, MockReportStore, Report, ReportCommand, ReportStore,
    ReportStoreError, Reported, ReportedTimes, Timestamp,
};

use crate::assert_refused;
use crate::chat::*;

fn over(chat: &Chat, reports: impl ReportStore + 'static) -> FileReport {
    let identify = Arc::new(Identify::new(chat.connections.port(), chat.pushes.port()));
    let limits = DailyLimits::default();
    FileReport::new(identify, chat.messages.port(), Arc::new(reports), chat.users.clone(), limits)
}

fn of_junho(times: &[Timestamp]) -> ReportCommand {
    let times = ReportedTimes::new(times.iter().copied()).unwrap();
    ReportCommand { peer: junho(), times, reason: Some("사기".parse().unwrap()) }
}

#[tokio::test]
async fn a_report_keeps_the_messages_whatever_becomes_of_them() {
    let chat = Chat::new().await;
    let said = [chat.write(JUNHO, 1, "돈 보내", at(0)).await, chat.write(JUNHO, 2, "빨리", at(1)).await];
    let reports = MemoryReportStore::new();
    let file = over(&chat, reports.clone());
    let reported = file.execute(&origin(MINJI_PHONE, at(2)), of_junho(&[at(1), at(0)])).await.unwrap();
    assert_eq!(reported, Reported { room: their_room(), is_new: true });
    crate::erase::erase(&chat).execute(&junho(), at(0)).await.unwrap();

    let kept = Report {
        room: their_room(),
        reporter: MINJI,
        reason: Some("사기".parse().unwrap()),
        messages: said.to_vec(),
        at: at(2),
    };
    assert_eq!(reports.list(None).await.unwrap().reports, [kept]);
    let gone = file.execute(&origin(MINJI_PHONE, at(3)), of_junho(&[at(1)])).await;
    assert_refused!(gone, ChatError::NotFound);
    assert_eq!(reports.list(None).await.unwrap().reports.len(), 1);
}

#[tokio::test]
async fn a_repeated_report_is_kept_once() {
    let chat = Chat::new().await;
    chat.write(JUNHO, 1, "돈 보내", at(0)).await;
    let reports = MemoryReportStore::new();
    let file = over(&chat, reports.clone());
    for (ms, is_new) in [(1, true), (2, false)] {
        let reported = file.execute(&origin(MINJI_PHONE, at(ms)), of_junho(&[at(0)])).await.unwrap();
        assert_eq!(reported.is_new, is_new);
    }
    assert_eq!(reports.list(None).await.unwrap().reports.len(), 1);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_reported() {
    let chat = Chat::new().await;
    let reports = MemoryReportStore::new();
    let file = over(&chat, reports.clone());
    assert_refused!(file.execute(&origin(MINJI_PHONE, at(1)), of_junho(&[at(0)])).await, ChatError::NotFound);
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    let half = file.execute(&origin(MINJI_PHONE, at(1)), of_junho(&[at(0), at(5)])).await;
    assert_refused!(half, ChatError::NotFound);
    let alone = ReportCommand { peer: minji(), ..of_junho(&[at(0)]) };
    assert_refused!(file.execute(&origin(MINJI_PHONE, at(1)), alone).await, ChatError::SelfChat);
    assert_eq!(reports.list(None).await.unwrap().reports, []);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let chat = Chat::new().await;
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    let mut reports = MockReportStore::new();
    reports.expect_file().returning(|_| Err(ReportStoreError::Throttled { operation: "file" }));
    let refused = over(&chat, reports).execute(&origin(MINJI_PHONE, at(1)), of_junho(&[at(0)])).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
}

#[test]
fn a_report_names_one_to_twenty_messages() {
    assert!(ReportedTimes::new([]).is_err());
    assert!(ReportedTimes::new((0..20).map(at)).is_ok());
    assert!(ReportedTimes::new((0..21).map(at)).is_err());
    assert_eq!(ReportedTimes::new([at(1), at(0), at(1)]).unwrap().iter().collect::<Vec<_>>(), [at(0), at(1)]);
}

#[test]
fn the_text_of_an_id_round_trips_and_sorts_as_it_does() {
    let room = their_room();
    let id = |ms| {
        let message = chat_domain::Message {
            room: room.clone(),
            at: at(ms),
            seq: 1,
            sender: JUNHO,
            sender_seq: 1,
            changes: 0,
            id: id(1),
            content: words("말"),
            reply_to: None,
            changed: chat_domain::Changed::default(),
        };
        let messages = vec![message];
        Report { room: room.clone(), reporter: MINJI, reason: None, messages, at: at(0) }.id()
    };
    assert_eq!(id(5).to_string().parse(), Ok(id(5)));
    assert!(id(5) < id(6) && id(5).to_string() < id(6).to_string());
    assert!("2026-11-23T09:00:00.000Z".parse::<chat_domain::ReportId>().is_err());
}
