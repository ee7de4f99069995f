//! The whole chat, as its users meet it.

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Chat, Socket, message};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";

fn status_of<T>(refused: Result<T, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("refused otherwise: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn two_people_chat_both_ways_with_the_seeds_own_frames() {
    let chat = Chat::start(&[]).await;
    let token = chat.login("Minji@Example.com").await;
    let mut minji = chat.try_connect(&format!("?token={token}"), None).await.unwrap();
    let mut junho = chat.join(JUNHO).await;

    let sent = minji.ask(message(JUNHO, "안녕하세요")).await;
    assert_eq!((&sent["type"], &sent["seq"], &sent["duplicate"]), (&json!("sent"), &json!(1), &json!(false)));
    let got = junho.receive().await;
    assert_eq!(
        (&got["type"], &got["senderEmail"], &got["message"]),
        (&json!("message"), &json!(MINJI), &json!("안녕하세요"))
    );
    assert_eq!(got["timestamp"], sent["timestamp"]);

    let sent = junho.ask(message("MINJI@example.com", "반가워요")).await;
    assert_eq!(sent["roomId"], "junho@example.com#minji@example.com");
    assert_eq!(minji.receive().await["message"], "반가워요");

    let history = chat.get(&token, &format!("/chat/history?with={JUNHO}")).await;
    assert_eq!(history.status, 200);
    assert!(history.head.contains("cache-control: no-store"));
    let texts: Vec<Value> =
        history.json()["messages"].as_array().unwrap().iter().map(|row| row["message"].clone()).collect();
    assert_eq!(texts, ["반가워요", "안녕하세요"]);
}

#[tokio::test]
async fn every_device_of_both_gets_the_message_and_the_sending_one_gets_the_ack_alone() {
    let chat = Chat::start(&[]).await;
    let (mut phone, mut laptop) = (chat.join(MINJI).await, chat.join(MINJI).await);
    let (mut one, mut other) = (chat.join(JUNHO).await, chat.join(JUNHO).await);
    assert_eq!(phone.ask(message(JUNHO, "hi")).await["type"], "sent");
    for socket in [&mut laptop, &mut one, &mut other] {
        assert_eq!(socket.receive().await["type"], "message");
    }
    assert_eq!(phone.ask(json!({ "action": "ping" })).await["type"], "pong");
}

#[tokio::test]
async fn a_retry_on_another_socket_gets_the_original_ack_and_is_not_delivered_again() {
    let chat = Chat::start(&[]).await;
    let mut junho = chat.join(JUNHO).await;
    let mut frame = message(JUNHO, "once");
    frame["clientMessageId"] = json!("018f2d4e-7b1a-7c3d-9e5f-001122334455");
    let first = chat.join(MINJI).await.ask(frame.clone()).await;
    let again = chat.join(MINJI).await.ask(frame.clone()).await;
    assert_eq!((&again["timestamp"], &again["seq"]), (&first["timestamp"], &first["seq"]));
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(junho.receive().await["message"], "once");
    assert_eq!(junho.ask(json!({ "action": "ping" })).await["type"], "pong");

    frame["message"] = json!("twice");
    let mut minji = chat.join(MINJI).await;
    assert_eq!(minji.ask(frame).await["code"], "idReused");
}

/// How much of a page of history is left of it on the way, at most: `dev/cost.py` counts as much.
const COMPRESSED_TO: f64 = 0.35;

#[tokio::test]
async fn a_page_of_history_is_compressed_on_the_way() {
    // The messages are pieces of a text that somebody wrote, since made-up ones are too much alike.
    let prose: Vec<char> = include_str!("../../docs/guarantees.md").chars().collect();
    let chat = Chat::start(&["--first-contact", "open", "--send-burst", "1000"]).await;
    let mut minji = chat.join(MINJI).await;
    for piece in prose.chunks(200).take(50) {
        let sent = minji.ask(message(JUNHO, &piece.iter().collect::<String>())).await;
        assert_eq!(sent["type"], "sent", "{sent}");
    }
    let bearer = format!("Bearer {}", chat.login(JUNHO).await);
    let page = async |encoding| {
        let headers = [("authorization", bearer.as_str()), ("accept-encoding", encoding)];
        chat.request("GET", &format!("/chat/history?with={MINJI}"), &headers, b"").await
    };

    let (whole, compressed) = (page("identity").await, page("gzip").await);

    assert_eq!(whole.json()["messages"].as_array().unwrap().len(), 50);
    assert!(!whole.head.contains("content-encoding"), "{}", whole.head);
    assert!(compressed.head.contains("content-encoding: gzip"), "{}", compressed.head);
    let left = compressed.body.len() as f64 / whole.body.len() as f64;
    assert!(left < COMPRESSED_TO, "{left} of {} bytes", whole.body.len());
}

#[tokio::test]
async fn what_is_read_shows_on_both_sides() {
    let chat = Chat::start(&[]).await;
    let (mut minji, mut junho) = (chat.join(MINJI).await, chat.join(JUNHO).await);
    minji.ask(message(JUNHO, "one")).await;
    let at = minji.ask(message(JUNHO, "two")).await["timestamp"].clone();
    let token = chat.login(JUNHO).await;
    let list = chat.get(&token, "/chat/conversations").await.json();
    assert_eq!((&list["totalUnread"], &list["conversations"][0]["unread"]), (&json!(2), &json!(2)));

    junho.receive().await;
    junho.receive().await;
    // Nobody is told what strangers read.
    junho.ask(json!({ "action": "accept", "peerEmail": MINJI })).await;
    let read = junho.ask(json!({ "action": "markRead", "peerEmail": MINJI, "upTo": at })).await;
    assert_eq!((&read["type"], &read["upTo"]), (&json!("read"), &at));
    assert_eq!(minji.receive().await, read);

    let list = chat.get(&token, "/chat/conversations").await.json();
    assert_eq!(list["totalUnread"], 0);
    let history = chat.get(&token, &format!("/chat/history?with={MINJI}")).await.json();
    assert!(history["messages"].as_array().unwrap().iter().all(|row| row["read"] == true));
    assert_eq!(history["myReadUpTo"], at);
}

#[tokio::test]
async fn an_image_goes_up_once_and_down_to_the_members_alone() {
    let chat = Chat::start(&[]).await;
    let (token, mut minji) = (chat.login(MINJI).await, chat.join(MINJI).await);
    let mut junho = chat.join(JUNHO).await;
    junho.ask(message(MINJI, "you may show me something")).await;
    minji.receive().await;
    let png = include_bytes!("../../chat-domain/tests/images/plain.png").as_slice();
    let facts = json!({ "contentType": "image/png", "size": png.len(), "width": 16, "height": 9 });

    let mut request = facts.clone();
    request["with"] = json!(JUNHO);
    let upload = chat.post(&token, "/chat/uploads", &request).await.json();
    let url = upload["url"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{}", chat.address)).expect("it is served here");
    let mut shown = message(JUNHO, "");
    shown["attachment"] = facts;
    shown["attachment"]["key"] = upload["key"].clone();
    assert_eq!(minji.ask(shown.clone()).await["code"], "attachmentMissing");

    let headers = [("content-type", "image/png")];
    let chunked = [headers[0], ("transfer-encoding", "chunked")];
    let chunks = [format!("{:x}\r\n", png.len()).as_bytes(), png, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(chat.request("PUT", path, &chunked, &chunks).await.status, 411);
    assert_eq!(chat.request("PUT", path, &headers, b"<svg>").await.status, 403);
    assert_eq!(chat.request("PUT", path, &headers, png).await.status, 200);
    assert_eq!(chat.request("PUT", path, &headers, png).await.status, 412);
    let address = format!("/chat/attachments/{}", upload["key"].as_str().unwrap());
    let unshown = chat.get(&token, &address).await.json();
    let base = format!("http://{}", chat.address);
    let unshown = unshown["url"].as_str().unwrap().strip_prefix(&base).unwrap().to_owned();
    assert_eq!(chat.request("GET", &unshown, &[], b"").await.status, 404, "no message shows it");
    assert_eq!(minji.ask(shown).await["type"], "sent");
    assert_eq!(chat.request("GET", &unshown, &[], b"").await.status, 200);
    let got = junho.receive().await;
    assert_eq!((&got["kind"], &got["attachment"]["key"]), (&json!("image"), &upload["key"]));

    let url = chat.get(&chat.login(JUNHO).await, &address).await.json();
    let path =
        url["url"].as_str().unwrap().strip_prefix(&format!("http://{}", chat.address)).unwrap().to_owned();
    assert_eq!(chat.request("GET", &path, &[], b"").await.body, png);
    let stranger = chat.get(&chat.login("mina@example.com").await, &address).await;
    assert_eq!((stranger.status, &stranger.json()["code"]), (404, &json!("attachmentMissing")));
}

#[tokio::test]
async fn a_proposal_from_the_team_page_is_answered_in_the_chat() {
    let chat = Chat::start(&[]).await;
    let mut junho = chat.join(JUNHO).await;
    let proposal = json!({
        "receiverEmail": JUNHO,
        "clientMessageId": "018f2d4e-7b1a-7c3d-9e5f-001122334455",
        "proposal": {
            "teamName": "Seoul", "opponentTeamName": "Busan",
            "matchAt": "9000-01-01T00:00:00.000Z", "place": "Jamsil"
        },
    });
    let token = chat.login(MINJI).await;
    let sent = chat.post(&token, "/chat/proposals", &proposal).await.json();
    assert_eq!(chat.post(&token, "/chat/proposals", &proposal).await.json()["duplicate"], true);
    let got = junho.receive().await;
    assert_eq!((&got["kind"], &got["timestamp"]), (&json!("matchProposal"), &sent["timestamp"]));

    let answer = |answer: &str| {
        let mut frame = json!({ "action": "sendMessage", "receiverEmail": MINJI });
        frame["proposalAnswer"] = json!({ "proposal": sent["timestamp"], "answer": answer });
        frame
    };
    assert_eq!(junho.ask(answer("withdrawn")).await["code"], "proposalState");
    assert_eq!(junho.ask(answer("accepted")).await["type"], "sent");
    assert_eq!(junho.ask(answer("declined")).await["code"], "proposalState");
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let chat = Chat::start(&[]).await;
    assert_eq!(status_of(chat.try_connect("", None).await), 401);
    assert_eq!(status_of(chat.try_connect("?token=", None).await), 401);
    assert_eq!(status_of(chat.try_connect("?token=made-up", None).await), 401);
    let refused = chat.get("made-up", "/chat/conversations").await;
    assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("unauthorized")));
}

#[tokio::test]
async fn bad_frames_are_answered_and_the_socket_stays_open() {
    let chat = Chat::start(&[]).await;
    let mut minji = chat.join(MINJI).await;
    for bad in ["not JSON", "[]", "{}", r#"{"action":"shout"}"#, r#"{"action":"ping","action":"ping"}"#] {
        minji.send_raw(Message::text(bad)).await;
        assert_eq!(minji.receive().await["code"], "badRequest", "{bad}");
    }
    assert_eq!(minji.ask(json!({ "action": "ping" })).await["type"], "pong");
}

#[rstest::rstest]
#[case::frame_of_33_kilobytes(Message::text("x".repeat(33 * 1024)), 1009)]
#[case::binary_frame(Message::binary(vec![1, 2, 3]), 1003)]
#[tokio::test]
async fn what_api_gateway_closes_for_is_closed(#[case] frame: Message, #[case] code: u16) {
    let chat = Chat::start(&[]).await;
    let mut minji = chat.join(MINJI).await;
    minji.send_raw(frame).await;
    assert_eq!(minji.closed().await.map(|close| u16::from(close.code)), Some(code));
}

#[tokio::test]
async fn a_flood_is_limited_and_the_limit_is_a_flag() {
    let chat = Chat::start(&["--send-burst", "2"]).await;
    let mut minji = chat.join(MINJI).await;
    let mut codes = Vec::new();
    for number in 0..3 {
        codes.push(minji.ask(message(JUNHO, &number.to_string())).await["code"].clone());
    }
    assert_eq!(codes, [Value::Null, Value::Null, json!("rateLimited")]);
}

#[tokio::test]
async fn the_twenty_first_connection_closes_the_oldest() {
    let chat = Chat::start(&[]).await;
    let token = chat.login(MINJI).await;
    let mut oldest = chat.connect(&token).await;
    // The next one is younger once the clock has moved on.
    let time =
        async |socket: &mut Socket| socket.ask(json!({ "action": "ping" })).await["serverTime"].clone();
    let connected = time(&mut oldest).await;
    while time(&mut oldest).await == connected {}
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(chat.connect(&token).await);
    }
    assert!(oldest.closed().await.is_some());
    assert_eq!(others[0].ask(json!({ "action": "ping" })).await["type"], "pong");
}

