//! Every text that a client is told about an error of the domain.

use std::fmt::Write as _;
use std::time::Duration;

use chat_domain::{
    AttachmentRefused, ChatError, ClientMessageIdError, EmailError, ProposalRefused, TextError,
    TimestampError, VerdictError,
};
use chat_wire::error::WireError;

fn chat_errors() -> Vec<ChatError> {
    let proposals = [
        ProposalRefused::InThePast,
        ProposalRefused::TooManyOpen,
        ProposalRefused::NotOpen,
        ProposalRefused::NotYours,
        ProposalRefused::TooLate,
        ProposalRefused::InDoubt,
    ];
    let proposals = proposals.into_iter().map(|refused| chat_domain::AppendRefused::from(refused).into());
    let attachments = attachments().into_iter().map(ChatError::from);
    let others = [
        ChatError::SelfChat,
        ChatError::IdReused,
        ChatError::AfterAheadOfRoom,
        ChatError::ResyncNeeded,
        ChatError::RateLimited { retry_after: Duration::from_millis(1_500) },
        ChatError::AttachmentMissing,
        ChatError::Unauthorized { reason: "unseen" },
        ChatError::AuthExpired,
        ChatError::UnknownConnection,
        ChatError::Unavailable { source: "unseen".into() },
        ChatError::Internal { source: "unseen".into() },
    ];
    others.into_iter().chain(proposals).chain(attachments).collect()
}

fn attachments() -> [AttachmentRefused; 10] {
    [
        AttachmentRefused::Type,
        AttachmentRefused::Size,
        AttachmentRefused::Sides,
        AttachmentRefused::Key,
        AttachmentRefused::Differs,
        AttachmentRefused::Broken,
        AttachmentRefused::Location,
        AttachmentRefused::Taken,
        AttachmentRefused::Lapsed,
        AttachmentRefused::InDoubt,
    ]
}

fn emails() -> [EmailError; 7] {
    [
        EmailError::TooLong,
        EmailError::NotAscii,
        EmailError::ForbiddenCharacter,
        EmailError::AtSign,
        EmailError::NoLocalPart,
        EmailError::HashInDomain,
        EmailError::DomainNotDotted,
    ]
}

fn texts() -> [TextError; 4] {
    [
        TextError::Empty,
        TextError::TooLong { bytes: 201, max_bytes: 200 },
        TextError::ControlCharacter('\u{7}'),
        TextError::BidirectionalControl('\u{202e}'),
    ]
}

#[test]
fn every_text_that_a_client_is_told() {
    let chat = chat_errors();
    let mut errors: Vec<WireError> = chat.iter().map(WireError::from).collect();
    errors.extend(attachments().map(WireError::from));
    errors.extend(emails().map(WireError::from));
    errors.extend(texts().map(WireError::from));
    let times = [TimestampError::Shape, TimestampError::NoSuchTime, TimestampError::OutOfRange];
    errors.extend(times.map(WireError::from));
    errors.push(ClientMessageIdError.into());
    errors.push(VerdictError.into());
    let mut listed = String::new();
    for WireError { code, message, failed } in errors {
        writeln!(listed, "{code:?}{}: {message}", if failed { ", failed" } else { "" }).unwrap();
    }
    assert!(!listed.contains("unseen"), "{listed}");
    insta::assert_snapshot!(listed);
}
