//! Where the server is, and whether it may be loaded.

use std::net::{SocketAddr, ToSocketAddrs};

use http::Uri;

use crate::error::BenchError;

/// The server under load.
#[derive(Debug, Clone)]
pub struct Target {
    /// `ws://host:port/stage`, without a query.
    pub ws_url: String,
    /// Where the WebSocket connects to.
    pub ws_address: SocketAddr,
    /// `host:port` of the REST side, for the `Host` header.
    pub rest_authority: String,
    /// Where REST connects to.
    pub rest_address: SocketAddr,
    /// Path prefix of the REST side, without a trailing slash.
    pub rest_prefix: String,
}

impl Target {
    /// Reads the WebSocket URL; REST is the same host and port unless `rest` says otherwise.
    ///
    /// # Errors
    ///
    /// [`BenchError::BadUrl`], and [`BenchError::NotLoopback`] for any other machine unless `allow_remote`.
    pub fn parse(ws: &str, rest: Option<&str>, remote: Remote) -> Result<Self, BenchError> {
        let (ws_uri, ws_address) = resolve(ws, "ws", remote)?;
        let ws_authority = ws_uri.authority().map(ToString::to_string).unwrap_or_default();
        let derived = format!("http://{ws_authority}");
        let (rest_uri, rest_address) = resolve(rest.unwrap_or(&derived), "http", remote)?;
        Ok(Self {
            ws_url: format!("ws://{ws_authority}{}", ws_uri.path()),
            ws_address,
            rest_authority: rest_uri.authority().map(ToString::to_string).unwrap_or_default(),
            rest_address,
            rest_prefix: rest_uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// Whether another machine may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remote {
    /// Only loopback addresses are allowed.
    Refused,
    /// The caller says that the machine is theirs.
    Allowed,
}

fn resolve(url: &str, scheme: &'static str, remote: Remote) -> Result<(Uri, SocketAddr), BenchError> {
    let bad = || BenchError::BadUrl { url: url.to_owned(), scheme };
    let uri: Uri = url.parse().map_err(|_| bad())?;
    if uri.scheme_str() != Some(scheme) {
        return Err(bad());
    }
    let host = uri.host().ok_or_else(bad)?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(80);
    let addresses: Vec<_> =
        (host.as_str(), port).to_socket_addrs().map_err(BenchError::io(format!("look up {host}")))?.collect();
    // A development server usually listens on 127.0.0.1 only, while `localhost` may name ::1 first.
    let address = addresses.iter().find(|a| a.is_ipv4()).or(addresses.first()).copied().ok_or_else(bad)?;
    if remote == Remote::Refused && !address.ip().is_loopback() {
        return Err(BenchError::NotLoopback { host });
    }
    Ok((uri, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_derived_from_the_socket_url() {
        let target = Target::parse("ws://127.0.0.1:8080/prod", None, Remote::Refused).unwrap();
        assert_eq!(target.ws_url, "ws://127.0.0.1:8080/prod");
        assert_eq!(target.rest_authority, "127.0.0.1:8080");
        assert_eq!(target.rest_address, target.ws_address);
        assert_eq!(target.rest_prefix, "");
    }

    #[test]
    fn rest_may_live_elsewhere() {
        let target =
            Target::parse("ws://127.0.0.1:8080/prod", Some("http://127.0.0.1:9090/api/"), Remote::Refused)
                .unwrap();
        assert_eq!(target.rest_address.port(), 9090);
        assert_eq!(target.rest_prefix, "/api");
    }

    #[test]
    fn another_machine_is_refused_unless_allowed() {
        let url = "ws://192.0.2.7:80/prod";
        assert!(matches!(Target::parse(url, None, Remote::Refused), Err(BenchError::NotLoopback { .. })));
        assert!(Target::parse(url, None, Remote::Allowed).is_ok());
        let rest = Some("http://192.0.2.7");
        let mixed = Target::parse("ws://127.0.0.1:1/prod", rest, Remote::Refused);
        assert!(matches!(mixed, Err(BenchError::NotLoopback { .. })));
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in ["http://127.0.0.1/prod", "wss://127.0.0.1/prod", "127.0.0.1:8080", ""] {
            assert!(
                matches!(Target::parse(url, None, Remote::Refused), Err(BenchError::BadUrl { .. })),
                "{url}"
            );
        }
    }
}
