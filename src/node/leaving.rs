//! How a server leaves when it is told to stop: whoever leads others lets one of them lead first,
//! and shows its clients where to turn.
//!
//! Without that the others would have to find out that nobody leads, and clients whose requests
//! were not read yet would see their connections end without knowing whether they were heard.

use core::time::Duration;

use crate::raft::{Raft, TransferRefused};
use crate::time::{Deadline, Mono, Reason};

use super::{Node, Phase};

/// How long clients are shown who leads before their connections end.
const COURTESY: Duration = Duration::from_millis(100);

/// What is left to do before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Another is to take over.
    HandingOver,
    /// Clients are sent there.
    Showing {
        /// So long.
        until: Mono,
    },
}

impl Node {
    /// The operator wants the server to stop in good order; who wants it twice does not want to
    /// wait for others.
    pub(super) fn stop(&mut self) {
        let hands_over = self.phase == Phase::Serving
            && self.office.leaving.is_none()
            && self.commit.raft.as_mut().is_some_and(|raft| {
                matches!(
                    raft.transfer(None),
                    Ok(()) | Err(TransferRefused::Transferring)
                )
            });
        if hands_over {
            self.office.leaving = Some(Leaving::HandingOver);
        } else if matches!(self.phase, Phase::Serving | Phase::Recovering) {
            self.phase = Phase::Stopping;
        }
    }

    /// The next step on the way out, when it is time.
    pub(super) fn leave(&mut self) {
        let transferring = self.commit.raft.as_ref().is_some_and(Raft::is_transferring);
        match self.office.leaving {
            Some(Leaving::HandingOver) if !transferring => {
                let until = self.now.mono + COURTESY;
                self.office.leaving = Some(Leaving::Showing { until });
            }
            Some(Leaving::Showing { until }) if self.now.mono >= until => {
                self.office.leaving = None;
                if self.phase == Phase::Serving {
                    self.phase = Phase::Stopping;
                }
            }
            _ => {}
        }
    }

    /// When that is.
    pub(super) fn leaving_deadline(&self) -> Option<Deadline> {
        match self.office.leaving {
            Some(Leaving::Showing { until }) => Some(Deadline {
                at: until,
                reason: Reason::Housekeeping,
            }),
            Some(Leaving::HandingOver) | None => None,
        }
    }
}
