//! The second half of a schedule: nothing goes wrong any more, and everything has to come to rest, in stages.

use chat_domain::CONNECTIONS_MAX;

use super::Simulation;
use crate::environment::{CLOCK_SKEW_MAX_MS, Timer};
use crate::faults::INDEX_LAG_MAX_MS;
use crate::ids::{DeviceId, Id as _};
use crate::observations::{ClientView, Observation, Says};
use crate::plan::{Act, Age, MessageOf, WhatChanges};

/// How long nothing may change before a schedule counts as not converging, once nothing goes wrong: longer
/// than any handler was frozen, and any wait of a client.
pub(super) const CONVERGED_WITHIN_MS: i64 = 1_200_000;
/// How many connections are too many.
const CROWD: u8 = 22;
/// How far apart a crowd's connections are opened, at most.
pub(super) const CROWD_APART_MS: i64 = 400;
/// How many times somebody has to connect anew, until what is too much of so many is closed.
const RENEWALS_MAX: usize = 8;
/// Within which time everybody connects anew, and writes meanwhile.
const RENEWED_WITHIN_MS: i64 = 1_500;
const WRITTEN_WITHIN_MS: i64 = 4_000;
/// How long it takes at least until all of that has come to rest.
const RECONNECTING_MS: i64 = 12_000;
/// How long it takes at most until nobody owes any request.
const DEBTS_PAID_MS: i64 = 450_000;
/// How long what one device writes, or asks for, takes to come to rest.
const QUIET_MS: i64 = 2_000;

/// No promise is broken so far; `None` once one is, which ends the schedule.
pub(super) type Unbroken = Option<()>;

pub(super) fn unbroken(holds: bool) -> Unbroken {
    holds.then_some(())
}

impl Simulation {
    /// Nothing goes wrong any more. Everything has to come to rest, in stages.
    pub(super) fn converge(&mut self) {
        self.announce("nothing goes wrong any more");
        self.environment().stop_faults();
        self.converges = true;
        self.gateway.set_clocks(0);
        for device in self.clients.ids() {
            self.with(device, |client, line| client.start(line));
        }
        let _unbroken = self.stages();
    }

    fn stages(&mut self) -> Unbroken {
        // Whoever asked far too much is refused until what they owe is paid.
        if self.plan.acts.iter().any(|(_, act)| matches!(act, Act::Hammer { .. })) {
            unbroken(self.run_for(DEBTS_PAID_MS))?;
        }
        self.everybody_is_admitted()?;
        // What was frozen or on its way is let go first: its pushes go to whom it knew.
        self.settle()?;
        // Clocks were wrong when these came, and the oldest may not be the oldest.
        self.leave_crowd();
        self.everybody_reconnects()?;
        self.final_messages()?;
        self.lists()?;
        self.crowds()?;
        self.observe_connections();
        Some(())
    }

    pub(super) fn announce(&self, what: &str) {
        self.environment().note(format_args!("---- {what} ----"));
    }

    /// Everybody connects anew, while everybody writes: the index lags, and nobody may miss anything.
    fn everybody_reconnects(&mut self) -> Unbroken {
        self.announce("everybody reconnects");
        for device in self.clients.ids() {
            let renew = self.environment().random_ms(0..RENEWED_WITHIN_MS);
            let write = self.environment().random_ms(0..WRITTEN_WITHIN_MS);
            // Nobody's login runs out while it is looked whether pushes arrive: after that there are none.
            self.with(device, |client, line| client.token(line, true));
            self.set_timer(device, renew, Timer::Renew);
            let peer = self.plan.user_after(self.clients[device].user(), 1);
            self.act_later(0, Act::Open { device, peer });
            self.act_later(write, Act::Write { device, peer });
        }
        unbroken(self.run_for(RECONNECTING_MS))?;
        self.settle()?;
        self.observe_views(|clients| Observation::Settled { when: "after reconnecting", clients });
        self.observe_connections();
        Some(())
    }

