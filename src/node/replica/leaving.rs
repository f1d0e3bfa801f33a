//! How a server leaves when it is told to stop: whoever leads others lets one of them lead first,
//! and shows its clients where to turn.
//!
//! Without that the others would have to find out that nobody leads, and clients whose requests
//! were not read yet would see their connections end without knowing whether they were heard.

use alloc::format;
use core::time::Duration;

use crate::aof::Log;
use crate::node::{Node, Phase};
use crate::raft::{Raft, TransferRefused};
use crate::time::{Deadline, Reason};

use super::standing::Leaving;

/// How long clients are shown who leads before their connections end.
const COURTESY: Duration = Duration::from_millis(100);

/// How long a leader waits for others to confirm what it has proposed. They may be unable to do so
/// because they wait for what a server that stops no longer does.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is then until a server that has not ended looks again whether its log can be
/// written.
const RECHECK: Duration = Duration::from_secs(1);

impl Node {
    /// The operator wants the server to stop in good order; who wants it twice does not want to
    /// wait for others.
    pub(in crate::node) fn stop(&mut self) {
        let hands_over = self.phase == Phase::Serving
            && self.replica.leadership.leaving.is_none()
            && self.replica.raft.as_mut().is_some_and(|raft| {
                matches!(
                    raft.transfer(None),
                    Ok(()) | Err(TransferRefused::Transferring)
                )
            });
        if hands_over {
            self.replica.leadership.leaving = Some(Leaving::HandingOver);
        } else if matches!(self.phase, Phase::Serving | Phase::Recovering) {
            self.stop_when_settled();
        } else if self.phase == Phase::Stopping {
            let until = self.now.mono;
            self.replica.leadership.leaving = Some(Leaving::Settling { until });
        }
    }

    fn stop_when_settled(&mut self) {
        self.phase = Phase::Stopping;
        let until = self.now.mono + PATIENCE;
        self.replica.leadership.leaving = Some(Leaving::Settling { until });
    }

    /// The next step on the way out, when it is time.
    pub(super) fn leave(&mut self) {
        let transferring = self
            .replica
            .raft
            .as_ref()
            .is_some_and(Raft::is_transferring);
        match self.replica.leadership.leaving {
            Some(Leaving::HandingOver) if !transferring => {
                let until = self.now.mono + COURTESY;
                self.replica.leadership.leaving = Some(Leaving::Showing { until });
            }
            Some(Leaving::Showing { until }) if self.now.mono >= until => {
                self.replica.leadership.leaving = None;
                if self.phase == Phase::Serving {
                    self.stop_when_settled();
                }
            }
            Some(Leaving::Settling { until }) if self.now.mono >= until => {
                // The disk may fill up only now.
                let until = self.now.mono + RECHECK;
                self.replica.leadership.leaving = Some(Leaving::Settling { until });
                if let Some(raft) = &mut self.replica.raft {
                    raft.resign();
                }
                // Who waits is told that nobody knows what will become of it.
                self.tend_leadership();
                // A log that cannot grow can still be ended in good order, and synced.
                let log = self.replica.log.as_ref();
                if let Some(why) = log.and_then(Log::write_refused) {
                    self.fail(format!(
                        "shutting down while the log cannot be written ({why}): only writes that \
                         were not answered may be lost"
                    ));
                }
            }
            _ => {}
        }
    }

    /// When that is.
    pub(in crate::node) fn leaving_deadline(&self) -> Option<Deadline> {
        match self.replica.leadership.leaving {
            Some(Leaving::Showing { until } | Leaving::Settling { until }) => Some(Deadline {
                at: until,
                reason: Reason::Housekeeping,
            }),
            Some(Leaving::HandingOver) | None => None,
        }
    }
}
