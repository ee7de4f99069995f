//! The regions that a chat is in: which of them are there, and where a device connects.

use super::{End, Environment, Happening, note};
use crate::faults::Fault;
use crate::ids::{DeviceId, Id, IdVec, RegionId, SocketId};

/// After which time at most a client notices that the region is gone in which its connection ended.
const LOSS_NOTICED_MS: i64 = 30_000;

/// Until when each region is gone.
pub(super) struct Regions(IdVec<RegionId, i64>);

impl Regions {
    pub(super) fn of(count: usize) -> Self {
        Self((0..count).map(|_| i64::MIN).collect())
    }
}

impl Environment {
    /// Whether there are several.
    pub(crate) fn spans_regions(&self) -> bool {
        self.regions.0.len() > 1
    }

    pub(crate) fn region_count(&self) -> usize {
        self.regions.0.len()
    }

    /// Whether a region is there now. In the end all are.
    pub(crate) fn is_there(&self, region: RegionId) -> bool {
        !self.faults_on || self.regions.0[region] <= self.now_ms()
    }

    /// Where a request of a device arrives: in the region that is its nearest, as long as that is there
    /// and the device has not moved.
    pub(crate) fn region_for(&mut self, device: Option<DeviceId>) -> RegionId {
        let count = self.region_count();
        if count == 1 {
            return RegionId::new(0);
        }
        let anywhere = self.rng.usize(0..count);
        let stays = self.rng.u8(0..8) > 0;
        let nearest = device.filter(|_| stays).map_or(anywhere, |device| device.index() % count);
        let in_order = (0..count).map(|further| RegionId::new((nearest + further) % count));
        let there = in_order.into_iter().find(|region| self.is_there(*region));
        there.unwrap_or(RegionId::new(nearest))
    }

    /// The region of the handler whose call has its turn: processes take turns.
    pub(super) fn region_of_current(&self) -> RegionId {
        if !self.spans_regions() {
            return RegionId::new(0);
        }
        let (process, _) = self.record().tasks[self.current].process;
        RegionId::new(process.index() % self.region_count())
    }

    /// A region goes, and its connections with it: nobody tells of them. It is back after a while.
    pub(crate) fn lose_region(&mut self, region: RegionId, for_ms: i64) {
        self.fired.add(Fault::RegionLost);
        note!(self, "region {region} is gone for {for_ms} ms");
        self.regions.0[region] = self.now_ms() + for_ms;
        let ended: Vec<SocketId> = self
            .sockets
            .enumerated()
            .filter(|(_, socket)| socket.region == region && socket.at_gateway != End::Closed)
            .map(|(socket, _)| socket)
            .collect();
        for socket in ended {
            self.close_at_gateway(socket);
            let noticed_ms = self.rng.i64(1..LOSS_NOTICED_MS);
            self.after(noticed_ms, Happening::ClientLoses(socket));
        }
    }
}