#[tokio::test]
async fn stopping_closes_every_socket_with_1001() {
    let chat = Chat::start(&[]).await;
    let mut minji = chat.join(MINJI).await;
    let (closed, ()) = tokio::join!(minji.closed(), chat.stop());
    assert_eq!(closed.map(|close| u16::from(close.code)), Some(1001));
}

#[rstest::rstest]
#[case::half_a_head("GET /config.json HTTP/1.1\r\nHo")]
#[case::half_a_login("POST /dev/login HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1000\r\n\r\n{\"e")]
#[case::half_a_rest_request(
    "POST /chat/proposals HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1000\r\n\r\n{\"r"
)]
#[case::half_a_post_to_a_connection(
    "POST /prod/@connections/aWQ= HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1000\r\n\r\nhel"
)]
#[tokio::test]
async fn half_a_request_does_not_hold_up_a_stop(#[case] half: &str) {
    let chat = Chat::start(&[]).await;
    let mut minji = chat.join(MINJI).await;
    let mut stuck = TcpStream::connect(chat.address).await.unwrap();
    stuck.write_all(half.replace("HOST", &chat.address.to_string()).as_bytes()).await.unwrap();
    // By the time this is answered the half request has been read.
    assert_eq!(minji.ask(json!({ "action": "ping" })).await["type"], "pong");
    assert_eq!(chat.get("made-up", "/chat/conversations").await.status, 401);

    let (closed, ()) = tokio::join!(minji.closed(), chat.stop());
    assert_eq!(closed.map(|close| u16::from(close.code)), Some(1001));
}

