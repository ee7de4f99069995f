//! What an action of a user's uses of AWS, to the unit: `docs/budget.toml` has it, and `dev/cost.py`
//! multiplies it. A call takes a second of a clock that stands still otherwise, so seconds are calls in
//! sequence.
//!
//! Every action and every route of chat-wire's table is measured, or the test names the one that is not.
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

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use chat_domain::{PAGE_MAX, SEARCH_PAGES_MAX};
use chat_wire::table::{ACTIONS, ROUTES};
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fake_aws::{FakeAws, Meter, Requests};
use crate::support::{JUNHO, MINJI, OTHER_ID, PNG, RestCall, Socket, frame, merged, picture, query, set};

const CALL: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How often the page pings: `web/packages/chat-core/src/transport.ts`.
const PING_EVERY: Duration = Duration::from_millis(530_000);

/// As many bytes as a message of three lines has; its row has some 500.
const WORDS: &str = "오늘 저녁 일곱 시에 여의도 3구장에서 만나요. 유니폼은 흰색이고, 비가 오면 실내로 옮깁니다. 늦으면 미리 알려 주세요.";

/// What an action used: numbers that are not 0, by name.
type Used = BTreeMap<&'static str, f64>;

/// What a request of one kind was measured to use.
struct Entry {
    name: &'static str,
    /// The action of the frame, or the route of the request; `None` when it was neither.
    asked: Option<String>,
    used: Used,
}

/// What each action was measured to use.
struct Ledger<'a> {
    aws: &'a FakeAws,
    entries: Vec<Entry>,
}

impl<'a> Ledger<'a> {
    fn of(aws: &'a FakeAws) -> Self {
        Self { aws, entries: Vec::new() }
    }

    /// `of_gateway` is what a client's request and its answer are to API Gateway.
    async fn enter<T>(
        &mut self,
        name: &'static str,
        asked: Option<String>,
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
        self.entries.push(Entry { name, asked, used });
        outcome
    }

    async fn frame(&mut self, name: &'static str, socket: &Socket<'_>, frame: &Value) -> Option<Value> {
        let frames = |answer: &Option<Value>| vec![("frames", 1 + usize::from(answer.is_some()))];
        let asked = frame["action"].as_str().map(str::to_owned);
        let answer = self.enter(name, asked, socket.say(frame), frames).await;
        assert!(answer.as_ref().is_none_or(|answer| answer["type"] != "error"), "{answer:?}");
        answer
    }

