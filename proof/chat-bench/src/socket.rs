//! Opening many small WebSockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::error::BenchError;
use crate::rest::{Login, percent_encode};
use crate::target::Target;

/// A WebSocket that is open.
pub type Socket = WebSocketStream<TcpStream>;

/// A frame here is a message of a few hundred bytes; the library's default of 128 KiB for each of 10,000
/// sockets would be 1.3 GB.
const BUFFER_BYTES: usize = 2 * 1024;

/// Opens sockets, and moves to a further local address when one has no free port left.
#[derive(Debug, Default)]
pub struct Dialer {
    /// Last byte of the local address beyond 127.0.0.1.
    extra: AtomicU8,
}

impl Dialer {
    /// Opens the user's socket.
    ///
    /// # Errors
    ///
    /// [`BenchError::Io`] without a connection, [`BenchError::Socket`] without an upgrade.
    pub async fn open(&self, target: &Target, login: &Login) -> Result<Socket, BenchError> {
        let stream = self.dial(target.ws_address).await.map_err(BenchError::io("connect a socket"))?;
        stream.set_nodelay(true).map_err(BenchError::io("set TCP_NODELAY"))?;
        let url = format!("{}?token={}", target.ws_url, percent_encode(&login.token));
        let config =
            WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
        let (socket, _) = client_async_with_config(url, stream, Some(config))
            .await
            .map_err(|source| BenchError::Socket { email: login.email.clone(), source: Box::new(source) })?;
        Ok(socket)
    }

    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        loop {
            let extra = self.extra.load(Ordering::Relaxed);
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            if extra > 0 {
                socket.bind((IpAddr::from(Ipv4Addr::new(127, 0, 0, 1 + extra)), 0).into())?;
            }
            match socket.connect(address).await {
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && may_move(address, extra) => {
                    // Only the first of several that fail together moves on.
                    let _ =
                        self.extra.compare_exchange(extra, extra + 1, Ordering::Relaxed, Ordering::Relaxed);
                }
                other => return other,
            }
        }
    }
}

/// 127.0.0.2 and up reach an IPv4 loopback server only.
fn may_move(address: SocketAddr, extra: u8) -> bool {
    address.is_ipv4() && address.ip().is_loopback() && extra < 100
}
