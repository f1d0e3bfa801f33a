//! Keyspace events of what the commands of a script do.
//!
//! They depend on what is left of a key behind each call, and so are made before the next one, a
//! few at a time. They are told when the script is at its end.

use alloc::collections::VecDeque;
use core::mem;

use super::host::Host;
use crate::command::args::Args;
use crate::command::event::{Classes, Happened, KeyEvent, Tells};
use crate::command::row::Row;
use crate::store::Touched;

/// So many touched keys are looked at before the work that is left is looked at again.
const KEYS_AT_ONCE: usize = 64;
/// So many of them are one unit of work.
const KEYS_PER_WORK: usize = 8;

/// The events of a script, if somebody listened when it began.
#[derive(Clone, Debug, Default)]
pub(super) struct Happenings {
    wanted: Option<Classes>,
    /// The last call: what it tells, and how many of its freed and touched keys have been told.
    call: Option<(Tells, usize, usize)>,
    made: VecDeque<Happened>,
    bytes: usize,
}

impl Happenings {
    /// A script begins, of which events of these classes are to be made, or none.
    pub(super) fn begin(&mut self, wanted: Option<Classes>) {
        *self = Self {
            wanted,
            ..Self::default()
        };
    }

    /// Returns the events, which is asked once, and their bytes.
    pub(super) fn take(&mut self) -> (VecDeque<Happened>, usize) {
        let all = mem::take(self);
        (all.made, all.bytes)
    }

    /// A call has come to its end.
    pub(super) fn has_run(&mut self, row: &Row, args: Args<'_>) {
        if self.wanted.is_some() {
            self.call = Some((row.tells.of(args), 0, 0));
        }
    }

    /// Makes some events of the last call; false where all are made.
    pub(super) fn make_some(&mut self, host: &mut Host<'_, '_>) -> bool {
        let (Some(wanted), Some((rule, freed, told))) = (self.wanted, self.call) else {
            return false;
        };
        let (store, at) = (host.store(), host.at());
        let (touched, ended) = store.of_call();
        let exists = |db, key: &[u8]| store.holds(db, key, at);
        let before = self.made.len();
        let looked_at;
        if let Some((db, key)) = ended.get(freed) {
            let one = Touched {
                db: *db,
                key: Some(key.clone()),
                is_new: false,
            };
            Tells::Only(KeyEvent::EXPIRED).tell(wanted, &[one], exists, &mut self.made);
            self.call = Some((rule, freed + 1, told));
            looked_at = 1;
        } else {
            let rest = touched.get(told..).unwrap_or_default();
            let is_whole = rule.is_of_all_keys() || rest.len() <= KEYS_AT_ONCE;
            let some = if is_whole {
                rest
            } else {
                &rest[..KEYS_AT_ONCE]
            };
            if !matches!(rule, Tells::Nothing) {
                rule.tell(wanted, some, exists, &mut self.made);
            }
            looked_at = some.len();
            self.call = (!is_whole).then_some((rule, freed, told + looked_at));
        }
        let made = self.made.range(before..);
        self.bytes += made.map(Happened::memory).sum::<usize>();
        host.pace().pay(looked_at.div_ceil(KEYS_PER_WORK));
        if self.call.is_none() {
            host.end_call();
        }
        self.call.is_some()
    }
}