    async fn rest(&mut self, name: &'static str, call: RestCall) -> Value {
        let asked = Some(route(&call.method, &call.resource));
        let answer = self.enter(name, asked, self.aws.chat.rest(call), |_| vec![("rest_requests", 1)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

/// A route, as it is named where it was not measured.
fn route(method: &Method, resource: &str) -> String {
    format!("{method} {resource}")
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

/// A connection of Junho's and one of Minji's, who have sent the first messages of the room and of the day.
async fn warm(aws: &FakeAws) -> (Socket<'_>, Socket<'_>) {
    let (junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    minji.send(JUNHO, "the first").await;
    junho.send(MINJI, "the second").await;
    (junho, minji)
}

async fn connections(aws: &FakeAws) -> Vec<Entry> {
    let _ = aws.connected(&aws.token(JUNHO)).await; // From here on the process has the pool's keys.
    let mut ledger = Ledger::of(aws);
    let mut connect = async |name| {
        let (id, answer) = ledger.enter(name, None, aws.connect(&aws.token(MINJI)), |_| Vec::new()).await;
        assert_eq!(answer.status, 200);
        id
    };
    // The first of all notes whose the address is.
    let first = connect("connect_first").await;
    aws.chat.open(&first).disconnect().await;
    aws.chat.pass(MINUTE);
    let id = connect("connect").await;
    let minji = aws.chat.open(&id);
    ledger.frame("ping", &minji, &json!({ "action": "ping" })).await;
    let token = aws.token_for(MINJI, 2 * 60 * MINUTE);
    ledger.frame("reauth", &minji, &json!({ "action": "reauth", "token": token })).await;
    ledger.enter("disconnect", None, minji.disconnect(), |()| Vec::new()).await;
    assert!(aws.row(&id).await.is_none());
    ledger.entries
}

/// What the page says in an hour of silence.
async fn an_hour(aws: &FakeAws) -> Vec<Entry> {
    let minji = aws.connected(&aws.token(MINJI)).await;
    let began = aws.chat.now();
    let mut sum = Used::new();
    let (mut is_quiet, mut extended) = (false, false);
    while aws.chat.now().after(PING_EVERY) <= began.after(60 * MINUTE) {
        aws.chat.pass(PING_EVERY);
        let mut ledger = Ledger::of(aws);
        if !extended && aws.chat.now() >= began.after(50 * MINUTE) {
            extended = true;
            let token = aws.token(MINJI);
            ledger.frame("hour_connected", &minji, &json!({ "action": "reauth", "token": token })).await;
        }
        is_quiet = !is_quiet;
        ledger.frame("hour_connected", &minji, &json!({ "action": "ping", "quiet": is_quiet })).await;
        for (name, number) in ledger.entries.into_iter().flat_map(|entry| entry.used) {
            *sum.entry(name).or_default() += number;
        }
    }
    let rest = began.after(60 * MINUTE).unix_ms() - aws.chat.now().unix_ms();
    aws.chat.pass(Duration::from_millis(u64::try_from(rest).unwrap()));
    let minutes = aws.chat.now().unix_ms() - aws.row(&minji.id).await.unwrap().connected_at.unix_ms();
    sum.insert("connected_minutes", count(usize::try_from(minutes / 60_000).unwrap()));
    vec![Entry { name: "hour_connected", asked: None, used: sum }]
}

async fn sending(aws: &FakeAws) -> Vec<Entry> {
    let mut ledger = Ledger::of(aws);
    let (junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    // From then on it is known who speaks there.
    assert_eq!(minji.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
    ledger.frame("send_first_in_room", &minji, &send(json!({}))).await;
    junho.send(MINJI, "the second").await;
    let message = send(json!({ "clientMessageId": OTHER_ID }));
    ledger.frame("send_to_one_device", &minji, &message).await;
    let answer = ledger.frame("send_duplicate", &minji, &message).await;
    assert_eq!(answer.unwrap()["duplicate"], true);
    ledger.frame("typing", &minji, &json!({ "action": "typing", "receiverEmail": JUNHO })).await;

    let _more = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(JUNHO)).await);
    ledger.frame("send_to_three_devices", &minji, &send(json!({}))).await;
    ledger.entries
}

async fn the_first_of_a_day(aws: &FakeAws) -> Vec<Entry> {
    warm(aws).await;
    aws.chat.pass(24 * 60 * MINUTE);
    let (_junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    assert_eq!(minji.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
    let mut ledger = Ledger::of(aws);
    ledger.frame("send_first_of_day", &minji, &send(json!({}))).await;
    ledger.entries
}

async fn reading(aws: &FakeAws) -> Vec<Entry> {
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

    let token = verified_token(aws).await;
    let mut call = request(aws, &token, Method::GET, "/chat/history");
    call.query = query(&[("with", JUNHO)]);
    let page = ledger.rest("history_page", call).await;
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(50));
    ledger.entries
}

/// A search that reads as many pages as one may.
async fn searching(aws: &FakeAws) -> Vec<Entry> {
    let mut ledger = Ledger::of(aws);
    let (_junho, minji) = warm(aws).await;
    for _ in 0..SEARCH_PAGES_MAX * PAGE_MAX {
        aws.chat.pass(Duration::from_secs(1));
        minji.send(JUNHO, WORDS).await;
    }
    // An hour's requests are counted, and these were none of a client.
    aws.chat.pass(60 * MINUTE);
    let mut call = request(aws, &verified_token(aws).await, Method::GET, "/chat/search");
    call.query = query(&[("with", JUNHO), ("q", "어디에도 없는 말")]);
    let found = ledger.rest("search_20_pages", call).await;
    assert_eq!((&found["hits"], &found["more"]), (&json!([]), &json!(true)));
    ledger.entries
}

/// A token of Minji's that the functions have verified.
async fn verified_token(aws: &FakeAws) -> String {
    let token = aws.token(MINJI);
    let list = aws.chat.rest(request(aws, &token, Method::GET, "/chat/conversations")).await;
    assert_eq!(list.status, 200, "{}", list.body);
    token
}

/// What somebody decides whom a stranger has written to.
async fn deciding(aws: &FakeAws) -> Vec<Entry> {
    let mut ledger = Ledger::of(aws);
    let (junho, minji) = (aws.connected(&aws.token(JUNHO)).await, aws.connected(&aws.token(MINJI)).await);
    let said = minji.send(JUNHO, WORDS).await;
    // From then on it is known who speaks there.
    assert_eq!(junho.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
    for action in ["accept", "block", "unblock"] {
        ledger.frame(action, &junho, &json!({ "action": action, "peerEmail": MINJI })).await;
    }
    let clear = json!({ "action": "clear", "peerEmail": MINJI, "upTo": said["timestamp"] });
    ledger.frame("clear", &junho, &clear).await;
    let report = json!({
        "action": "report", "peerEmail": MINJI, "timestamps": [said["timestamp"]], "reason": "광고입니다",
    });
    ledger.frame("report", &junho, &report).await;
    ledger.entries
}

async fn listing(aws: &FakeAws) -> Vec<Entry> {
    let minji = aws.connected(&aws.token(MINJI)).await;
    for number in 0..30 {
        minji.send(&format!("junho+{number}@example.com"), WORDS).await;
    }
    let mut ledger = Ledger::of(aws);
    let token = verified_token(aws).await;
    let call = request(aws, &token, Method::GET, "/chat/conversations");
    let list = ledger.rest("conversations_30", call).await;
    assert_eq!(list["conversations"].as_array().map(Vec::len), Some(30));

    let block = json!({ "action": "block", "peerEmail": "junho+1@example.com" });
    assert_eq!(minji.say(&block).await.unwrap()["type"], "block");
    let list = ledger.rest("blocked_of_30", request(aws, &token, Method::GET, "/chat/blocked")).await;
    assert_eq!(list["blocked"].as_array().map(Vec::len), Some(1));
    ledger.entries
}

async fn an_image(aws: &FakeAws) -> Vec<Entry> {
    let mut ledger = Ledger::of(aws);
    let (_junho, minji) = warm(aws).await;
    let token = verified_token(aws).await;

    let mut call = request(aws, &token, Method::POST, "/chat/uploads");
    call.body = Some(picture(json!({ "with": JUNHO })).to_string());
    let granted = ledger.rest("image_upload", call).await;
    let key = granted["key"].as_str().unwrap().to_owned();
    aws.bucket.requests();
    aws.bucket.put(&key, "image/png", &PNG);
    ledger.and_by_the_client();

    let attachment = picture(json!({ "key": key }));
    let image = send(json!({ "message": null, "attachment": attachment }));
    let sent = ledger.frame("image_send", &minji, &image).await.unwrap();

    let mut call = request(aws, &token, Method::GET, "/chat/attachments/{key}");
    call.path_parameters.insert("key".to_owned(), key);
    let opened = ledger.rest("image_open", call).await;
    assert_eq!(aws.bucket.download(opened["url"].as_str().unwrap()), 206);
    ledger.and_by_the_client();
    let delete = json!({ "action": "delete", "peerEmail": JUNHO, "target": sent["timestamp"] });
    ledger.frame("image_delete", &minji, &delete).await;
    ledger.entries
}

impl Ledger<'_> {
    /// What a client asked of the bucket on its own belongs to the last entry.
    fn and_by_the_client(&mut self) {
        let Requests { puts, gets } = self.aws.bucket.requests();
        let used = &mut self.entries.last_mut().unwrap().used;
        for (name, number) in [("s3_puts", puts), ("s3_gets", gets)] {
            if number > 0 {
                *used.entry(name).or_default() += count(number);
            }
        }
    }
}

async fn proposing(aws: &FakeAws) -> Vec<Entry> {
    let mut ledger = Ledger::of(aws);
    warm(aws).await;
    let token = verified_token(aws).await;
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

/// Changes of a message of three lines.
async fn changing(aws: &FakeAws) -> Vec<Entry> {
    let mut ledger = Ledger::of(aws);
    let (junho, minji) = warm(aws).await;
    let said = minji.send(JUNHO, WORDS).await["timestamp"].clone();
    assert_eq!(junho.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
    let change = |action: &str, peer: &str, more: Value| {
        merged(json!({ "action": action, "peerEmail": peer, "target": said }), more)
    };
    let reaction = change("react", MINJI, json!({ "emoji": ["👍", "🎉"] }));
    ledger.frame("react", &junho, &reaction).await;
    ledger.frame("edit", &minji, &change("edit", JUNHO, json!({ "message": format!("{WORDS}!") }))).await;
    ledger.frame("reply", &junho, &send(json!({ "receiverEmail": MINJI, "replyTo": said }))).await;
    ledger.frame("delete", &minji, &change("delete", JUNHO, json!({}))).await;

    let mut messages = Vec::new();
    for _ in 0..40 {
        aws.chat.pass(Duration::from_secs(1));
        messages.push(minji.send(JUNHO, WORDS).await["timestamp"].clone());
    }
    for message in messages.iter().rev().take(10) {
        aws.chat.pass(Duration::from_secs(1));
        let frame = json!({ "action": "react", "peerEmail": JUNHO, "target": message, "emoji": ["⚽"] });
        assert_eq!(minji.say(&frame).await.unwrap()["type"], "sent");
    }
    let token = verified_token(aws).await;
    let mut call = request(aws, &token, Method::GET, "/chat/history");
    call.query = query(&[("with", JUNHO)]);
    let page = ledger.rest("history_page_with_ten_changes", call).await;
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(50));
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

fn written(entries: &[Entry]) -> String {
    let mut text = HEAD.to_owned();
    for Entry { name, used, .. } in entries {
        writeln!(text, "\n[{name}]").unwrap();
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

/// The actions and routes of chat-wire's table that nobody has measured, in words.
fn unmeasured(entries: &[Entry]) -> Vec<String> {
    let measured: BTreeSet<_> = entries.iter().filter_map(|entry| entry.asked.as_deref()).collect();
    let actions = ACTIONS.iter().map(|action| action.name.to_owned());
    let routes = ROUTES.iter().map(|it| route(&it.method, it.resource));
    let missing = actions.chain(routes).filter(|asked| !measured.contains(asked.as_str()));
    missing.map(|asked| format!("`{asked}` has no budget, because nothing here measures it")).collect()
}

#[tokio::test(start_paused = true)]
async fn every_action_uses_exactly_its_budget() {
    let mut entries = Vec::new();
    entries.extend(connections(&FakeAws::with_cognito().await).await);
    entries.extend(an_hour(&FakeAws::with_cognito().await).await);
    entries.extend(sending(&FakeAws::with_cognito().await).await);
    entries.extend(the_first_of_a_day(&FakeAws::with_cognito().await).await);
    entries.extend(reading(&FakeAws::with_cognito().await).await);
    entries.extend(searching(&FakeAws::with_cognito().await).await);
    entries.extend(changing(&FakeAws::with_cognito().await).await);
    entries.extend(deciding(&FakeAws::with_cognito().await).await);
    entries.extend(listing(&FakeAws::with_cognito().await).await);
    entries.extend(an_image(&FakeAws::with_cognito().await).await);
    entries.extend(proposing(&FakeAws::with_cognito().await).await);
    assert_eq!(unmeasured(&entries), [""; 0]);

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

#[test]
fn an_action_or_a_route_that_nobody_measured_is_named() {
    let asked = |asked: &str| Entry { name: "", asked: Some(asked.to_owned()), used: Used::new() };
    let all_but = |left_out: &str| {
        let actions = ACTIONS.iter().map(|action| asked(action.name));
        let all = actions.chain(ROUTES.iter().map(|it| asked(&route(&it.method, it.resource))));
        all.filter(|entry| entry.asked.as_deref() != Some(left_out)).collect::<Vec<_>>()
    };
    assert_eq!(unmeasured(&all_but("")), [""; 0]);
    for left_out in ["accept", "GET /chat/blocked"] {
        let said = format!("`{left_out}` has no budget, because nothing here measures it");
        assert_eq!(unmeasured(&all_but(left_out)), [said]);
    }
}

/// What the design asks for, whatever the budget says.
#[test]
fn from_frame_to_delivery_there_are_three_calls_in_sequence_and_two_write_units() {
    let budget = numbers(&std::fs::read_to_string(budget_file()).unwrap());
    let of_send = |name: &str| budget[&("send_to_one_device".to_owned(), name.to_owned())];
    assert_eq!((of_send("calls_in_sequence"), of_send("write_units")), (3.0, 2.0));
    assert!(of_send("read_units") <= 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_text_of_450_bytes_takes_two_write_units_and_a_longer_one_more() {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    minji.send(JUNHO, "the first").await;
    // The row has some 300 bytes beside the text, and the head some 500.
    for (length, write_units) in [(450, 2.0), (1_100, 4.0)] {
        aws.dynamodb.used();
        minji.send(JUNHO, &"a".repeat(length)).await;
        assert_eq!(aws.dynamodb.used().write_units, write_units);
    }
}
