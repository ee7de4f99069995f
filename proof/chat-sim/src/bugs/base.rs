//! The real functions, which a wrong server has behind it.

use chat_wire::Ports;

use crate::ports::SharedEnvironment;
use crate::server::{Real, Server};

/// The real functions over other ports.
pub(super) fn over(shared: &SharedEnvironment, ports: &Ports) -> Real {
    let settings = shared.environment().settings();
    Real::over(ports, &settings)
}

/// A server for everything that a wrong one does not handle itself.
pub(super) fn real(shared: &SharedEnvironment) -> Box<dyn Server> {
    Real::build(shared)
}
