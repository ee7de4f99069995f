//! The REST side: development login, and reading a room back.

use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::error::BenchError;
use crate::frames::HistoryPage;
use crate::target::Target;
use crate::verify::{RoomLogs, Row};

/// Rows of one history page: the protocol's maximum.
const PAGE: usize = 50;
/// An instant before every message.
const BEGINNING: &str = "1970-01-01T00:00:00.000Z";

/// A user who has logged in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The address of the user.
    pub email: String,
    /// What opens a socket and reads history.
    pub token: String,
}

/// One connection over HTTP that is kept alive.
#[derive(Debug)]
pub struct RestClient {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    prefix: String,
}

impl RestClient {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`BenchError::Io`] or [`BenchError::Http`].
    pub async fn open(target: &Target) -> Result<Self, BenchError> {
        let what = format!("connect to {}", target.rest_address);
        let stream = TcpStream::connect(target.rest_address).await.map_err(BenchError::io(what))?;
        stream.set_nodelay(true).map_err(BenchError::io("set TCP_NODELAY"))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|source| BenchError::Http { what: "handshake".to_owned(), source })?;
        // Its error also reaches whoever waits for an answer.
        tokio::spawn(connection);
        Ok(Self { sender, authority: target.rest_authority.clone(), prefix: target.rest_prefix.clone() })
    }

    /// Logs a user in.
    ///
    /// # Errors
    ///
    /// Any [`BenchError`] of an exchange.
    pub async fn login(&mut self, email: String) -> Result<Login, BenchError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            access_token: String,
        }
        let body = serde_json::json!({ "email": email }).to_string();
        let answer = self.exchange(Method::POST, "/dev/login", None, body).await?;
        let Answer { access_token: token } = read(&answer, "POST /dev/login")?;
        Ok(Login { email, token })
    }

    /// Reads a room from its beginning, oldest first, as `token`'s user.
    ///
    /// # Errors
    ///
    /// Any [`BenchError`] of an exchange; a page that claims more without saying where is a bad answer.
    pub async fn history(
        &mut self,
        token: &str,
        peer: &str,
        room: &RoomLogs<'_>,
    ) -> Result<Vec<Row>, BenchError> {
        let mut rows = Vec::new();
        let mut after = BEGINNING.to_owned();
        loop {
            let (with, from) = (percent_encode(peer), percent_encode(&after));
            let path = format!("/chat/history?with={with}&after={from}&limit={PAGE}");
            let answer = self.exchange(Method::GET, &path, Some(token), String::new()).await?;
            let page: HistoryPage<'_> = read(&answer, &path)?;
            rows.extend(page.messages.iter().map(|incoming| room.row(incoming)));
            if !page.has_more {
                return Ok(rows);
            }
            let next = page.next_after.filter(|next| *next > after.as_str());
            after = next.ok_or_else(|| bad(&path, "a page without end"))?.to_owned();
        }
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: String,
    ) -> Result<Bytes, BenchError> {
        let what = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::from(body)).map_err(|error| bad(&what, &error.to_string()))?;
        let failed = |source| BenchError::Http { what: what.clone(), source };
        self.sender.ready().await.map_err(failed)?;
        let response = self.sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body);
            return Err(bad(&what, &format!("{status} {}", text.chars().take(200).collect::<String>())));
        }
        Ok(body)
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T, BenchError> {
    serde_json::from_slice(body).map_err(|error| bad(what, &error.to_string()))
}

fn bad(what: &str, answer: &str) -> BenchError {
    BenchError::BadAnswer { what: what.to_owned(), answer: answer.to_owned() }
}

/// Everything but RFC 3986's unreserved characters becomes `%XX`.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        assert_eq!(percent_encode("u1.a@bench.example.com"), "u1.a%40bench.example.com");
        assert_eq!(percent_encode("2025-01-01T00:00:00.000Z"), "2025-01-01T00%3A00%3A00.000Z");
        assert_eq!(percent_encode("a+b/=한"), "a%2Bb%2F%3D%ED%95%9C");
    }
}
