//! Relations are held against what each member is behind a turn.

use std::collections::BTreeMap;

use super::facts::{FIGURES, Facts};
use super::relation::Relation;

/// A member behind a turn.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// The number that its disk was given on its first day.
    pub(crate) disk: u64,
    /// How often its process had been started before.
    pub(crate) life: u64,
    /// The disks of the voters that it knows to be in force.
    pub(crate) voters: Vec<u64>,
    pub(crate) facts: Facts,
}

/// The fate of one relation.
#[derive(Clone, Debug, Default)]
struct Record {
    /// The number of turns in which it was put to the test.
    tested: u64,
    /// The event of the present run in which it was first seen not to hold.
    broken: Option<u64>,
}

/// The members of a run as they were last seen.
#[derive(Clone, Debug, Default)]
struct Before {
    /// By disk.
    last: BTreeMap<u64, Observed>,
    /// The greatest of each figure that any member has had.
    greatest: [u64; FIGURES],
    /// The value that goes with a value of another figure, by relation.
    determined: BTreeMap<(usize, u64), u64>,
}

/// All relations, and which of them hold.
#[derive(Clone, Debug)]
pub(crate) struct Miner {
    relations: Vec<Relation>,
    records: Vec<Record>,
    before: Before,
}

impl Miner {
    /// One that looks at these.
    pub(crate) fn new(relations: Vec<Relation>) -> Self {
        let records = vec![Record::default(); relations.len()];
        Self {
            relations,
            records,
            before: Before::default(),
        }
    }

    /// A run ends. Relations that have not held in it are given back, each with the event; where
    /// `is_final` they are looked at no more.
    pub(crate) fn ends(&mut self, is_final: bool) -> Vec<(Relation, u64)> {
        self.before = Before::default();
        let mut broken = Vec::new();
        for (relation, record) in self.relations.iter().zip(&mut self.records) {
            if let Some(event) = record.broken {
                broken.push((*relation, event));
            }
        }
        if is_final {
            let both = self.relations.iter().zip(&self.records);
            let kept = both.filter(|(_, record)| record.broken.is_none());
            let kept: Vec<_> = kept.map(|(one, other)| (*one, other.clone())).collect();
            (self.relations, self.records) = kept.into_iter().unzip();
        } else {
            self.records.iter_mut().for_each(|one| one.broken = None);
        }
        broken
    }

    /// Relations that have held up to here, with how often each was tested.
    pub(crate) fn held(&self) -> impl Iterator<Item = (Relation, u64)> {
        let both = self.relations.iter().zip(&self.records);
        both.map(|(relation, record)| (*relation, record.tested))
    }

    /// A member has ended a turn; gives a relation that has just been seen not to hold.
    pub(crate) fn saw(&mut self, seen: &Observed, event: u64) -> Option<Relation> {
        if let Some(last) = self.before.last.get(&seen.disk)
            && last.facts == seen.facts
            && last.life == seen.life
        {
            return None;
        }
        for (greatest, figure) in self.before.greatest.iter_mut().zip(seen.facts.figures) {
            *greatest = figure.max(*greatest);
        }
        let last = self.before.last.insert(seen.disk, seen.clone());
        let mut first = None;
        let all = self.relations.iter().zip(&mut self.records).enumerate();
        for (place, (relation, record)) in all {
            if record.broken.is_some() {
                continue;
            }
            match self.before.test(place, *relation, seen, last.as_ref()) {
                Some(true) => record.tested += 1,
                Some(false) => {
                    record.broken = Some(event);
                    first = first.or(Some(*relation));
                }
                None => {}
            }
        }
        first
    }
}

impl Before {
    /// Returns true if a relation holds; nothing where this turn says nothing of it.
    fn test(
        &mut self,
        place: usize,
        relation: Relation,
        seen: &Observed,
        last: Option<&Observed>,
    ) -> Option<bool> {
        let Observed { facts, .. } = seen;
        let get = |figure| facts.get(figure);
        let is_in = |role: Option<_>| role.is_none_or(|role| facts.role == role);
        let same_life = last.filter(|last| last.life == seen.life);
        let moved = |before: &Observed, figure| before.facts.get(figure) != get(figure);
        let falls = |before: &Observed, figure| before.facts.get(figure) > get(figure);
        match relation {
            Relation::AtMost(one, other, role) => {
                (is_in(role) && get(one) > 0).then(|| get(one) <= get(other))
            }
            Relation::Same(one, other, role) => {
                (is_in(role) && get(one) > 0).then(|| get(one) == get(other))
            }
            Relation::GrowsInLife(figure) => same_life
                .filter(|before| moved(before, figure))
                .map(|before| !falls(before, figure)),
            Relation::GrowsOnDisk(figure) => last
                .filter(|before| moved(before, figure))
                .map(|before| !falls(before, figure)),
            Relation::ChangesWith(one, other) => same_life
                .filter(|before| moved(before, one))
                .map(|before| moved(before, other)),
            Relation::AtMostMajority(one, other) => {
                let needed = seen.voters.len() / 2 + 1;
                let has = |voter: &&u64| {
                    let known = self.last.get(*voter);
                    known.is_some_and(|known| known.facts.get(other) >= get(one))
                };
                (get(one) > 0).then(|| seen.voters.iter().filter(has).count() >= needed)
            }
            Relation::AtMostAny(one, other) => {
                (get(one) > 0).then(|| get(one) <= self.greatest[other as usize])
            }
            Relation::Determines(one, other, role) => {
                if !is_in(role) || get(one) == 0 || get(other) == 0 {
                    return None;
                }
                self.says(place, get(one), get(other))
            }
            Relation::BelongsToOne(figure, role) => {
                if facts.role != role || get(figure) == 0 {
                    return None;
                }
                self.says(place, get(figure), seen.disk)
            }
        }
    }

    /// Returns true if a value says the same as before; nothing the first time.
    fn says(&mut self, place: usize, value: u64, what: u64) -> Option<bool> {
        let before = self.determined.insert((place, value), what);
        before.map(|before| before == what)
    }
}
