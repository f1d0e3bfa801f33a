//! The window of the log, against a plain list that forgets nothing.

use alloc::collections::BTreeMap;

use crate::ids::{LogIndex, PersistSeq, Term};
use crate::raft::log::{Accept, Log};
use crate::raft::message::Append;
use crate::raft::*;
use crate::time::Stamp;
use bytes::Bytes;
use proptest::prelude::*;

const NO_PLACE: (LogIndex, Term) = (LogIndex(0), Term(0));

fn entry(index: u64, term: u64) -> Entry {
    Entry {
        term: Term(term),
        index: LogIndex(index),
        stamp: Stamp(0),
        kind: EntryKind::Normal,
        payload: Bytes::copy_from_slice(&vec![7; (index % 5) as usize]),
        known: KnownSum::default(),
    }
}

/// A log whose entries have these terms, from index 1 on.
fn log(terms: &[u64]) -> Log {
    let tail = terms
        .iter()
        .zip(1..)
        .map(|(term, index)| entry(index, *term));
    Log::new(NO_PLACE, tail.collect())
}

fn append(prev: u64, prev_term: u64, terms: &[u64]) -> Append {
    Append {
        prev: (LogIndex(prev), Term(prev_term)),
        commit: LogIndex(0),
        round: 0,
        entries: terms
            .iter()
            .zip(prev + 1..)
            .map(|(term, index)| entry(index, *term))
            .collect(),
    }
}

fn terms(log: &Log) -> Vec<u64> {
    log.window().iter().map(|entry| entry.term.0).collect()
}

fn matched(matched: u64, from: Option<u64>) -> Accept {
    Accept::Matched {
        matched: LogIndex(matched),
        from: from.map(LogIndex),
    }
}

#[test]
fn only_the_first_entry_that_differs_truncates() {
    let mut held = log(&[1, 1, 2, 2]);
    let none = LogIndex(0);
    // An old append, come late, must not cut off what has been added since.
    assert_eq!(held.accept(&mut append(1, 1, &[1]), none), matched(2, None));
    assert_eq!(terms(&held), [1, 1, 2, 2]);
    assert_eq!(
        held.accept(&mut append(1, 1, &[1, 3]), none),
        matched(3, Some(3))
    );
    assert_eq!(terms(&held), [1, 1, 3]);
}

#[test]
fn what_is_committed_is_never_cut_off() {
    let mut held = log(&[1, 1, 2]);
    let committed = LogIndex(2);
    let wrong = held.accept(&mut append(1, 1, &[3]), committed);
    let contradiction = |index, own, leaders| Accept::Contradiction {
        own: (LogIndex(index), Term(own)),
        leaders: Term(leaders),
    };
    assert_eq!(wrong, contradiction(2, 1, 3));
    let wrong = held.accept(&mut append(2, 5, &[5]), committed);
    assert_eq!(wrong, contradiction(2, 1, 5));
    assert_eq!(terms(&held), [1, 1, 2]);
}

#[test]
fn a_compacted_place_matches_by_commitment_and_not_by_its_term() {
    let mut held = log(&[1, 1, 2, 2]);
    held.compact(LogIndex(3));
    assert_eq!(held.term_at(LogIndex(2)), TermAt::Compacted);
    assert_eq!(held.term_at(LogIndex(3)), TermAt::Known(Term(2)));
    assert_eq!(held.term_at(LogIndex(5)), TermAt::Beyond);
    let all = held.accept(&mut append(1, 1, &[1, 2, 2, 2]), LogIndex(3));
    assert_eq!(all, matched(5, Some(5)));
    assert_eq!(terms(&held), [2, 2]);
    let old = held.accept(&mut append(1, 1, &[1]), LogIndex(3));
    assert_eq!(old, matched(3, None), "the base at least is agreed");
}

#[test]
fn a_gap_is_answered_with_a_place_that_may_agree() {
    let mut held = log(&[1, 1, 1, 4, 4]);
    let hint =
        |held: &mut Log, prev, term| match held.accept(&mut append(prev, term, &[]), LogIndex(0)) {
            Accept::Unknown { hint } => (hint.0.0, hint.1.0),
            other => panic!("{other:?}"),
        };
    assert_eq!(hint(&mut held, 9, 5), (5, 4));
    // A whole term is skipped at once.
    assert_eq!(hint(&mut held, 5, 3), (3, 1));
    assert_eq!(hint(&mut held, 5, 0), (0, 0));
}

#[test]
fn durable_is_only_what_was_handed_over_and_is_still_there() {
    let mut held = log(&[]);
    let none = LogIndex(0);
    held.accept(&mut append(0, 0, &[1, 1, 1]), none);
    assert_eq!(held.hand_over(PersistSeq(1)).len(), 3);
    assert!(!held.has_unwritten());
    held.accept(&mut append(1, 1, &[2]), none);
    assert_eq!(held.hand_over(PersistSeq(2)), [entry(2, 2)]);
    held.accept(&mut append(2, 2, &[2]), none);
    held.persisted(PersistSeq(1));
    assert_eq!(held.durable(), LogIndex(1), "the rest of it is superseded");
    held.persisted(PersistSeq(2));
    assert_eq!(held.durable(), LogIndex(2), "the third is not handed over");
}

