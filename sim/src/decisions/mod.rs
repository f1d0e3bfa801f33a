//! The source of faults and of clients' actions in a run: the seed, or a script.
//!
//! Every place of the world where something may go wrong asks here. If the seed decides, what it
//! drew happens, and can be recorded. If a script decides, that and nothing else happens: each
//! fault at its address, with the parameters of the script, whatever the seed would have drawn.
//! Draws that are no faults (how long a frame takes, how bytes are cut) come from the seed all the
//! same.

pub(crate) mod address;
pub(crate) mod classes;
pub(crate) mod decision;
mod read;
pub(crate) mod script;
mod settings;
#[cfg(test)]
mod tests;
mod words;
mod write;

use std::collections::BTreeMap;

use address::{Address, Deed, Kind, Point};
use decision::{Act, Deal, Decision, Strike};

/// A fault that fired, in which event and when, and how often its place was passed at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    pub(crate) decision: Decision,
    pub(crate) event: u64,
    pub(crate) time: u64,
    pub(crate) nth: u64,
}

/// The decisions of a run so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) fired: Vec<Fired>,
    pub(crate) acts: Vec<Act>,
}

/// A script that is being played.
#[derive(Clone, Debug)]
struct Play {
    decisions: Vec<Decision>,
    /// The addresses at which they were applied, for those that were.
    applied: Vec<Option<Address>>,
    /// Those that name a moment from which their place counts, and how often it was passed since.
    since: BTreeMap<Address, Vec<usize>>,
    counts: Vec<u64>,
    by_address: BTreeMap<Address, Vec<usize>>,
    acts: BTreeMap<(usize, u64), Vec<Deal>>,
    /// Everything that travels takes its mean time.
    steady: bool,
}

/// How often a place was passed: at all, and at the last moment.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    times: u64,
    last: u64,
    now: u64,
}

/// The source of decisions in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decisions {
    record: Option<Record>,
    play: Option<Play>,
    /// How often each place was passed; the ordinal in the key is 0.
    passed: BTreeMap<Address, Passed>,
    /// True time, in nanoseconds.
    now: u64,
    last_points: BTreeMap<usize, Address>,
    /// For how long a member is to stand still before it flushes.
    holds: BTreeMap<usize, u64>,
}

impl Decisions {
    /// The seed decides, and what it decides is recorded.
    pub(crate) fn recorded() -> Self {
        Self {
            record: Some(Record::default()),
            ..Self::default()
        }
    }

    /// A script decides.
    pub(crate) fn scripted(decisions: Vec<Decision>, acts: &[Act], steady: bool) -> Self {
        let mut by_address: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        let mut since: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        for (number, decision) in decisions.iter().enumerate() {
            let numbers = match &decision.address {
                Address::Since { place, .. } => since.entry((**place).clone()),
                address => by_address.entry(address.clone()),
            };
            numbers.or_default().push(number);
        }
        let mut deals: BTreeMap<(usize, u64), Vec<Deal>> = BTreeMap::new();
        for act in acts {
            let place = deals.entry((act.client, act.at)).or_default();
            place.push(act.deal.clone());
        }
        let play = Play {
            applied: vec![None; decisions.len()],
            since,
            counts: vec![0; decisions.len()],
            decisions,
            by_address,
            acts: deals,
            steady,
        };
        Self {
            play: Some(play),
            ..Self::default()
        }
    }

    /// Returns true if places must be named: the run is recorded, or a script is played.
    pub(crate) fn are_named(&self) -> bool {
        self.record.is_some() || self.play.is_some()
    }

    /// Returns true if a script decides.
    pub(crate) fn are_scripted(&self) -> bool {
        self.play.is_some()
    }

    /// Returns true if everything that travels takes its mean time.
    pub(crate) fn are_steady(&self) -> bool {
        self.play.as_ref().is_some_and(|play| play.steady)
    }

    /// A message is sent: its address, where places are named.
    pub(crate) fn frame(
        &mut self,
        kind: Kind,
        [from, to]: [usize; 2],
        term: u64,
    ) -> Option<Address> {
        self.pass(|nth| Address::Frame {
            kind,
            from,
            to,
            term,
            nth,
        })
    }

    /// An operation is asked of a disk: its address, where places are named.
    pub(crate) fn deed(&mut self, member: usize, life: u64, deed: Deed) -> Option<Address> {
        self.pass(|nth| Address::Deed {
            member,
            life,
            deed,
            nth,
        })
    }

