//! Taking away: classes, clients, the tail, then single faults, acts and members.

use std::collections::BTreeMap;

use super::class;
use super::search::Search;
use crate::decisions::Fired;
use crate::decisions::address::Address;
use crate::decisions::decision::{Deal, Decision, Strike};
use crate::decisions::script::Script;

/// So many in a row are counted easily.
const SHORT: u64 = 30;
/// A run goes on for so long behind its failure, in nanoseconds.
const TAIL: u64 = 1_000_000_000;
/// The times before a failure that may be enough, in nanoseconds.
const WINDOWS: [u64; 6] = [
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    4_000_000_000,
    8_000_000_000,
    16_000_000_000,
];
/// The first thing in a run happens at this time if it can, in nanoseconds.
const FIRST: u64 = 1_000_000_000;

impl Search {
    /// Many failures need no fault at all.
    pub(super) fn without_any_fault(&mut self) {
        self.holds(|script| script.decisions.clear());
    }

    /// Places are counted from the moment on at which they were struck, as far as they can be: they
    /// stay what they are when something earlier is taken away.
    pub(super) fn loosen(&mut self, fired: &[Fired]) {
        let mut since = BTreeMap::new();
        for one in fired {
            if let Some(place) = one.decision.address.anywhere() {
                let address = Address::Since {
                    place: Box::new(place),
                    at: one.time,
                    nth: one.nth,
                };
                since.insert(one.decision.address.clone(), address);
            }
        }
        self.holds(|script| {
            for decision in &mut script.decisions {
                if let Some(address) = since.get(&decision.address) {
                    decision.address = address.clone();
                }
            }
        });
    }

    /// Places are counted in their life or term, where that is short.
    pub(super) fn tighten(&mut self) {
        let places = self.places.clone();
        for (number, place) in places.into_iter().enumerate() {
            if place.ordinal().is_some_and(|nth| nth <= SHORT) {
                self.holds(|script| {
                    if let Some(decision) = script.decisions.get_mut(number) {
                        decision.address = place.clone();
                    }
                });
            }
        }
    }

    /// Whole classes of faults.
    pub(super) fn classes(&mut self) {
        let mut all: Vec<_> = Vec::new();
        for decision in &self.best.decisions {
            let class = class(decision);
            if !all.contains(&class) {
                all.push(class);
            }
        }
        let mut from = 0;
        while from < all.len() {
            let rest = &all[from..];
            let without = |best: &Script, number: usize| {
                let mut script = best.clone();
                script.decisions.retain(|one| class(one) != rest[number]);
                (script.decisions.len() < best.decisions.len()).then_some(script)
            };
            match self.first(rest.len(), without) {
                Some(number) => from += number + 1,
                None => break,
            }
        }
    }

    /// Whole clients.
    pub(super) fn clients(&mut self) {
        let clients = self.best.acts.iter().map(|act| act.client + 1).max();
        let clients = clients.unwrap_or_default();
        let mut from = 0;
        while from < clients {
            let without = |best: &Script, number: usize| {
                let mut script = best.clone();
                script.acts.retain(|act| act.client != from + number);
                (script.acts.len() < best.acts.len()).then_some(script)
            };
            match self.first(clients - from, without) {
                Some(number) => from += number + 1,
                None => break,
            }
        }
    }

    /// Cuts everything after the failure; and, if only the end shows it, the run itself.
    pub(super) fn cut_tail(&mut self) {
        if self.fails_early() {
            let end = self.time + TAIL;
            self.holds(|script| end_at(script, end.next_multiple_of(TAIL / 10)));
            return;
        }
        loop {
            let Ok(scenario) = self.best.scenario() else {
                return;
            };
            let runs = scenario.duration;
            let shorter = [runs / 8, runs / 4, runs / 2, runs * 3 / 4, runs * 7 / 8];
            let shorter = shorter.map(|end| end.next_multiple_of(TAIL / 10));
            let earlier = |best: &Script, number: usize| {
                let mut script = best.clone();
                end_at(&mut script, shorter[number]);
                (shorter[number] < runs).then_some(script)
            };
            if self.first(shorter.len(), earlier).is_none() {
                return;
            }
        }
    }

    /// Everything earlier, where nothing happens at first.
    pub(super) fn earlier(&mut self) {
        let of_acts = self.best.acts.iter().map(|act| act.at);
        let times = of_acts.chain(self.best.decisions.iter().filter_map(at));
        let first = times.min().unwrap_or_default();
        let most = first.saturating_sub(FIRST) / FIRST * FIRST;
        if most > 0 {
            let by = [most, most / 2, most / 4];
            self.first(by.len(), |best, number| {
                let mut script = best.clone();
                shift(&mut script, by[number]);
                Some(script)
            });
        }
    }

