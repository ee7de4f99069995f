//! Whoever runs the chat: they suspend a user as `chat-admin` does, step by step, give an order again that
//! failed, and admit everybody in the end.

use super::Simulation;
use super::convergence::{CONVERGED_WITHIN_MS, Unbroken, unbroken};
use crate::faults::{Fault, INDEX_LAG_MAX_MS};
use crate::ids::User;
use crate::observations::Observation;
use crate::plan::Act;
use crate::server::Order;

/// How long they wait before they list connections once more: until the index shows all that there were, also
/// if it goes back.
const LOOK_AGAIN_AFTER_MS: i64 = 2 * INDEX_LAG_MAX_MS;
/// How long they take to give an order again that failed.
const AGAIN_AFTER_MS: i64 = 1_000;

impl Simulation {
    /// An order about a user is given.
    pub(super) fn order(&mut self, user: User, order: Order) {
        if self.converges && order != Order::Resume {
            return;
        }
        self.orders += 1;
        if order == Order::Suspend {
            self.environment().happened(Fault::Suspended);
        }
        self.gateway.operate(user, order);
    }

    /// An order was carried out, or nobody knows what came of it.
    pub(super) fn operated(&mut self, user: User, order: Order, is_done: bool) {
        self.orders -= 1;
        let next = match (order, is_done) {
            (Order::Resume, true) => return,
            (Order::Resume, false) => (AGAIN_AFTER_MS, Order::Resume),
            _ if self.converges => return,
            (Order::Suspend, true) => (LOOK_AGAIN_AFTER_MS, Order::Disconnect),
            (Order::Disconnect, true) => {
                return self.environment().observe(&Observation::Suspended { user });
            }
            (Order::Suspend | Order::Disconnect, false) => (AGAIN_AFTER_MS, Order::Suspend),
        };
        let (delay_ms, order) = next;
        self.act_later(delay_ms, Act::Order { user, order });
    }

    /// Everybody is admitted again who was kept out.
    pub(super) fn everybody_is_admitted(&mut self) -> Unbroken {
        if !self.plan.keeps_out() {
            return Some(());
        }
        self.announce("everybody is admitted again");
        let until_ms = self.environment().now_ms() + CONVERGED_WITHIN_MS;
        // An order that is under way, or frozen, would suspend the user anew.
        while !self.is_quiet() && self.environment().now_ms() < until_ms {
            unbroken(self.run_for(AGAIN_AFTER_MS))?;
        }
        let everybody = self.gateway.directory().everybody();
        for user in everybody {
            self.order(user, Order::Resume);
        }
        while self.orders > 0 && self.environment().now_ms() < until_ms {
            unbroken(self.run_for(AGAIN_AFTER_MS))?;
        }
        Some(())
    }

    /// Whether no handler runs, and no write is on its way.
    fn is_quiet(&self) -> bool {
        self.orders == 0 && self.gateway.is_idle() && !self.environment().is_late_waiting()
    }
}
