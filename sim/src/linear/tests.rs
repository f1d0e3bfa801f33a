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

/// A client was told that its write may still be made, has read the old value, and then the new.
#[test]
fn what_may_still_happen_comes_behind_later_answers() {
    let history = [
        maybe(1, 0, set("a")),
        op(1, 5, 6, Action::Get, Reply::Nothing),
        op(1, 7, 8, Action::Get, value("a")),
    ];
    assert!(is_legal(&history));
    let back = op(1, 9, 10, Action::Get, Reply::Nothing);
    let Verdict::Illegal(shown) = judge(&[&history[..], &[back]].concat(), 1000) else {
        panic!("a value goes and comes");
    };
    assert!(shown.iter().all(|one| one.conn == 1));
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

/// A transaction that was never answered has happened before a write hid one half of it.
#[test]
fn one_half_of_what_was_not_answered_may_be_hidden() {
    let lines = [
        "c0 17 - 0 \"y\" set \"1\"; 0 \"x\" set \"1\"",
        "c1 17 18 0 \"x\" set \"0\" = OK",
        "c1 19 19 0 \"y\" get = \"1\"",
        "c1 20 20 0 \"x\" get = \"0\"",
    ];
    let mut history = parse(&lines.join("\n")).unwrap();
    assert!(is_legal(&history));
    // The write that hides it may as well have no answer.
    history[1].conn = 2;
    history[1].answered = None;
    history.swap(1, 2);
    assert!(is_legal(&history));
}

/// So has what a transaction that was never answered has added to.
#[test]
fn what_was_not_answered_may_stand_on_what_was_not_answered() {
    let lines = [
        "c0 55 - 0 \"a\" set \"1\"",
        "c2 72 - 0 \"a\" add -1; 0 \"b\" delete",
        "c3 77 84 0 \"b\" set \"3\" = OK",
        "c3 87 98 0 \"a\" get = \"0\"",
        "c3 100 101 0 \"b\" get = \"3\"",
    ];
    assert!(is_legal(&parse(&lines.join("\n")).unwrap()));
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

/// Returns true if the operations may happen in this order and give their answers.
fn fits(history: &[Operation], order: &[usize]) -> bool {
    let mut values: BTreeMap<&Cell, Option<Vec<u8>>> = BTreeMap::new();
    for (place, at) in order.iter().enumerate() {
        let own = &history[*at];
        // Its client was told that it may still happen.
        let is_told = |at: usize| {
            let mut behind = history[at + 1..].iter();
            history[at].answered.is_none()
                && behind.any(|other| other.conn == history[at].conn && other.answered.is_some())
        };
        for (before, other) in history.iter().enumerate() {
            let earlier = order[..place].contains(&before);
            let answered = other.end().is_some_and(|end| end < own.asked);
            let of_one = other.conn == own.conn && !is_told(*at) && !is_told(before);
            let same = of_one && before < *at && other.answered.is_some();
            if (answered || same) && !earlier {
                return false;
            }
            // What comes later in a connection has not happened before.
            if of_one && before > *at && earlier {
                return false;
            }
        }
        for (step, (cell, action)) in own.steps.iter().enumerate() {
            let reply = action.run(values.entry(cell).or_default());
            let wanted = own.answered.as_ref().map(|(_, replies)| &replies[step]);
            if reply.is_none() || (wanted.is_some() && reply.as_ref() != wanted) {
                return false;
            }
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

/// How an operation of a history that has happened came about.
#[derive(Clone, Debug)]
struct Act {
    client: usize,
    gap: u64,
    took: u64,
    /// When it happened, in thousandths of what it took.
    moment: u64,
    steps: Vec<(Cell, Action)>,
    /// The answer is lost; what was asked has happened or not.
    lost: Option<bool>,
}

fn any_act() -> impl Strategy<Value = Act> {
    let action = prop_oneof![
        3 => Just(Action::Get),
        2 => (0..3_u8).prop_map(|number| Action::Set(vec![b'0' + number])),
        1 => (0..3_u8).prop_map(|number| Action::GetSet(vec![b'0' + number])),
        1 => (0..3_u8).prop_map(|number| Action::Put(vec![b'0' + number])),
        1 => (-1..2_i64).prop_map(Action::Add),
        1 => Just(Action::Delete),
    ];
    let step = (prop::sample::select(vec!["x", "y"]), action);
    let step = step.prop_map(|(name, action)| (cell(name), action));
    let lost = prop_oneof![4 => Just(None), 1 => any::<bool>().prop_map(Some)];
    let steps = prop::collection::vec(step, 1..3);
    (0..3_usize, 0..4_u64, 0..9_u64, 0..1000_u64, steps, lost).prop_map(
        |(client, gap, took, moment, steps, lost)| Act {
            client,
            gap,
            took,
            moment,
            steps,
            lost,
        },
    )
}

/// The history of what has happened so.
fn happened(acts: &[Act]) -> Vec<Operation> {
    let mut clients: Vec<(u64, u64)> = (0..3).map(|conn| (conn, 0)).collect();
    let (mut history, mut moments) = (Vec::new(), Vec::new());
    for act in acts {
        let (conn, free) = &mut clients[act.client];
        let asked = *free + act.gap;
        let end = asked + act.took;
        history.push(Operation {
            conn: *conn,
            asked,
            answered: act.lost.is_none().then_some((end, Vec::new())),
            steps: act.steps.clone(),
        });
        moments.push((asked * 1000 + act.took * act.moment, moments.len()));
        // Who has lost an answer connects anew.
        *free = end + 1;
        *conn += if act.lost.is_some() { 3 } else { 0 };
    }
    moments.sort_unstable();
    let mut values: BTreeMap<Cell, Option<Vec<u8>>> = BTreeMap::new();
    for (_, at) in moments {
        if acts[at].lost == Some(false) {
            continue;
        }
        for (cell, action) in &acts[at].steps {
            let reply = action.run(values.entry(cell.clone()).or_default());
            if let Some((_, replies)) = &mut history[at].answered {
                // All values are small numbers, so that any sum can be done.
                replies.push(reply.expect("a sum of numbers"));
            }
        }
    }
    history.sort_by_key(|operation| operation.asked);
    history
}

/// The history with one answer exchanged for another: as a rule nobody can have got that.
fn belied(mut history: Vec<Operation>, at: usize, reply: Reply) -> Vec<Operation> {
    let count = history.len().max(1);
    if let Some(Operation {
        answered: Some((_, replies)),
        ..
    }) = history.get_mut(at % count)
    {
        let place = at % replies.len();
        replies[place] = reply;
    }
    history
}

fn any_reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        Just(Reply::Done),
        Just(Reply::Nothing),
        (0..3_u8).prop_map(|number| Reply::Value(vec![b'0' + number])),
        (-1..3_i64).prop_map(Reply::Number),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..6)
}

fn any_line() -> impl Strategy<Value = Operation> {
    let action = prop_oneof![
        Just(Action::Get),
        any_bytes().prop_map(Action::Set),
        any_bytes().prop_map(Action::GetSet),
        any_bytes().prop_map(Action::Put),
        any::<i64>().prop_map(Action::Add),
        Just(Action::Delete),
    ];
    let reply = prop_oneof![any_reply(), any_bytes().prop_map(Reply::Value)];
    let step = ((any::<u32>(), any_bytes(), any_bytes()), action);
    let steps = prop::collection::vec((step, reply), 1..4);
    (
        any::<u64>(),
        any::<u32>(),
        any::<u32>(),
        any::<bool>(),
        steps,
    )
        .prop_map(|(conn, asked, took, is_answered, steps)| {
            let asked = u64::from(asked);
            let (steps, replies) = steps.into_iter().unzip();
            Operation {
                conn,
                asked,
                answered: is_answered.then_some((asked + u64::from(took), replies)),
                steps,
            }
        })
}

#[test]
fn a_line_that_says_nothing_sensible_is_refused() {
    for (line, why) in [
        ("c1 5", "a time, or - is missing"),
        ("7 5 6 0 \"k\" get = nothing", "begins with a connection"),
        (
            "c1 5 4 0 \"k\" get = nothing",
            "answered before it is asked",
        ),
        ("c1 5 6 0 \"k\" get", "0 answers to 1 steps"),
        ("c1 5 - 0 \"k\" get = nothing", "1 answers to 1 steps"),
        ("c1 5 6 0 \"k\" set = OK", "a value in quotes is missing"),
        ("c1 5 6 0 \"k\" push \"a\" = OK", "unknown: push"),
        ("c1 5 6 0 \"k get = OK", "a quote is not closed"),
        ("c1 5 6 0 \"\\xg0\" get = OK", "two hexadecimal digits"),
        ("c1 5 6 0 \"k\" get = nothing 3", "follows a step"),
    ] {
        let text = format!("# a comment\n\n{line}\n");
        let error = parse(&text).expect_err(line);
        assert!(
            error.starts_with("line 3: ") && error.contains(why),
            "{line}: {error}"
        );
    }
}

#[test]
fn what_shows_that_a_history_is_illegal_is_short() {
    // Forty clients set and read, one reads what was overwritten long ago.
    let mut history = Vec::new();
    for turn in 0..40 {
        let text = format!("v{turn}");
        history.push(op(turn, 10 * turn, 10 * turn + 3, set(&text), Reply::Done));
        history.push(op(
            turn,
            10 * turn + 4,
            10 * turn + 7,
            Action::Get,
            value(&text),
        ));
    }
    history.push(op(99, 301, 302, Action::Get, value("v7")));
    history.sort_by_key(|operation| operation.asked);
    let Verdict::Illegal(shown) = judge(&history, 100_000) else {
        panic!("an old value is not seen");
    };
    // The write of the old value, one behind it, and the read of the old one.
    assert_eq!(shown.len(), 3, "{}", written(&shown));
    assert_eq!(shown[0].steps[0].1, set("v7"));
    assert_eq!(shown[2].conn, 99);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_history_comes_back_from_its_lines(
        mut history in prop::collection::vec(any_line(), 0..5),
    ) {
        history.sort_by_key(|operation| operation.asked);
        let text = written(&history);
        prop_assert_eq!(parse(&text), Ok(history), "{}", text);
    }

    #[test]
    fn what_has_happened_has_an_order(acts in prop::collection::vec(any_act(), 0..40)) {
        let history = happened(&acts);
        prop_assert_eq!(judge(&history, 1_000_000), Verdict::Linearizable, "{}", written(&history));
    }

    #[test]
    fn a_lie_is_found_where_trying_all_orders_finds_it(
        acts in prop::collection::vec(any_act(), 0..7),
        at in any::<usize>(),
        reply in any_reply(),
    ) {
        let history = belied(happened(&acts), at, reply);
        let legal = judge(&history, 1_000_000) == Verdict::Linearizable;
        prop_assert_eq!(legal, naive(&history, &mut Vec::new()), "{}", written(&history));
    }

    /// A legal history stays legal if any part of it is left out.
    #[test]
    fn leaving_out_makes_nothing_illegal(
        acts in prop::collection::vec(any_act(), 0..40),
        gone in any::<u64>(),
    ) {
        let history = happened(&acts);
        let rest = culprits::without(&history, |at| gone >> (at % 64) & 1 == 1);
        prop_assert_eq!(judge(&rest, 1_000_000), Verdict::Linearizable, "{}", written(&rest));
    }

    /// Longer histories take too long, now and then, for the last of them to be left out.
    #[test]
    fn no_culprit_can_be_left_out(
        acts in prop::collection::vec(any_act(), 1..20),
        at in any::<usize>(),
        reply in any_reply(),
    ) {
        let history = belied(happened(&acts), at, reply);
        if let Verdict::Illegal(shown) = judge(&history, 1_000_000) {
            prop_assert!(!is_legal(&shown), "{}", written(&shown));
            for at in 0..shown.len() {
                let rest = culprits::without(&shown, |other| other == at);
                prop_assert!(is_legal(&rest), "without {}: {}", at, written(&shown));
            }
        }
    }
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