    /// Everybody writes a final message, for which nobody syncs: every device is told of it.
    fn final_messages(&mut self) -> Unbroken {
        self.announce("everybody writes once more");
        for client in &mut self.clients {
            client.forget_pushes();
        }
        let since = self.environment().record().intents.next_id();
        for device in self.clients.ids() {
            let peer = self.plan.user_after(self.clients[device].user(), 1);
            let says = Says::Text(format!("last words of device {device}"));
            self.with(device, |client, line| client.write(line, peer, says, false));
            unbroken(self.run_for(QUIET_MS))?;
        }
        // Nobody syncs for a change either.
        if self.plan.changes_messages() {
            let device = DeviceId::new(0);
            let user = self.clients[device].user();
            let of = MessageOf { author: Some(user), age: Age::NewestBut(0) };
            self.change(device, self.plan.user_after(user, 1), of, WhatChanges::Edit);
        }
        self.settle()?;
        self.observe_views(|clients| Observation::FinalMessagesSettled { since, clients });
        Some(())
    }

    /// Everything that can be listed is so.
    fn lists(&mut self) -> Unbroken {
        for device in self.clients.ids() {
            self.with(device, |client, line| client.sync(line));
        }
        unbroken(self.run_for(QUIET_MS))?;
        self.settle()?;
        self.observe_views(|clients| Observation::Settled { when: "at the end", clients });
        self.observe_views(|clients| Observation::ListsSettled { clients });
        Some(())
    }

    /// Whoever opened too many connections in the first half does so again, and a few that connect anew bring
    /// them back to what one may have.
    fn crowds(&mut self) -> Unbroken {
        let crowd = |act: &Act| if let Act::Crowd { device, .. } = act { Some(*device) } else { None };
        let crowds: Vec<DeviceId> = self.plan.acts.iter().filter_map(|(_, act)| crowd(act)).collect();
        // Until then rows may be dated ahead, by clocks that were wrong, and what has left them is not
        // believed to be gone.
        if !crowds.is_empty() {
            unbroken(self.run_for(CLOCK_SKEW_MAX_MS + 60_000))?;
        }
        for device in crowds {
            self.announce(&format!("device {device} opens too many connections"));
            self.crowd(device, CROWD);
            unbroken(self.run_for(i64::from(CROWD) * CROWD_APART_MS))?;
            self.settle_index()?;
            // By now the index shows all of them to whoever comes next, which closes a few. Whoever is closed
            // comes back while the index lags, and may be one too many again: the next one sees to it.
            for _ in 0..RENEWALS_MAX {
                if self.environment().connections_of(self.clients[device].user()) <= CONNECTIONS_MAX {
                    break;
                }
                self.with(device, |client, line| client.renew(line));
                self.settle_index()?;
            }
        }
        Some(())
    }

    /// Runs on until nothing is on its way.
    fn settle(&mut self) -> Unbroken {
        let deadline = self.environment().now_ms() + CONVERGED_WITHIN_MS;
        while self.environment().now_ms() < deadline {
            unbroken(self.run_for(1_000))?;
            if self.is_settled() {
                return Some(());
            }
        }
        let waiting: Vec<_> = self.clients.iter().flat_map(|client| client.outbox()).collect();
        self.environment().observe(&Observation::NotSettled { waiting: &format!("{waiting:?}") });
        None
    }

    /// Runs on until nothing is on its way, and the index shows all there is.
    fn settle_index(&mut self) -> Unbroken {
        self.settle()?;
        unbroken(self.run_for(2 * INDEX_LAG_MAX_MS))
    }

    fn is_settled(&self) -> bool {
        self.gateway.is_idle()
            && !self.environment().is_late_waiting()
            && self.clients.iter().all(|client| client.is_settled())
    }

    /// Observes what every client knows.
    fn observe_views(&self, seen: impl for<'a> FnOnce(&'a [ClientView<'a>]) -> Observation<'a>) {
        let views: Vec<_> = self.clients.enumerated().map(|(device, client)| client.view(device)).collect();
        self.environment().observe(&seen(&views));
    }

    fn observe_connections(&self) {
        let open = self.environment().open_sockets();
        self.environment().observe(&Observation::ConnectionsSettled { open: &open });
    }

    /// All connections that only listen are left.
    pub(super) fn leave_crowd(&mut self) {
        let sockets = self.environment().sockets().ids();
        for socket in sockets {
            if self.environment().socket(socket).silent {
                self.gateway.drop_socket(socket);
            }
        }
    }
}
