//! Simpler values: settings as calm as they come, short values, half as long, round times.

use super::search::Search;
use crate::decisions::decision::{Act, Deal, Fate, Strike};
use crate::decisions::script::Script;
use crate::disk::Profile;
use crate::workload::Piece;

/// A value that is longer says nothing by its length.
const VALUE: usize = 16;
/// How often a length is halved.
const HALVES: usize = 5;
/// When a process that has crashed begins anew, where that makes no difference, in nanoseconds.
const BACK: u64 = 300_000_000;

impl Search {
    /// Lets everything that travels take its mean time.
    pub(super) fn steady(&mut self) {
        if !self.best.steady {
            self.holds(|script| script.steady = true);
        }
    }

    /// All values, one after the other.
    pub(super) fn values(&mut self) {
        self.steady();
        self.settings();
        self.short_values();
        self.fates();
        for unit in [100_000_000, 10_000_000, 1_000_000, 1000] {
            if self.holds(|script| round(script, unit)) {
                break;
            }
        }
        self.lengths();
        self.cut_tail();
    }

    /// Each setting as it is where nobody says anything.
    fn settings(&mut self) {
        let all_calm = |script: &mut Script| {
            for key in script.calmable() {
                script.calm(key);
            }
        };
        if self.holds(all_calm) {
            return;
        }
        for key in self.best.calmable() {
            self.holds(|script| script.calm(key));
        }
    }

    fn short_values(&mut self) {
        if self.holds(|script| script.acts.iter_mut().for_each(shorten)) {
            return;
        }
        for number in 0..self.best.acts.len() {
            self.holds(|script| shorten(&mut script.acts[number]));
        }
    }

    /// Simplifies crashes: they leave nothing that was not synced, and the process is soon back.
    fn fates(&mut self) {
        for number in 0..self.best.decisions.len() {
            let changes: [fn(&mut Fate); 4] = [
                |fate| (fate.profile, fate.dice, fate.arrive) = (Profile::Lost, 0, 0),
                |fate| fate.back = BACK,
                |fate| fate.arrive = 0,
                |fate| fate.dice = 0,
            ];
            for change in changes {
                self.holds(|script| {
                    let decision = script.decisions.get_mut(number);
                    if let Some(Strike::Crash { fate, .. }) = decision.map(|one| &mut one.strike) {
                        change(fate);
                    }
                });
            }
        }
    }

    /// Halves the length of faults that last.
    fn lengths(&mut self) {
        for number in 0..self.best.decisions.len() {
            for _ in 0..HALVES {
                let halved = self.holds(|script| {
                    let decision = script.decisions.get_mut(number);
                    if let Some(length) = decision.and_then(|one| length(&mut one.strike)) {
                        *length = (*length / 2).next_multiple_of(1_000_000);
                    }
                });
                if !halved {
                    break;
                }
            }
        }
    }
}

/// How long a fault lasts, if it does.
fn length(strike: &mut Strike) -> Option<&mut u64> {
    match strike {
        Strike::Stall { by: length }
        | Strike::Copy { after: length }
        | Strike::Delay { after: length }
        | Strike::Hold { length }
        | Strike::Pause { length }
        | Strike::Freeze { length }
        | Strike::Fill { length, .. }
        | Strike::Slow { length, .. }
        | Strike::Stick { length, .. }
        | Strike::Cut { length, .. }
        | Strike::Lag { length, .. }
        | Strike::Part { length, .. } => Some(length),
        _ => None,
    }
}

fn shorten(act: &mut Act) {
    if let Deal::Ask(Piece::Request(words) | Piece::Inline(words)) = &mut act.deal {
        for word in words {
            word.truncate(VALUE);
        }
    }
}

/// Times in whole units, and lengths too.
fn round(script: &mut Script, unit: u64) {
    let up = |time: &mut u64| *time = time.next_multiple_of(unit);
    for act in &mut script.acts {
        up(&mut act.at);
        if let Deal::Connect {
            slow: Some(slow), ..
        } = &mut act.deal
        {
            slow.each = slow.each.next_multiple_of(unit.min(1_000_000));
        }
    }
    for decision in &mut script.decisions {
        if let Some(at) = decision.address.moment() {
            // From a moment on: earlier rather than later.
            *at = *at / unit * unit;
        }
        if let Some(length) = length(&mut decision.strike) {
            *length = length.next_multiple_of(unit.min(1_000_000));
        }
        if let Strike::Crash { fate, .. } = &mut decision.strike {
            fate.back = fate.back.next_multiple_of(unit.min(1_000_000));
        }
    }
}