    /// A member passes a boundary: its address, where places are named.
    pub(crate) fn point(
        &mut self,
        member: usize,
        life: u64,
        point: impl FnOnce() -> Point,
    ) -> Option<Address> {
        if !self.are_named() {
            return None;
        }
        let point = point();
        let address = self.pass(|nth| Address::Point {
            member,
            life,
            point,
            nth,
        });
        if let Some(address) = &address {
            self.last_points.insert(member, address.clone());
        }
        address
    }

    /// The last boundary that a member has passed, where places are named.
    pub(crate) fn last_point(&self, member: usize) -> Option<Address> {
        self.last_points.get(&member).cloned()
    }

    fn pass(&mut self, address: impl Fn(u64) -> Address) -> Option<Address> {
        if !self.are_named() {
            return None;
        }
        let passed = self.passed.entry(address(0)).or_default();
        let again = passed.times > 0 && passed.last == self.now;
        *passed = Passed {
            times: passed.times + 1,
            last: self.now,
            now: if again { passed.now + 1 } else { 1 },
        };
        Some(address(passed.times))
    }

    /// The wanted faults that the script has strike there; they count as applied.
    pub(crate) fn strikes(
        &mut self,
        address: Option<&Address>,
        wanted: fn(&Strike) -> bool,
    ) -> Vec<Strike> {
        let (Some(play), Some(address)) = (&mut self.play, address) else {
            return Vec::new();
        };
        let mut strikes = Vec::new();
        for number in play.by_address.get(address).into_iter().flatten() {
            let strike = &play.decisions[*number].strike;
            if wanted(strike) {
                play.applied[*number] = Some(address.clone());
                strikes.push(strike.clone());
            }
        }
        if play.since.is_empty() {
            return strikes;
        }
        let anywhere = address.anywhere();
        let numbers = anywhere.and_then(|place| play.since.get(&place));
        for number in numbers.into_iter().flatten() {
            let decision = &play.decisions[*number];
            let Address::Since { at, nth, .. } = decision.address else {
                continue;
            };
            if self.now >= at && wanted(&decision.strike) {
                play.counts[*number] += 1;
                if play.counts[*number] == nth {
                    play.applied[*number] = Some(address.clone());
                    strikes.push(decision.strike.clone());
                }
            }
        }
        strikes
    }

    /// All decisions of the script.
    pub(crate) fn all(&self) -> &[Decision] {
        self.play.as_ref().map_or(&[], |play| &play.decisions)
    }

    /// A decision has come to pass.
    pub(crate) fn applied(&mut self, number: usize) {
        if let Some(play) = &mut self.play {
            play.applied[number] = Some(play.decisions[number].address.clone());
        }
    }

    /// The addresses at which the script's decisions were applied, for those that were.
    pub(crate) fn applied_ones(&self) -> &[Option<Address>] {
        self.play.as_ref().map_or(&[], |play| &play.applied)
    }

    /// Says what time it is.
    pub(crate) fn tell_time(&mut self, now: u64) {
        self.now = now;
    }

    /// Keeps in mind that a member is to stand still before it flushes.
    pub(crate) fn hold(&mut self, member: usize, length: u64) {
        self.holds.insert(member, length);
    }

    /// For how long a member is to stand still now.
    pub(crate) fn held(&mut self, member: usize) -> Option<u64> {
        self.holds.remove(&member)
    }

    /// The actions of a client at a moment.
    pub(crate) fn deals(&self, client: usize, at: u64) -> Vec<Deal> {
        let acts = self.play.as_ref().map(|play| &play.acts);
        let deals = acts.and_then(|acts| acts.get(&(client, at)));
        deals.cloned().unwrap_or_default()
    }

    /// When clients do something.
    pub(crate) fn moments(&self) -> Vec<(usize, u64)> {
        let acts = self.play.as_ref().map(|play| &play.acts);
        acts.map(|acts| acts.keys().copied().collect())
            .unwrap_or_default()
    }

    /// Records a fault that fired, if anybody does.
    pub(crate) fn note(&mut self, now: (u64, u64), address: Option<Address>, strike: Strike) {
        let (event, time) = now;
        if let (Some(record), Some(address)) = (&mut self.record, address) {
            let nth = match self.passed.get(&address.uncounted()) {
                // Syncs fail when they are done, not when they are asked for.
                Some(passed) if !strike.fails() => passed.now,
                _ => 1,
            };
            record.fired.push(Fired {
                decision: Decision { address, strike },
                event,
                time,
                nth,
            });
        }
    }

    /// Records what a client did, if anybody does.
    pub(crate) fn note_act(&mut self, client: usize, at: u64, deal: impl FnOnce() -> Deal) {
        if let Some(record) = &mut self.record {
            let deal = deal();
            record.acts.push(Act { client, at, deal });
        }
    }

    /// The recorded decisions.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }
}
