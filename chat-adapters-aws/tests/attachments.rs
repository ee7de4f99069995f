//! The attachment store keeps the contract of its port, before a stand-in for S3 that checks signatures as S3
//! does.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::test_util::{NeverClient, infallible_client_fn};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use chat_adapters_aws::{CloudFrontKeyError, CloudFrontSigner, S3AttachmentStore};
use chat_domain::conformance::{AttachmentEraserHarness, AttachmentStoreHarness};
use chat_domain::{
    AttachmentEraser, AttachmentKey, AttachmentStore, AttachmentStoreError, Email, ImageFacts, ImageType,
    Member, RoomId, SignedUrl, Timestamp, UPLOAD_KEPT_FOR,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rstest::rstest;
use sha2::{Digest as _, Sha256};

const SECRET: &str = "a secret of the tests";
const BASE: &str = "https://s3.ap-northeast-2.amazonaws.com/playground-attachments/";

type Objects = Arc<Mutex<HashMap<String, Object>>>;

/// What lies in the bucket.
struct Object {
    content_type: String,
    bytes: Vec<u8>,
    tagging: Option<String>,
    uploaded_at: Timestamp,
}

/// A bucket, and browsers that reach it.
struct S3 {
    objects: Objects,
    store: S3AttachmentStore,
}

fn config() -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", SECRET, None, None, "tests"))
        .force_path_style(true)
}

/// Method, key, and the query without what the SDK says of itself.
fn store(wire: impl Fn(&str, &str, &str) -> HttpResponse + Send + Sync + 'static) -> S3AttachmentStore {
    let client = infallible_client_fn(move |request| {
        let key = request.uri().path().rsplit_once('/').unwrap().1;
        let query = request.uri().query().unwrap_or_default();
        let query = query.split('&').filter(|pair| !pair.starts_with("x-id=")).collect::<Vec<_>>().join("&");
        let method = request.method().as_str();
        if method == "GET" && !key.is_empty() {
            assert_eq!(request.headers()["range"], "bytes=0-10485759");
        }
        wire(method, key, &query).try_into_http1x().unwrap()
    });
    S3AttachmentStore::new(config().http_client(client), "playground-attachments")
}

fn error(status: u16, code: &str) -> HttpResponse {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    HttpResponse::new(status.try_into().unwrap(), body.into())
}

/// As S3 writes it: `Mon, 23 Nov 2026 09:00:00 GMT`.
fn http_date(at: Timestamp) -> String {
    let at = aws_sdk_s3::primitives::DateTime::from_millis(at.unix_ms());
    at.fmt(aws_sdk_s3::primitives::DateTimeFormat::HttpDate).unwrap()
}

/// Two at a time.
fn listed(objects: &HashMap<String, Object>, query: &str) -> HttpResponse {
    let after = query.split('&').find_map(|pair| pair.strip_prefix("start-after=")).unwrap_or_default();
    let mut keys: Vec<_> = objects.keys().filter(|key| key.as_str() > after).collect();
    keys.sort();
    let shown: String = keys
        .iter()
        .take(2)
        .map(|key| {
            let Object { bytes, uploaded_at, .. } = &objects[*key];
            let (size, at) = (bytes.len(), uploaded_at);
            format!(
                "<Contents><Key>{key}</Key><LastModified>{at}</LastModified><Size>{size}</Size></Contents>"
            )
        })
        .collect();
    let cut = keys.len() > 2;
    let body = format!("<ListBucketResult><IsTruncated>{cut}</IsTruncated>{shown}</ListBucketResult>");
    HttpResponse::new(200.try_into().unwrap(), body.into())
}

async fn fresh() -> S3 {
    let objects = Objects::default();
    let stored = Arc::clone(&objects);
    let store = store(move |method, key, query| {
        let mut stored = stored.lock().unwrap();
        if (method, key) == ("GET", "") {
            return listed(&stored, query);
        }
        if (method, query) == ("DELETE", "") {
            stored.remove(key);
            return HttpResponse::new(204.try_into().unwrap(), "".into());
        }
        let Some(object) = stored.get_mut(key) else { return error(404, "NoSuchKey") };
        match (method, query) {
            ("GET", "") => {
                let Object { content_type, bytes, uploaded_at, .. } = object;
                let mut response = HttpResponse::new(206.try_into().unwrap(), bytes.clone().into());
                let range = format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len());
                response.headers_mut().insert("content-range", range);
                response.headers_mut().insert("content-type", content_type.clone());
                response.headers_mut().insert("last-modified", http_date(*uploaded_at));
                response
            }
            ("DELETE", "tagging") => {
                object.tagging = None;
                HttpResponse::new(204.try_into().unwrap(), "".into())
            }
            ("PUT", "tagging") => {
                object.tagging = Some("chat-upload=pending".to_owned());
                HttpResponse::new(200.try_into().unwrap(), "".into())
            }
            request => panic!("{request:?}"),
        }
    });
    S3 { objects, store }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key that a request may use, by "Authenticating Requests: Using Query Parameters" of the S3 API