#[tokio::test]
async fn the_page_explains_how_to_chat_and_where_everything_is() {
    let chat = Chat::start(&[]).await;
    let page = chat.request("GET", "/", &[], b"").await;
    assert!(page.status == 200 && page.text().contains(&format!("ws://{}/prod", chat.address)));
    let config = chat.request("GET", "/config.json", &[], b"").await.json();
    assert_eq!(config["wsUrl"], format!("ws://{}/prod", chat.address));
    assert_eq!(config["auth"]["users"], json!([MINJI, JUNHO]));
}

#[tokio::test]
async fn a_built_page_is_served_under_a_strict_policy() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    let files = [
        ("index.html", "the entrance"),
        ("404.html", "not there"),
        ("ko/chat/index.html", "the chat"),
        ("_next/static/a.js", "1"),
        ("_next/static/a.js.gz", "1, compressed"),
        ("_next/static/a.js.br", "1, smaller"),
    ];
    for (name, text) in files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let chat = Chat::start(&["--web", folder.to_str().unwrap()]).await;
    let get = async |path: &str| chat.request("GET", path, &[], b"").await;

    let page = get("/ko/chat/").await;
    assert_eq!((page.status, page.text().as_str()), (200, "the chat"));
    let head = page.head.to_ascii_lowercase();
    for wanted in [
        "default-src 'none'; script-src 'self'; style-src 'self';",
        &format!("ws://{} ", chat.address),
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-cache",
    ] {
        assert!(head.contains(wanted), "{wanted} in {head}");
    }
    assert!(!head.contains("unsafe"), "{head}");

    assert_eq!(get("/").await.text(), "the entrance");
    let person = chat.request("GET", "/chat?with=a", &[("accept", "text/html,*/*")], b"").await;
    assert!(person.status == 307 && person.head.contains("location: /?with=a"), "{}", person.head);
    let unslashed = get("/ko/chat").await;
    assert!(unslashed.status == 307 && unslashed.head.contains("location: /ko/chat/"), "{}", unslashed.head);
    // To a browser, two slashes are the beginning of a host.
    for (asked, wanted) in
        [("//ko/chat?a=1", "/ko/chat?a=1"), ("///ko", "/ko"), (r"//\/ko/chat/", "/ko/chat/")]
    {
        let led = get(asked).await;
        assert!(led.status == 307 && led.head.contains(&format!("location: {wanted}\r\n")), "{}", led.head);
    }
    assert!(get("/_next/static/a.js").await.head.contains("immutable"));
    for (accepted, sent, text) in [("gzip", "gzip", "1, compressed"), ("gzip, br", "br", "1, smaller")] {
        let zipped = chat.request("GET", "/_next/static/a.js", &[("accept-encoding", accepted)], b"").await;
        let encoding = format!("content-encoding: {sent}\r\n");
        for header in [encoding.as_str(), "vary: accept-encoding", "immutable", "text/javascript"] {
            assert!(zipped.head.contains(header), "{header}: {}", zipped.head);
        }
        assert_eq!(zipped.text(), text);
    }
    assert_eq!(get("/_next/static/a.js").await.text(), "1");
    assert!(get("/_next/static/gone.js").await.head.contains("no-cache"));
    let missing = get("/nowhere").await;
    assert_eq!((missing.status, missing.text().as_str()), (404, "not there"));
    assert_eq!(get("/config.json").await.json()["auth"]["mode"], "dev");
}