    /// Only what lies shortly before the failure: faults and acts, and they at the beginning of the
    /// run; or there where they are; or faults alone.
    pub(super) fn window(&mut self) {
        if !self.fails_early() {
            return;
        }
        let time = self.time;
        let starts = WINDOWS.map(|length| time.saturating_sub(length));
        self.first(3 * starts.len(), |best, number| {
            let start = starts[number / 3];
            let mut script = best.clone();
            let is_in_time = |decision: &Decision| at(decision).is_none_or(|at| at >= start);
            script.decisions.retain(is_in_time);
            if number % 3 < 2 {
                script.acts.retain(|act| act.at >= start);
            }
            if number % 3 == 0 && start > FIRST {
                shift(&mut script, start - FIRST);
            }
            let (acts, decisions) = (script.acts.len(), script.decisions.len());
            let less = acts < best.acts.len() || decisions < best.decisions.len();
            (start > 0 && less).then_some(script)
        });
    }

    /// Single faults, or so many at once.
    pub(super) fn faults(&mut self, least: usize) {
        self.minimize(least, |script| &mut script.decisions);
    }

    /// Single acts, or so many at once.
    pub(super) fn acts(&mut self, least: usize) {
        self.minimize(least, |script| &mut script.acts);
    }

    /// Takes away all, halves, quarters and so on, down to a least size, until nothing can go.
    fn minimize<T: Clone + Sync>(
        &mut self,
        least: usize,
        list: impl Fn(&mut Script) -> &mut Vec<T> + Sync,
    ) {
        let mut len = list(&mut self.best).len();
        let mut size = len;
        while size >= least && len > 0 {
            let (mut from, mut less) = (0, false);
            while from * size < len {
                let rest = len.div_ceil(size) - from;
                let found = self.first(rest, |best, number| {
                    let mut script = best.clone();
                    let items = list(&mut script);
                    let start = ((from + number) * size).min(items.len());
                    let end = (start + size).min(items.len());
                    items.drain(start..end);
                    Some(script)
                });
                len = list(&mut self.best).len();
                let Some(number) = found else {
                    break;
                };
                (from, less) = (from + number, true);
            }
            if self.is_late() {
                return;
            }
            size = match size {
                1 if less => 1,
                1 => return,
                _ => size.div_ceil(2).min(len.div_ceil(2)),
            };
        }
    }

    /// Fewer members: the last ones go.
    pub(super) fn members(&mut self) {
        let members: usize = self.best.setting("members").parse().unwrap_or(1);
        let fewer = |best: &Script, number: usize| {
            let mut script = best.clone();
            keep_members(&mut script, number + 1).ok()?;
            Some(script)
        };
        if self.first(members - 1, fewer).is_none() {
            self.holds(|script| {
                // Nobody who comes later, but as many as before.
                let _ = script.set("founders", &members.to_string());
                let _ = script.set("newcomers-ask", "never");
            });
        }
    }
}

fn at(decision: &Decision) -> Option<u64> {
    decision.address.clone().moment().copied()
}

fn end_at(script: &mut Script, end: u64) {
    let _ = script.set("runs", &format!("{}us", end / 1000));
    script.acts.retain(|act| act.at < end);
    let is_in_time = |decision: &Decision| at(decision).is_none_or(|at| at < end);
    script.decisions.retain(is_in_time);
}

fn shift(script: &mut Script, by: u64) {
    for act in &mut script.acts {
        act.at -= by;
    }
    for decision in &mut script.decisions {
        if let Some(at) = decision.address.moment() {
            *at -= by;
        }
    }
    if let Ok(scenario) = script.scenario() {
        let runs = scenario.duration.saturating_sub(by).max(TAIL);
        let _ = script.set("runs", &format!("{}us", runs / 1000));
    }
}

fn keep_members(script: &mut Script, members: usize) -> Result<(), String> {
    let founders: usize = script.setting("founders").parse().unwrap_or(1);
    script.set("members", &members.to_string())?;
    script.set("founders", &founders.min(members).to_string())?;
    let stays = |member: &Option<usize>| member.is_none_or(|member| member < members);
    let is_here = |decision: &Decision| decision.address.members().iter().all(stays);
    script.decisions.retain(is_here);
    for decision in &mut script.decisions {
        if let Strike::Part { hears, .. } = &mut decision.strike {
            hears.truncate(members);
            for heard in hears {
                *heard &= (1 << members) - 1;
            }
        }
        if let Strike::Abandon { members: gone } = &mut decision.strike {
            *gone &= (1 << members) - 1;
        }
    }
    for act in &mut script.acts {
        if let Deal::Connect { member, .. } = &mut act.deal {
            *member %= members;
        }
    }
    Ok(())
}