/// reference.
fn authenticated<'a>(
    method: &str,
    url: &'a SignedUrl,
    headers: &BTreeMap<String, String>,
    now: Timestamp,
) -> Option<&'a str> {
    let (resource, query) = url.url.split_once('?')?;
    let rest = resource.strip_prefix("https://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let mut parameters: BTreeMap<_, _> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let signature = parameters.remove("X-Amz-Signature")?;

    let signed_headers = parameters["X-Amz-SignedHeaders"].replace("%3B", ";");
    let mut canonical_headers = String::new();
    for name in signed_headers.split(';') {
        let value = if name == "host" { host } else { headers.get(name)? };
        canonical_headers += &format!("{name}:{value}\n");
    }
    let canonical_query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let canonical = format!(
        "{method}\n{path}\n{}\n{canonical_headers}\n{signed_headers}\nUNSIGNED-PAYLOAD",
        canonical_query.join("&")
    );
    let date = parameters["X-Amz-Date"];
    let scope = format!("{}/ap-northeast-2/s3/aws4_request", &date[..8]);
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let day_key = mac(format!("AWS4{SECRET}").as_bytes(), &date[..8]);
    let key = ["ap-northeast-2", "s3", "aws4_request"].iter().fold(day_key, |key, part| mac(&key, part));
    if hex(&mac(&key, &text)) != signature {
        return None;
    }

    let at = format!(
        "{}-{}-{}T{}:{}:{}.000Z",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &date[9..11],
        &date[11..13],
        &date[13..15]
    );
    let from: Timestamp = at.parse().unwrap();
    let lifetime = Duration::from_secs(parameters["X-Amz-Expires"].parse().unwrap());
    let holds = from <= now && now < from.after(lifetime);
    resource.strip_prefix(BASE).filter(|_| holds)
}

#[async_trait]
impl AttachmentStoreHarness for S3 {
    fn store(&self) -> &dyn AttachmentStore {
        &self.store
    }

    async fn put(&self, url: &SignedUrl, content_type: &str, bytes: &[u8], now: Timestamp) -> bool {
        let mut headers: BTreeMap<_, _> = url.headers.iter().cloned().collect();
        headers.insert("content-type".to_owned(), content_type.to_owned());
        headers.insert("content-length".to_owned(), bytes.len().to_string());
        let Some(key) = authenticated("PUT", url, &headers, now) else { return false };
        let mut objects = self.objects.lock().unwrap();
        if headers.get("if-none-match").is_some_and(|tag| tag == "*") && objects.contains_key(key) {
            return false;
        }
        let object = Object {
            content_type: content_type.to_owned(),
            bytes: bytes.to_vec(),
            tagging: headers.get("x-amz-tagging").cloned(),
            uploaded_at: now,
        };
        objects.insert(key.to_owned(), object);
        true
    }

    /// By the rule of the template.
    async fn expire(&self, now: Timestamp) {
        self.objects.lock().unwrap().retain(|_, object| {
            let is_pending = object.tagging.as_deref() == Some("chat-upload=pending");
            !is_pending || now < object.uploaded_at.after(UPLOAD_KEPT_FOR)
        });
    }

    async fn get(&self, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>> {
        let headers = url.headers.iter().cloned().collect();
        let key = authenticated("GET", url, &headers, now)?;
        // By the template's policy, a URL shows nothing that bears the tag.
        let objects = self.objects.lock().unwrap();
        objects.get(key).filter(|object| object.tagging.is_none()).map(|object| object.bytes.clone())
    }
}

mod conformance {
    use super::fresh;

    chat_domain::attachment_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::attachment_eraser_conformance!(fresh);
    }
}

impl AttachmentEraserHarness for S3 {
    fn eraser(&self) -> &dyn AttachmentEraser {
        &self.store
    }
}

fn facts() -> ImageFacts {
    ImageFacts::new(ImageType::Webp, 48_211, 1_280, 960).unwrap()
}

fn key() -> AttachmentKey {
    let (minji, junho): (Email, Email) =
        ("minji@example.com".parse().unwrap(), "junho@example.com".parse().unwrap());
    AttachmentKey::mint(&RoomId::new(&minji, &junho).unwrap(), Member::B, facts(), 7)
}

fn shown(url: &SignedUrl) -> String {
    let lines = url.url.replace('?', "\n  ?").replace('&', "\n  &");
    format!("{lines}\n{:?}\nuntil {}", url.headers, url.expires_at)
}

#[tokio::test]
async fn urls_sign_all_that_matters_and_count_from_a_full_second() {
    let store = fresh().await.store;
    let now = "2026-11-23T09:00:00.999Z".parse().unwrap();
    let facts = facts();
    insta::assert_snapshot!("upload", shown(&store.upload_url(&key(), facts, now).await.unwrap()));
    insta::assert_snapshot!("download", shown(&store.download_url(&key(), now).await.unwrap()));
}

