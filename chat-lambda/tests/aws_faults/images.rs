//! What was uploaded is not what was announced.

use rstest::rstest;
use serde_json::{Value, json};

use crate::fake_aws::FakeAws;
use crate::support::{ID, JUNHO, MINJI, PNG, frame};

const LONGER: [u8; PNG.len() + 1] = {
    let mut longer = [0; PNG.len() + 1];
    longer.split_at_mut(PNG.len()).0.copy_from_slice(&PNG);
    longer
};
const HTML: [u8; PNG.len()] = *b"<!doctype html><html><body><script>x()</script></body>           ";

/// Announces an image of [`PNG`]'s size: its key, and the frame that would send it.
async fn announced(aws: &FakeAws) -> (String, Value) {
    let attachment = aws.chat.announce(MINJI, JUNHO).await["attachment"].clone();
    let key = attachment["key"].as_str().unwrap().to_owned();
    (key, frame(json!({ "message": null, "attachment": attachment })))
}

#[rstest]
#[case::missing(None, "attachmentMissing")]
#[case::swapped_type(Some(("text/html", &PNG[..])), "attachmentRejected")]
#[case::swapped_bytes(Some(("image/png", &HTML[..])), "attachmentRejected")]
#[case::too_short(Some(("image/png", &PNG[..PNG.len() - 1])), "attachmentRejected")]
#[case::too_long(Some(("image/png", &LONGER[..])), "attachmentRejected")]
#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_what_was_announced_is_refused_and_nothing_is_stored(
    #[case] object: Option<(&str, &[u8])>,
    #[case] code: &str,
) {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    let (key, frame) = announced(&aws).await;
    if let Some((content_type, bytes)) = object {
        aws.bucket.put(&key, content_type, bytes);
    }
    minji.refused(&frame.to_string(), code, Some(ID)).await;
    assert!(aws.chat.history(MINJI, JUNHO).await.is_empty());

    aws.bucket.put(&key, "image/png", &PNG);
    assert_eq!(minji.say(&frame).await.unwrap()["type"], "sent", "it was the object's fault alone");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_does_not_answer_is_unavailable_and_the_retry_is_sent() {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    let (key, frame) = announced(&aws).await;
    aws.bucket.put(&key, "image/png", &PNG);
    aws.bucket.refuses(2);
    assert_eq!(minji.say(&frame).await.unwrap()["type"], "sent", "the third attempt");

    let (key, other) = announced(&aws).await;
    let other = {
        let mut other = other;
        other["clientMessageId"] = json!("018f2d4e-7b1a-7c3d-9e5f-00112233ffff");
        other
    };
    aws.bucket.put(&key, "image/png", &PNG);
    aws.bucket.refuses(100);
    let echoed = other["clientMessageId"].as_str();
    minji.refused(&other.to_string(), "unavailable", echoed).await;
    aws.bucket.refuses(0);
    assert_eq!(minji.say(&other).await.unwrap()["seq"], 2);
}
