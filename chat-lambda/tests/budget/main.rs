//! What an action of a user's uses of AWS, to the unit: `docs/budget.toml` has it, and `dev/cost.py`
//! multiplies it. A call takes a second of a clock that stands still otherwise, so seconds are calls in
//! sequence.
//!
//! Everything is warm: who calls was verified within the minute, who speaks on a connection is known.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../chat-wire/tests/captured/mod.rs"]
mod captured;
#[expect(dead_code, reason = "the tests of faults need more of it")]
#[path = "../fake_aws/mod.rs"]
mod fake_aws;
#[path = "../functions/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fake_aws::{FakeAws, Meter, Requests};
use crate::support::{JUNHO, MINJI, OTHER_ID, PNG, RestCall, Socket, frame, merged, picture, query, set};

const CALL: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How often the page pings: `web/packages/chat-core/src/transport.ts`.
const PING_EVERY: Duration = Duration::from_secs(5 * 60);

/// As many bytes as a message of three lines has; its row has some 500.
const WORDS: &str = "오늘 저녁 일곱 시에 여의도 3구장에서 만나요. 유니폼은 흰색이고, 비가 오면 실내로 옮깁니다. 늦으면 미리 알려 주세요.";

/// What an action used: numbers that are not 0, by name.
type Used = BTreeMap<&'static str, f64>;

/// What each action was measured to use.
struct Ledger<'a> {
    aws: &'a FakeAws,
    entries: Vec<(&'static str, Used)>,
}

impl<'a> Ledger<'a> {
    fn of(aws: &'a FakeAws) -> Self {
        Self { aws, entries: Vec::new() }
    }

