//! What an action of a user's uses of AWS, to the unit: `dev/cost.py` multiplies these numbers. A call takes a second of a clock
//! that stands still otherwise, so seconds are calls in sequence.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sky::{Meter, Sky};
use crate::support::{Chat, JUNHO, MINJI, Socket, frame};

const CALL: Duration = Duration::from_secs(1);

/// What one action used.
#[derive(Debug, PartialEq)]
struct Used {
    calls_in_sequence: u64,
    write_units: f64,
    read_units: f64,
    /// Frames to others than who acts.
    pushes: usize,
}

impl Sky {
    async fn measure<T>(&self, action: impl Future<Output = T>) -> (Used, T) {
        self.dynamodb.used();
        self.gateway.attempts();
        self.slows_to(CALL);
        let began = Instant::now();
        let outcome = action.await;
        let elapsed = began.elapsed();
        self.slows_to(Duration::ZERO);
        assert_eq!(elapsed.subsec_millis(), 0, "whole calls: {elapsed:?}");
        let Meter { read_units, write_units } = self.dynamodb.used();
        let pushes = self.gateway.attempts();
        (Used { calls_in_sequence: elapsed.as_secs(), write_units, read_units, pushes }, outcome)
    }
}

/// Minji's connection, which has sent the first message of the room and of the day.
async fn warm(chat: &Chat) -> Socket<'_> {
    let minji = chat.connect(MINJI).await;
    assert_eq!(minji.send(JUNHO, "the first").await["type"], "sent");
    minji
}

#[tokio::test(start_paused = true)]
async fn from_frame_to_delivery_there_are_three_calls_in_sequence() {
    let sky = Sky::new().await;
    let (_junho, minji) = (sky.chat.connect(JUNHO).await, warm(&sky.chat).await);
    let (used, ack) = sky.measure(minji.send(JUNHO, "안녕하세요")).await;
    assert_eq!(ack["type"], "sent");
    assert_eq!(used, Used { calls_in_sequence: 3, write_units: 4.0, read_units: 1.5, pushes: 1 });
}

#[tokio::test(start_paused = true)]
async fn three_devices_cost_pushes_and_nothing_else() {
    let sky = Sky::new().await;
    let _devices =
        (sky.chat.connect(JUNHO).await, sky.chat.connect(JUNHO).await, sky.chat.connect(JUNHO).await);
    let minji = warm(&sky.chat).await;
    let (used, _) = sky.measure(minji.send(JUNHO, "안녕하세요")).await;
    assert_eq!(used, Used { calls_in_sequence: 3, write_units: 4.0, read_units: 1.5, pushes: 3 });
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_kilobyte_still_takes_four_write_units() {
    let sky = Sky::new().await;
    let (_junho, minji) = (sky.chat.connect(JUNHO).await, warm(&sky.chat).await);
    // The row has some 300 bytes beside the text.
    let (used, _) = sky.measure(minji.send(JUNHO, &"a".repeat(700))).await;
    assert_eq!(used.write_units, 4.0);
    let (used, _) = sky.measure(minji.send(JUNHO, &"a".repeat(1_100))).await;
    assert_eq!(used.write_units, 6.0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_writes_nothing() {
    let sky = Sky::new().await;
    let (_junho, minji) = (sky.chat.connect(JUNHO).await, warm(&sky.chat).await);
    let message = frame(json!({}));
    minji.say(&message).await;
    let (used, ack) = sky.measure(minji.say(&message)).await;
    assert_eq!(ack.map(|ack| ack["duplicate"].clone()), Some(json!(true)));
    assert_eq!(used, Used { calls_in_sequence: 2, write_units: 0.0, read_units: 2.5, pushes: 0 });
}

fn read(up_to: &Value) -> Value {
    json!({ "action": "markRead", "peerEmail": MINJI, "upTo": up_to["timestamp"] })
}

#[tokio::test(start_paused = true)]
async fn a_read_mark_writes_the_mark_and_each_row() {
    let sky = Sky::new().await;
    let (junho, minji) = (sky.chat.connect(JUNHO).await, warm(&sky.chat).await);
    let ack = minji.send(JUNHO, "one more").await;

    assert_eq!(junho.say(&read(&ack)).await.map(|answer| answer["type"].clone()), Some(json!("read")));
    let ack = minji.send(JUNHO, "the one that is measured").await;
    let (used, _) = sky.measure(junho.say(&read(&ack))).await;
    assert_eq!((used.write_units, used.pushes), (3.0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_page_of_history_is_one_call() {
    let sky = Sky::new().await;
    let minji = warm(&sky.chat).await;
    for number in 0..60 {
        minji.send(JUNHO, &number.to_string()).await;
        sky.chat.pass(Duration::from_secs(1));
    }
    let (used, page) = sky.measure(sky.chat.get(MINJI, "/chat/history", &[("with", JUNHO)])).await;
    assert_eq!(page.body["messages"].as_array().map(Vec::len), Some(50));
    assert_eq!((used.calls_in_sequence, used.write_units), (1, 0.0));
    assert!(used.read_units <= 4.0, "{used:?}");
}
