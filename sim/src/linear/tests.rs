//! Histories that can have happened, and some that cannot; and the search against all orders.

use super::*;
use proptest::prelude::*;

fn cell(name: &str) -> Cell {
    (0, name.as_bytes().to_vec(), Vec::new())
}

fn op(conn: u64, asked: u64, answered: u64, action: Action, reply: Reply) -> Operation {
    Operation {
        conn,
        asked,
        answered: Some((answered, vec![reply])),
        steps: vec![(cell("k"), action)],
    }
}

fn maybe(conn: u64, asked: u64, action: Action) -> Operation {
    Operation {
        conn,
        asked,
        answered: None,
        steps: vec![(cell("k"), action)],
    }
}

fn set(value: &str) -> Action {
    Action::Set(value.as_bytes().to_vec())
}

fn value(value: &str) -> Reply {
    Reply::Value(value.as_bytes().to_vec())
}

fn is_legal(history: &[Operation]) -> bool {
    judge(history, 100_000) == Verdict::Linearizable
}

#[test]
fn what_overlaps_may_happen_in_any_order() {
    let write = op(1, 0, 10, set("a"), Reply::Done);
    for reply in [value("a"), Reply::Nothing] {
        let read = op(2, 5, 8, Action::Get, reply);
        assert!(is_legal(&[write.clone(), read]));
    }
}

#[test]
fn a_read_behind_an_answered_write_sees_it() {
    let write = op(1, 0, 10, set("a"), Reply::Done);
    let stale = op(2, 11, 12, Action::Get, Reply::Nothing);
    let history = [write, stale.clone()];
    let Verdict::Illegal(shown) = judge(&history, 1000) else {
        panic!("a lost write is not seen");
    };
    assert_eq!(shown.last(), Some(&stale));
}

#[test]
fn what_was_not_answered_may_happen_late_or_never_but_once() {
    let lost = maybe(1, 0, Action::Add(1));
    let read = |at, reply| op(2, at, at + 1, Action::Get, reply);
    let never = [lost.clone(), read(10, Reply::Nothing)];
    assert!(is_legal(&never));
    let late = [lost.clone(), read(10, Reply::Nothing), read(20, value("1"))];
    assert!(is_legal(&late));
    let twice = [lost, read(10, value("1")), read(20, value("2"))];
    assert!(!is_legal(&twice));
}

#[test]
fn what_was_refused_must_not_be_seen() {
    // The refused write of "b" is no part of the history.
    let history = [
        op(1, 0, 1, set("a"), Reply::Done),
        op(2, 5, 6, Action::Get, value("b")),
    ];
    assert!(!is_legal(&history));
}

#[test]
fn a_connection_keeps_its_order() {
    let history = [
        op(1, 0, 10, set("a"), Reply::Done),
        op(1, 0, 10, set("b"), Reply::Done),
        op(2, 11, 12, Action::Get, value("a")),
    ];
    assert!(!is_legal(&history));
}

#[test]
fn a_transaction_happens_at_once() {
    let both = |asked, answered, replies: [Reply; 2], actions: [Action; 2]| Operation {
        conn: asked,
        asked,
        answered: Some((answered, replies.to_vec())),
        steps: [cell("x"), cell("y")].into_iter().zip(actions).collect(),
    };
    let write = both(0, 10, [Reply::Done, Reply::Done], [set("1"), set("1")]);
    let read = |reply: [Reply; 2]| both(5, 8, reply, [Action::Get, Action::Get]);
    assert!(is_legal(&[write.clone(), read([value("1"), value("1")])]));
    assert!(!is_legal(&[write, read([value("1"), Reply::Nothing])]));
}

#[test]
fn a_search_that_is_too_long_is_given_up() {
    let many = (0..30).map(|conn| op(conn, 0, 1000, set("a"), Reply::Done));
    let mut history: Vec<Operation> = many.collect();
    history.push(op(99, 2000, 2001, Action::Get, value("b")));
    assert_eq!(judge(&history, 500), Verdict::GaveUp);
}

/// All orders, one by one.
fn naive(history: &[Operation], done: &mut Vec<usize>) -> bool {
    let ended = |at: usize| history[at].answered.is_none() || done.contains(&at);
    if (0..history.len()).all(ended) && fits(history, done) {
        return true;
    }
    (0..history.len()).any(|next| {
        if done.contains(&next) {
            return false;
        }
        done.push(next);
        let found = fits(history, done) && naive(history, done);
        done.pop();
        found
    })
}

/// Whether the operations may happen in this order and give their answers.
fn fits(history: &[Operation], order: &[usize]) -> bool {
    let mut value = None;
    for (place, at) in order.iter().enumerate() {
        let own = &history[*at];
        for (before, other) in history.iter().enumerate() {
            let earlier = order[..place].contains(&before);
            let answered = other.end().is_some_and(|end| end < own.asked);
            let same = other.conn == own.conn && before < *at && other.answered.is_some();
            if (answered || same) && !earlier {
                return false;
            }
            // What comes later in a connection has not happened before.
            if other.conn == own.conn && before > *at && earlier {
                return false;
            }
        }
        if own.answered.is_none() && own.steps[0].1 == Action::Get {
            continue;
        }
        let reply = own.steps[0].1.run(&mut value);
        let wanted = own.answered.as_ref().map(|(_, replies)| replies[0].clone());
        if reply.is_none() || (wanted.is_some() && reply != wanted) {
            return false;
        }
    }
    true
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let action = prop_oneof![
        Just(Action::Get),
        (0..3_u8).prop_map(|number| Action::Set(vec![b'0' + number])),
        Just(Action::Add(1)),
        Just(Action::Delete),
    ];
    let reply = prop_oneof![
        Just(Reply::Done),
        Just(Reply::Nothing),
        (0..3_u8).prop_map(|number| Reply::Value(vec![b'0' + number])),
        (0..3_i64).prop_map(Reply::Number),
    ];
    (0..3_u64, 0..20_u64, 0..10_u64, action, reply, 0..4_u8).prop_map(
        |(conn, asked, took, action, reply, lost)| {
            let reply = match action {
                Action::Set(_) => Reply::Done,
                _ => reply,
            };
            Operation {
                conn,
                asked,
                answered: (lost > 0).then(|| (asked + took, vec![reply])),
                steps: vec![(cell("k"), action)],
            }
        },
    )
}

#[test]
fn writes_that_nobody_saw_stand_for_each_other() {
    let unseen = (0..40).map(|number| maybe(10 + number, number, set(&number.to_string())));
    let deletes = (0..20).map(|number| {
        let at = 100 + 10 * number;
        op(1, at, at + 5, Action::Delete, Reply::Number(1))
    });
    let wrong = op(2, 900, 901, Action::Get, value("never set"));
    let history: Vec<Operation> = unseen.chain(deletes).chain([wrong]).collect();
    assert!(matches!(judge(&history, 10_000), Verdict::Illegal(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_search_finds_what_trying_all_orders_finds(
        mut history in proptest::collection::vec(any_operation(), 0..6),
    ) {
        // A connection asks and is answered in order.
        history.sort_by_key(|operation| operation.asked);
        let mut last = BTreeMap::new();
        for operation in &mut history {
            if let Some((at, _)) = &mut operation.answered {
                let before = last.entry(operation.conn).or_insert(0);
                *at = (*at).max(*before);
                *before = *at;
            }
        }
        let legal = judge(&history, 100_000) == Verdict::Linearizable;
        prop_assert_eq!(legal, naive(&history, &mut Vec::new()));
    }
}