#[tokio::test]
async fn cloudfront_urls_are_signed_by_the_key_over_the_policy_that_they_imply() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    let private_key = BASE64_STANDARD.encode(pkcs8.as_ref());
    let signer = CloudFrontSigner::new("d111111abcdef8.cloudfront.net", "K2JCJMDEHXQW5F", &private_key);
    let store = fresh().await.store.with_downloads_from(signer.unwrap());
    let now = "2026-11-23T09:00:00.999Z".parse().unwrap();

    for _ in 0..20 {
        let SignedUrl { url, headers, expires_at } = store.download_url(&key(), now).await.unwrap();
        assert_eq!((headers, expires_at.to_string().as_str()), (Vec::new(), "2026-11-23T09:05:00.000Z"));
        let (object, query) = url.split_once('?').unwrap();
        assert_eq!(object, format!("https://d111111abcdef8.cloudfront.net/{}", key()));
        let [expires, signature, key_id, hash] = query.split('&').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((expires, key_id), ("Expires=1795424700", "Key-Pair-Id=K2JCJMDEHXQW5F"));
        assert_eq!(hash, "Hash-Algorithm=SHA256");
        let signature = signature.strip_prefix("Signature=").unwrap();
        assert!(!signature.contains(['+', '=', '/']), "{signature}");
        let signature = signature.replace('-', "+").replace('_', "=").replace('~', "/");
        let policy = format!(
            r#"{{"Statement":[{{"Resource":"{object}","Condition":{{"DateLessThan":{{"AWS:EpochTime":1795424700}}}}}}]}}"#
        );
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key().as_ref())
            .verify(policy.as_bytes(), &BASE64_STANDARD.decode(signature).unwrap())
            .unwrap();
    }
}

#[rstest]
#[case::nothing("")]
#[case::not_base64("-----BEGIN PRIVATE KEY-----")]
#[case::not_a_key("bm8=")]
fn what_is_no_key_is_refused(#[case] key: &str) {
    let refused = CloudFrontSigner::new("d111111abcdef8.cloudfront.net", "K2JCJMDEHXQW5F", key);
    assert_eq!(refused.map(|_| ()), Err(CloudFrontKeyError));
}

#[rstest]
#[case::too_fast(503, "SlowDown")]
#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_asked_too_fast_throttles(#[case] status: u16, #[case] code: &'static str) {
    let store = store(move |_, _, _| error(status, code));
    let outcome = store.inspect(&key()).await;
    assert!(matches!(outcome, Err(AttachmentStoreError::Throttled { operation: "inspect" })), "{outcome:?}");
    let outcome = store.keep(&key()).await;
    assert!(matches!(outcome, Err(AttachmentStoreError::Throttled { operation: "keep" })), "{outcome:?}");
}

#[rstest]
#[case::internal(500, "InternalError")]
#[case::no_permission(403, "AccessDenied")]
#[case::no_bucket(404, "NoSuchBucket")]
#[case::an_empty_object(416, "InvalidRange")]
#[tokio::test(start_paused = true)]
async fn what_cannot_be_seen_is_unavailable(#[case] status: u16, #[case] code: &'static str) {
    let store = store(move |_, _, _| error(status, code));
    let outcome = store.inspect(&key()).await;
    let unavailable = matches!(outcome, Err(AttachmentStoreError::Unavailable { operation: "inspect", .. }));
    assert!(unavailable, "{outcome:?}");
    let outcome = store.keep(&key()).await;
    let unavailable = matches!(outcome, Err(AttachmentStoreError::Unavailable { operation: "keep", .. }));
    assert!(unavailable, "{outcome:?}");
}

#[tokio::test]
async fn an_answer_without_length_or_age_is_unavailable() {
    for (name, value) in
        [("last-modified", "Mon, 23 Nov 2026 09:00:00 GMT"), ("content-range", "bytes 0-4/5")]
    {
        let store = store(move |_, _, _| {
            let mut response = HttpResponse::new(206.try_into().unwrap(), "bytes".into());
            response.headers_mut().insert(name, value);
            response
        });
        let outcome = store.inspect(&key()).await;
        assert!(matches!(outcome, Err(AttachmentStoreError::Unavailable { .. })), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_unavailable_within_seven_seconds() {
    let store = S3AttachmentStore::new(config().http_client(NeverClient::new()), "playground-attachments");
    let began = tokio::time::Instant::now();
    let outcome = store.inspect(&key()).await;
    assert!(matches!(outcome, Err(AttachmentStoreError::Unavailable { .. })), "{outcome:?}");
    assert!(began.elapsed() <= Duration::from_millis(7_001), "{:?}", began.elapsed());
}
