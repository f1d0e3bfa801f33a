//! The causes of events: for each event the one that planned it or, of a turn, that woke the member
//! last.

use crate::world::columns::What;
use crate::world::observed::Seen;

/// An event as a line in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// True time, in nanoseconds.
    pub(crate) time: u64,
    /// The event that led to it; 0: the beginning.
    pub(crate) cause: u64,
    pub(crate) what: What,
}

/// Why a member takes its next turn.
#[derive(Clone, Copy, Debug)]
struct Waker {
    event: u64,
    is_frame: bool,
}

/// All events so far.
#[derive(Debug)]
pub(super) struct Causes {
    heads: Vec<Head>,
    wakers: Vec<Option<Waker>>,
}

impl Causes {
    pub(super) fn new(members: usize) -> Self {
        Self {
            heads: Vec::new(),
            wakers: vec![None; members],
        }
    }

    pub(super) fn head(&self, event: u64) -> Option<&Head> {
        self.heads.get(usize::try_from(event.checked_sub(1)?).ok()?)
    }

    pub(super) fn knows(&self, event: u64) -> bool {
        event <= self.heads.len() as u64
    }

    /// The first known event at or after a time.
    pub(super) fn first_at(&self, time: u64) -> Option<u64> {
        let at = self.heads.partition_point(|head| head.time < time);
        (at < self.heads.len()).then_some(at as u64 + 1)
    }

    /// Notes an event, when it happens for the first time.
    pub(super) fn note(&mut self, event: u64, time: u64, seen: &[Seen]) {
        if self.knows(event) {
            return;
        }
        let mut is_frame = false;
        for one in seen {
            match one {
                Seen::Began { cause, what } => {
                    is_frame = matches!(what, What::Frame { .. });
                    let cause = match *what {
                        What::Turn { member } => self.wakers[member]
                            .take()
                            .map_or(*cause, |waker| waker.event),
                        _ => *cause,
                    };
                    let what = *what;
                    self.heads.push(Head { time, cause, what });
                }
                Seen::Woken { member } => {
                    let waker = &mut self.wakers[*member];
                    // A frame says more of why than what came beside it.
                    if is_frame || waker.is_none_or(|waker| !waker.is_frame) {
                        *waker = Some(Waker { event, is_frame });
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn chain(&self, event: u64) -> Vec<u64> {
        let mut chain = Vec::new();
        let mut at = event;
        while let Some(head) = self.head(at) {
            chain.push(at);
            if head.what.is_origin() || head.cause >= at {
                break;
            }
            at = head.cause;
        }
        chain
    }
}
