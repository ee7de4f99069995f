use std::time::Duration;

/// Quotas of the gateway, every one of them overridable.
///
/// The defaults are those of [Quotas for configuring and running a WebSocket API][ws] and
/// [of a REST API][rest]; where AWS publishes none, the constant says how it was chosen.
///
/// ```
/// use apigw_local::Limits;
/// use std::time::Duration;
///
/// let mut limits = Limits::default();
/// limits.idle = Duration::from_secs(30);
/// ```
///
/// [ws]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
/// [rest]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Largest inbound WebSocket frame, in bytes; a larger one closes the connection with 1009.
    pub frame_bytes: usize,
    /// Largest message in either direction, in bytes: inbound closes with 1009, a post gets 413.
    pub message_bytes: usize,
    /// A connection without a message in either direction for this long is closed with 1001.
    pub idle: Duration,
    /// A connection older than this is closed with 1001, whatever it does.
    pub lifetime: Duration,
    /// An integration that has not answered by then has failed.
    pub integration_timeout: Duration,
    /// Longest URL of the upgrade request, in bytes.
    pub url_bytes: usize,
    /// Largest body of a REST request, in bytes.
    pub rest_body_bytes: usize,
    /// Messages of one connection being handled at once; beyond it the gateway stops reading.
    pub in_flight_per_connection: usize,
    /// Bytes waiting for a client that reads too slowly; beyond it a post gets 429.
    pub outbound_queue_bytes: usize,
    /// How long a close handshake may take before the socket is dropped.
    pub close_grace: Duration,
}

impl Limits {
    /// WebSocket frame size: 32 KB.
    pub const FRAME_BYTES: usize = 32 * 1024;
    /// WebSocket message payload size: 128 KB.
    pub const MESSAGE_BYTES: usize = 128 * 1024;
    /// Idle connection timeout: 10 minutes.
    pub const IDLE: Duration = Duration::from_secs(10 * 60);
    /// Connection duration for WebSocket API: 2 hours.
    pub const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);
    /// Integration timeout: 50 milliseconds to 29 seconds.
    pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);
    /// Length of the WebSocket URL: 4096 characters.
    pub const URL_BYTES: usize = 4096;
    /// REST payload size: 10 MB.
    pub const REST_BODY_BYTES: usize = 10 * 1024 * 1024;
    /// AWS publishes no number. Enough that handlers of one connection really race, few enough
    /// that one client cannot hold more than 64 × 128 KB = 8 MB of frames in memory.
    pub const IN_FLIGHT_PER_CONNECTION: usize = 64;
    /// AWS says only that the "client side buffer is full". Eight messages of the largest size.
    pub const OUTBOUND_QUEUE_BYTES: usize = 8 * Self::MESSAGE_BYTES;
    /// Not AWS's: a healthy client answers a close frame in one round trip.
    pub const CLOSE_GRACE: Duration = Duration::from_secs(5);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: Self::FRAME_BYTES,
            message_bytes: Self::MESSAGE_BYTES,
            idle: Self::IDLE,
            lifetime: Self::LIFETIME,
            integration_timeout: Self::INTEGRATION_TIMEOUT,
            url_bytes: Self::URL_BYTES,
            rest_body_bytes: Self::REST_BODY_BYTES,
            in_flight_per_connection: Self::IN_FLIGHT_PER_CONNECTION,
            outbound_queue_bytes: Self::OUTBOUND_QUEUE_BYTES,
            close_grace: Self::CLOSE_GRACE,
        }
    }
}