#[test]
fn a_state_keeps_what_follows_on_it_and_nothing_else() {
    let mut held = log(&[1, 1, 2, 2]);
    assert!(!held.install((LogIndex(3), Term(2))));
    assert_eq!(terms(&held), [2]);
    let mut held = log(&[1, 1, 2, 2]);
    held.accept(&mut append(4, 2, &[2]), LogIndex(0));
    held.hand_over(PersistSeq(1));
    assert!(held.install((LogIndex(3), Term(3))));
    assert_eq!((held.last(), held.bytes()), ((LogIndex(3), Term(3)), 0));
    held.persisted(PersistSeq(1));
    assert_eq!(held.durable(), LogIndex(3));
    let mut held = log(&[1]);
    assert!(held.install((LogIndex(9), Term(3))));
    assert_eq!(
        held.append(
            Term(4),
            Stamp(0),
            EntryKind::Noop,
            Bytes::new(),
            KnownSum::default()
        )
        .0,
        10
    );
}

#[test]
fn limits_hold_but_one_entry_always_goes() {
    let held = log(&[1; 10]);
    let count = |count, bytes| held.behind(LogIndex(2), count, bytes).unwrap().len();
    assert_eq!(count(3, usize::MAX), 3);
    assert_eq!(count(99, usize::MAX), 8);
    assert_eq!(count(99, 1), 1);
    let two = entry(3, 1).encoded_bytes() + entry(4, 1).encoded_bytes();
    assert_eq!((count(99, two), count(99, two - 1)), (2, 1));
    assert_eq!(held.behind(LogIndex(10), 9, 9).map(<[Entry]>::len), Some(0));
    assert!(held.behind(LogIndex(11), 9, 9).is_none());
}

#[test]
fn a_tail_with_a_gap_ends_there() {
    let held = Log::new(NO_PLACE, vec![entry(1, 1), entry(3, 1)]);
    assert_eq!(held.last().0, LogIndex(1));
}

#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Accept { back: u64, terms: Vec<u8> },
    HandOver,
    Persist(u64),
    Compact(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..3).prop_map(Step::Append),
        2 => (0_u64..8, prop::collection::vec(0_u8..3, 0..6))
            .prop_map(|(back, terms)| Step::Accept { back, terms }),
        3 => Just(Step::HandOver),
        2 => (0_u64..4).prop_map(Step::Persist),
        1 => (0_u64..200).prop_map(Step::Compact),
    ]
}

proptest! {
    #[test]
    fn the_window_is_a_list_and_durable_is_what_a_disk_would_hold(
        steps in prop::collection::vec(any_step(), 1..400),
    ) {
        let mut held = log(&[]);
        let mut list: Vec<u64> = Vec::new();
        let (mut seq, mut written) = (0, 0);
        // What the disk has been told, hand-over by hand-over.
        let mut told: Vec<Vec<Entry>> = Vec::new();
        let mut commit = 0;
        for step in steps {
            let term = list.last().copied().unwrap_or(1);
            match step {
                Step::Append(by) => {
                    let term = term + u64::from(by);
                    let none = KnownSum::default();
                    let Entry { kind, payload, .. } = entry(list.len() as u64 + 1, term);
                    held.append(Term(term), Stamp(0), kind, payload, none);
                    list.push(term);
                }
                Step::Accept { back, terms } => {
                    let prev = (list.len() as u64).saturating_sub(back).max(commit);
                    let before = (prev as usize).checked_sub(1);
                    let prev_term = before.map_or(0, |at| list[at]);
                    let mut last = prev_term.max(1);
                    let terms: Vec<u64> = terms
                        .iter()
                        .map(|by| { last += u64::from(*by); last })
                        .collect();
                    let end = prev + terms.len() as u64;
                    let mut append = append(prev, prev_term, &terms);
                    let outcome = held.accept(&mut append, LogIndex(commit));
                    let first = (0..terms.len())
                        .find(|at| list.get(prev as usize + at) != terms.get(*at));
                    if let Some(first) = first {
                        list.truncate(prev as usize + first);
                        list.extend(&terms[first..]);
                    }
                    let from = first.map(|at| prev + 1 + at as u64);
                    prop_assert_eq!(outcome, matched(end, from));
                }
                Step::HandOver => {
                    seq += 1;
                    told.push(held.hand_over(PersistSeq(seq)).to_vec());
                }
                Step::Persist(more) => {
                    written = (written + more).min(seq);
                    held.persisted(PersistSeq(written));
                }
                Step::Compact(to) => {
                    commit = commit.max(to.min(held.durable().0));
                    held.compact(LogIndex(commit));
                }
            }
            let base = held.base().0.0 as usize;
            prop_assert_eq!(terms(&held), &list[base..]);
            prop_assert_eq!(held.last().0.0 as usize, list.len());
            prop_assert_eq!(
                held.bytes(),
                held.window().iter().map(Entry::encoded_bytes).sum::<usize>()
            );
            // A disk that has taken the hand-overs holds all that is called durable.
            let mut disk = BTreeMap::new();
            for entry in told[..written as usize].iter().flatten() {
                disk.split_off(&entry.index);
                disk.insert(entry.index, entry.term);
            }
            for index in base as u64 + 1..=held.durable().0 {
                let TermAt::Known(term) = held.term_at(LogIndex(index)) else {
                    panic!("{index} is durable and not there");
                };
                prop_assert_eq!(disk.get(&LogIndex(index)), Some(&term));
            }
        }
    }
}

#[test]
fn a_tail_whose_terms_fall_ends_there() {
    // It stood behind another entry once: a base was written over the one it followed.
    let base = (LogIndex(3), Term(5));
    assert_eq!(Log::new(base, vec![entry(4, 4)]).last(), base);
    let log = Log::new(base, vec![entry(4, 5), entry(5, 7), entry(6, 6)]);
    assert_eq!(log.last(), (LogIndex(5), Term(7)));
}