#[tokio::test]
async fn a_page_that_was_not_built_is_named() {
    let chat = Chat::start(&["--web", "no/such/folder"]).await;
    let page = chat.request("GET", "/", &[], b"").await;
    assert!(
        page.status == 200 && page.text().contains("no/such/folder: make web builds it"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn signing_in_needs_an_address_and_this_host() {
    let chat = Chat::start(&[]).await;
    for bad in [&b"{}"[..], b"", br#"{"email":"nobody"}"#] {
        assert_eq!(chat.request("POST", "/dev/login", &[], bad).await.status, 400);
    }
    let body = json!({ "email": MINJI }).to_string();
    for foreign in ["evil.example.com", "evil.example.com:80", "0.0.0.0"] {
        let refused = chat.request("POST", "/dev/login", &[("host", foreign)], body.as_bytes()).await;
        assert_eq!(refused.status, 421, "{foreign}");
    }
    let local = format!("localhost:{}", chat.address.port());
    let login = chat.request("POST", "/dev/login", &[("host", &local)], body.as_bytes()).await;
    assert_eq!((login.status, login.json()["expiresIn"].as_f64()), (200, Some(3600.0)));
    // A target with a host of its own counts as well.
    for (host, status) in [("evil.example.com", 421), (local.as_str(), 200)] {
        let login = format!("http://{host}/dev/login");
        assert_eq!(chat.request("POST", &login, &[], body.as_bytes()).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_page_from_elsewhere_cannot_use_the_chat() {
    let chat = Chat::start(&[]).await;
    let token = chat.login(MINJI).await;
    let authorization = format!("Bearer {token}");
    let ask = async |origin: &str| {
        let headers = [("authorization", authorization.as_str()), ("origin", origin)];
        chat.request("GET", "/chat/conversations", &headers, b"").await.head
    };
    let own = format!("http://{}", chat.address);
    assert!(ask(&own).await.contains(&format!("access-control-allow-origin: {own}")));
    assert!(!ask("https://evil.example.com").await.contains("access-control-allow-origin"));

    let body = json!({ "email": MINJI }).to_string();
    for (origin, status) in [(own.as_str(), 200), ("https://evil.example.com", 403), ("null", 403)] {
        let login = chat.request("POST", "/dev/login", &[("origin", origin)], body.as_bytes()).await;
        assert_eq!(login.status, status, "{origin}");
    }
}