    /// `of_gateway` is what a client's request and its answer are to API Gateway.
    async fn enter<T>(
        &mut self,
        name: &'static str,
        action: impl Future<Output = T>,
        of_gateway: impl FnOnce(&T) -> Vec<(&'static str, usize)>,
    ) -> T {
        self.aws.dynamodb.used();
        self.aws.gateway.attempts();
        self.aws.bucket.requests();
        self.aws.set_latency(CALL);
        let began = Instant::now();
        let outcome = action.await;
        let elapsed = began.elapsed();
        self.aws.set_latency(Duration::ZERO);
        assert_eq!(elapsed.subsec_millis(), 0, "whole calls: {elapsed:?}");

        let Meter { read_units, write_units } = self.aws.dynamodb.used();
        let Requests { puts, gets } = self.aws.bucket.requests();
        let mut used = Used::from([
            ("invocations", 1.0),
            ("calls_in_sequence", elapsed.as_secs_f64()),
            ("frames", count(self.aws.gateway.attempts())),
            ("write_units", write_units),
            ("read_units", read_units),
            ("s3_puts", count(puts)),
            ("s3_gets", count(gets)),
        ]);
        for (name, number) in of_gateway(&outcome) {
            *used.entry(name).or_default() += count(number);
        }
        used.retain(|_, number| *number != 0.0);
        self.entries.push((name, used));
        outcome
    }

    async fn frame(&mut self, name: &'static str, socket: &Socket<'_>, frame: &Value) -> Option<Value> {
        let frames = |answer: &Option<Value>| vec![("frames", 1 + usize::from(answer.is_some()))];
        let answer = self.enter(name, socket.say(frame), frames).await;
        assert!(answer.as_ref().is_none_or(|answer| answer["type"] != "error"), "{answer:?}");
        answer
    }

    async fn rest(&mut self, name: &'static str, call: RestCall) -> Value {
        let answer = self.enter(name, self.aws.chat.rest(call), |_| vec![("rest_requests", 1)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

fn request(aws: &FakeAws, token: &str, method: Method, resource: &str) -> RestCall {
    let mut call = aws.chat.rest_call(method, resource);
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {token}"));
    call
}

fn send(fields: Value) -> Value {
    frame(merged(json!({ "message": WORDS, "clientMessageId": null }), fields))
}

fn mark_read(up_to: &Value) -> Value {
    json!({ "action": "markRead", "peerEmail": MINJI, "upTo": up_to["timestamp"] })
}

/// A connection of Junho's and one of Minji's, who has sent the first message of the room and of the day.
async fn warm(aws: &FakeAws) -> (Socket<'_>, Socket<'_>) {
    let (junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    minji.send(JUNHO, "the first").await;
    (junho, minji)
}

async fn connections(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let mut ledger = Ledger::of(aws);
    let (id, answer) = ledger.enter("connect", aws.connect(&aws.token(MINJI)), |_| Vec::new()).await;
    assert_eq!(answer.status, 200);
    let minji = aws.chat.open(&id);
    ledger.frame("ping", &minji, &json!({ "action": "ping" })).await;
    let token = aws.token_for(MINJI, 2 * 60 * MINUTE);
    ledger.frame("reauth", &minji, &json!({ "action": "reauth", "token": token })).await;
    ledger.enter("disconnect", minji.disconnect(), |()| Vec::new()).await;
    assert!(aws.row(&id).await.is_none());
    ledger.entries
}

/// What the page says in an hour of silence.
async fn an_hour(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let minji = aws.connected(&aws.token(MINJI)).await;
    let began = aws.chat.now();
    let mut sum = Used::new();
    while aws.chat.now() < began.after(60 * MINUTE) {
        aws.chat.pass(PING_EVERY);
        let mut ledger = Ledger::of(aws);
        if aws.chat.now() == began.after(50 * MINUTE) {
            let token = aws.token(MINJI);
            ledger.frame("hour_connected", &minji, &json!({ "action": "reauth", "token": token })).await;
        }
        ledger.frame("hour_connected", &minji, &json!({ "action": "ping" })).await;
        for (name, number) in ledger.entries.into_iter().flat_map(|(_, used)| used) {
            *sum.entry(name).or_default() += number;
        }
    }
    let minutes = aws.chat.now().unix_ms() - aws.row(&minji.id).await.unwrap().connected_at.unix_ms();
    sum.insert("connected_minutes", count(usize::try_from(minutes / 60_000).unwrap()));
    vec![("hour_connected", sum)]
}

async fn sending(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let mut ledger = Ledger::of(aws);
    let (_junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    // From then on it is known who speaks there.
    assert_eq!(minji.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
    ledger.frame("send_first_in_room", &minji, &send(json!({}))).await;
    let message = send(json!({ "clientMessageId": OTHER_ID }));
    ledger.frame("send_to_one_device", &minji, &message).await;
    let answer = ledger.frame("send_duplicate", &minji, &message).await;
    assert_eq!(answer.unwrap()["duplicate"], true);
    ledger.frame("typing", &minji, &json!({ "action": "typing", "receiverEmail": JUNHO })).await;

    let _more = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(JUNHO)).await);
    ledger.frame("send_to_three_devices", &minji, &send(json!({}))).await;
    ledger.entries
}

async fn the_first_of_a_day(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    warm(aws).await;
    aws.chat.pass(24 * 60 * MINUTE);
    let (_junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    assert_eq!(minji.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
    let mut ledger = Ledger::of(aws);
    ledger.frame("send_first_of_day", &minji, &send(json!({}))).await;
    ledger.entries
}

async fn reading(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let mut ledger = Ledger::of(aws);
    let (junho, minji) = warm(aws).await;
    let ack = minji.send(JUNHO, WORDS).await;
    assert_eq!(junho.say(&mark_read(&ack)).await.unwrap()["type"], "read");
    let ack = minji.send(JUNHO, WORDS).await;
    ledger.frame("mark_read_1", &junho, &mark_read(&ack)).await;
    let mut ack = Value::Null;
    for _ in 0..50 {
        aws.chat.pass(Duration::from_secs(1));
        ack = minji.send(JUNHO, WORDS).await;
    }
    ledger.frame("mark_read_50", &junho, &mark_read(&ack)).await;

    let token = aws.token(MINJI);
    for _ in 0..2 {
        let mut call = request(aws, &token, Method::GET, "/chat/history");
        call.query = query(&[("with", JUNHO)]);
        let page = ledger.rest("history_page", call).await;
        assert_eq!(page["messages"].as_array().map(Vec::len), Some(50));
    }
    without_the_first_look(ledger)
}

/// Only the second of two requests finds its caller verified.
fn without_the_first_look(mut ledger: Ledger<'_>) -> Vec<(&'static str, Used)> {
    let first = ledger.entries.len() - 2;
    ledger.entries.remove(first);
    ledger.entries
}

async fn listing(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let minji = aws.connected(&aws.token(MINJI)).await;
    for number in 0..30 {
        minji.send(&format!("junho+{number}@example.com"), WORDS).await;
    }
    let mut ledger = Ledger::of(aws);
    let token = aws.token(MINJI);
    for _ in 0..2 {
        let list =
            ledger.rest("conversations_30", request(aws, &token, Method::GET, "/chat/conversations")).await;
        assert_eq!(list["conversations"].as_array().map(Vec::len), Some(30));
    }
    without_the_first_look(ledger)
}

async fn an_image(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let mut ledger = Ledger::of(aws);
    let (_junho, minji) = warm(aws).await;
    let token = aws.token(MINJI);
    // Verified by the list.
    aws.chat.rest(request(aws, &token, Method::GET, "/chat/conversations")).await;

    let mut call = request(aws, &token, Method::POST, "/chat/uploads");
    call.body = Some(picture(json!({ "with": JUNHO })).to_string());
    let granted = ledger.rest("image_upload", call).await;
    let key = granted["key"].as_str().unwrap().to_owned();
    aws.bucket.requests();
    aws.bucket.put(&key, "image/png", &PNG);
    ledger.and_by_the_client();

    let attachment = picture(json!({ "key": key }));
    ledger.frame("image_send", &minji, &send(json!({ "message": null, "attachment": attachment }))).await;

    let mut call = request(aws, &token, Method::GET, "/chat/attachments/{key}");
    call.path_parameters.insert("key".to_owned(), key);
    let opened = ledger.rest("image_open", call).await;
    assert_eq!(aws.bucket.download(opened["url"].as_str().unwrap()), 206);
    ledger.and_by_the_client();
    ledger.entries
}

impl Ledger<'_> {
    /// What a client asked of the bucket on its own belongs to the last entry.
    fn and_by_the_client(&mut self) {
        let Requests { puts, gets } = self.aws.bucket.requests();
        let used = &mut self.entries.last_mut().unwrap().1;
        for (name, number) in [("s3_puts", puts), ("s3_gets", gets)] {
            if number > 0 {
                *used.entry(name).or_default() += count(number);
            }
        }
    }
}

async fn proposing(aws: &FakeAws) -> Vec<(&'static str, Used)> {
    let mut ledger = Ledger::of(aws);
    warm(aws).await;
    let token = aws.token(MINJI);
    aws.chat.rest(request(aws, &token, Method::GET, "/chat/conversations")).await;
    let mut call = request(aws, &token, Method::POST, "/chat/proposals");
    let proposal = json!({
        "teamName": "FC 한강", "opponentTeamName": "남산 유나이티드", "matchAt": "2026-11-24T10:00:00.000Z",
        "place": "여의도 3구장", "note": "유니폼은 흰색",
    });
    let body = json!({ "receiverEmail": JUNHO, "clientMessageId": OTHER_ID, "proposal": proposal });
    call.body = Some(body.to_string());
    ledger.rest("proposal", call).await;
    ledger.entries
}

fn budget_file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "docs", "budget.toml"].iter().collect()
}

const HEAD: &str = "\
# What each action of a user's uses of AWS, to the unit. chat-lambda/tests/budget/main.rs measures it, and
# fails on any difference, up or down. `make budget` writes down what is measured now; then say in the commit
# why. `dev/cost.py` makes docs/cost.md of it. Units are DynamoDB's, for rows of some 500 bytes.
";

fn written(entries: &[(&'static str, Used)]) -> String {
    let mut text = HEAD.to_owned();
    for (action, used) in entries {
        writeln!(text, "\n[{action}]").unwrap();
        for (name, number) in used {
            writeln!(text, "{name} = {number}").unwrap();
        }
    }
    text
}

/// The numbers of a budget, by action and name.
fn numbers(text: &str) -> BTreeMap<(String, String), f64> {
    let (mut action, mut numbers) = (String::new(), BTreeMap::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut action);
        } else {
            let (name, number) = line.split_once(" = ").unwrap();
            let earlier = numbers.insert((action.clone(), name.to_owned()), number.parse().unwrap());
            assert_eq!(earlier, None, "{action}.{name} stands there twice");
        }
    }
    numbers
}

/// What differs, in words.
fn differences(budget: &str, measured: &str) -> Vec<String> {
    let (budget, measured) = (numbers(budget), numbers(measured));
    let keys: std::collections::BTreeSet<_> = budget.keys().chain(measured.keys()).collect();
    let number = |numbers: &BTreeMap<_, f64>, key| numbers.get(key).copied().unwrap_or_default();
    let pairs = keys.into_iter().map(|key| (key, number(&budget, key), number(&measured, key)));
    pairs
        .filter(|(_, budget, measured)| budget != measured)
        .map(|((action, name), budget, measured)| {
            let way = if measured > budget { "rose" } else { "fell" };
            format!("{action}: {name} {way} from {budget} to {measured}")
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_action_uses_exactly_its_budget() {
    let mut entries = Vec::new();
    entries.extend(connections(&FakeAws::with_cognito().await).await);
    entries.extend(an_hour(&FakeAws::with_cognito().await).await);
    entries.extend(sending(&FakeAws::with_cognito().await).await);
    entries.extend(the_first_of_a_day(&FakeAws::with_cognito().await).await);
    entries.extend(reading(&FakeAws::with_cognito().await).await);
    entries.extend(listing(&FakeAws::with_cognito().await).await);
    entries.extend(an_image(&FakeAws::with_cognito().await).await);
    entries.extend(proposing(&FakeAws::with_cognito().await).await);

    let measured = written(&entries);
    if std::env::var_os("WRITE_BUDGET").is_some() {
        std::fs::write(budget_file(), &measured).unwrap();
    }
    let budget = std::fs::read_to_string(budget_file()).unwrap();
    let differences = differences(&budget, &measured);
    assert!(differences.is_empty(), "docs/budget.toml says otherwise:\n{}", differences.join("\n"));
    assert_eq!(budget, measured, "the numbers are right, and the rest of docs/budget.toml is not");
}

#[test]
fn a_rise_a_fall_and_an_action_that_nobody_measured_are_told_apart() {
    let budget = "[send]\nframes = 3\nread_units = 1.5\n\n[sing]\nframes = 1\n";
    let measured = "[send]\nframes = 4\nread_units = 1\nwrite_units = 4\n";
    assert_eq!(differences(budget, budget), [""; 0]);
    assert_eq!(
        differences(budget, measured),
        [
            "send: frames rose from 3 to 4",
            "send: read_units fell from 1.5 to 1",
            "send: write_units rose from 0 to 4",
            "sing: frames fell from 1 to 0",
        ]
    );
}

/// What the design asks for, whatever the budget says.
#[test]
fn from_frame_to_delivery_there_are_three_calls_in_sequence_and_four_write_units() {
    let budget = numbers(&std::fs::read_to_string(budget_file()).unwrap());
    let of_send = |name: &str| budget[&("send_to_one_device".to_owned(), name.to_owned())];
    assert_eq!((of_send("calls_in_sequence"), of_send("write_units")), (3.0, 4.0));
    assert!(of_send("read_units") <= 1.5);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_a_kilobyte_takes_four_write_units_and_a_larger_one_six() {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    minji.send(JUNHO, "the first").await;
    // The row has some 300 bytes beside the text.
    for (length, write_units) in [(700, 4.0), (1_100, 6.0)] {
        aws.dynamodb.used();
        minji.send(JUNHO, &"a".repeat(length)).await;
        assert_eq!(aws.dynamodb.used().write_units, write_units);
    }
}
