//! Commands that make a value, or choose of one, against what they would do at once: the same
//! replies and the same state, wherever they are cut.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The work of a piece.
const PIECES: [usize; 5] = [1, 2, 7, 300, usize::MAX];

/// A source: the numbers of its members with the places of their scores, and whether it is a set.
type Source = (BTreeMap<u16, usize>, bool);

/// Scores as they are written, among them both zeros.
const SCORES: [&str; 9] = ["0", "-0", "1", "-1", "2.5", "inf", "-inf", "1e300", "17"];
const WEIGHTS: [&str; 7] = ["1", "-1", "0", "2", "inf", "0.5", "1e300"];

fn source() -> impl Strategy<Value = Source> {
    let members = prop_oneof![
        btree_map(0u16..30, 0..SCORES.len(), 0..12),
        btree_map(0u16..400, 0..SCORES.len(), 100..300),
    ];
    (members, any::<bool>())
}

/// A member; of some sets all are integers, and some members are long.
fn name(number: u16) -> String {
    match number % 7 {
        0 => format!("long-{}{number}", "m".repeat(70)),
        1 | 2 => format!("m{number}"),
        _ => number.to_string(),
    }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

#[derive(Clone, Debug)]
struct Request {
    how: &'static str,
    weights: Option<Vec<&'static str>>,
    aggregate: Option<&'static str>,
}

fn request(keys: usize) -> impl Strategy<Value = Request> {
    let weights = option::of(vec(select(&WEIGHTS[..]), keys));
    let aggregate = option::of(select(&["SUM", "MIN", "MAX"][..]));
    (select(&["UNION", "INTER", "DIFF"][..]), weights, aggregate).prop_map(
        |(how, weights, aggregate)| Request {
            how,
            weights: weights.filter(|_| how != "DIFF"),
            aggregate: aggregate.filter(|_| how != "DIFF"),
        },
    )
}

/// The members that come of the sources, as Redis makes them: at once.
fn combined(sources: &[Source], request: &Request) -> Vec<(String, f64)> {
    let weigh = |nth: usize, score: f64| match &request.weights {
        Some(weights) => score * number(weights[nth]),
        None => score,
    };
    let whole = |score: f64| if score.is_nan() { 0.0 } else { score };
    let together = |one: f64, other: f64| match request.aggregate {
        Some("MIN") if other < one => other,
        Some("MAX") if other > one => other,
        Some("MIN" | "MAX") => one,
        _ => whole(one + other),
    };
    let score = |(members, is_set): &Source, member: u16| {
        let place = *members.get(&member)?;
        Some(if *is_set { 1.0 } else { number(SCORES[place]) })
    };
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|nth| sources[*nth].0.len());
    let mut all: BTreeMap<u16, f64> = BTreeMap::new();
    match request.how {
        "UNION" => {
            for nth in order {
                for member in sources[nth].0.keys() {
                    let own = whole(weigh(nth, score(&sources[nth], *member).unwrap()));
                    let held = all.get(member).map(|held| together(*held, own));
                    all.insert(*member, held.unwrap_or(own));
                }
            }
        }
        "INTER" => {
            for member in sources[order[0]].0.keys() {
                let mut sum = None;
                for nth in &order {
                    let Some(own) = score(&sources[*nth], *member) else {
                        sum = None;
                        break;
                    };
                    let own = weigh(*nth, own);
                    sum = Some(sum.map_or_else(|| whole(own), |sum| together(sum, own)));
                }
                if let Some(sum) = sum {
                    all.insert(*member, sum);
                }
            }
        }
        _ => {
            for member in sources[0].0.keys() {
                if sources[1..]
                    .iter()
                    .all(|(other, _)| !other.contains_key(member))
                {
                    all.insert(*member, score(&sources[0], *member).unwrap());
                }
            }
        }
    }
    let mut all: Vec<_> = all
        .into_iter()
        .map(|(member, own)| (name(member), own))
        .collect();
    all.sort_by(|one, other| {
        let scores = one.1.partial_cmp(&other.1).unwrap();
        scores.then_with(|| one.0.cmp(&other.0))
    });
    all
}

/// Members and scores as a reply of RESP2 has them.
fn reply_of(members: &[(String, f64)]) -> String {
    let words = members.iter().map(|(member, own)| {
        let own = super::super::zset::score::text(*own);
        format!(" ${} {member} ${} {own}", member.len(), own.len())
    });
    format!("*{}{}", members.len() * 2, words.collect::<String>())
}

fn filled(sources: &[Source]) -> Desk {
    let mut desk = Desk::new(Protocol::Resp2);
    for (nth, (members, is_set)) in sources.iter().enumerate() {
        for (member, place) in members {
            let name = name(*member);
            desk.run(&match is_set {
                true => format!("SADD k{nth} {name}"),
                false => format!("ZADD k{nth} {} {name}", SCORES[*place]),
            });
        }
    }
    desk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn combinations_of_sorted_sets_are_the_same_wherever_they_are_cut(
        (sources, request) in vec(source(), 1..4)
            .prop_flat_map(|sources| { let keys = sources.len(); (Just(sources), request(keys)) }),
        piece in select(&PIECES[..]),
        limit in 0usize..300,
        onto_itself in any::<bool>(),
    ) {
        let mut desk = filled(&sources);
        desk.piece = piece;
        let wanted = combined(&sources, &request);
        let keys: Vec<String> = (0..sources.len()).map(|nth| format!("k{nth}")).collect();
        let mut words = format!("{} {}", keys.len(), keys.join(" "));
        if let Some(weights) = &request.weights {
            words = format!("{words} WEIGHTS {}", weights.join(" "));
        }
        if let Some(aggregate) = request.aggregate {
            words = format!("{words} AGGREGATE {aggregate}");
        }
        let how = request.how;
        prop_assert_eq!(desk.run(&format!("Z{how} {words} WITHSCORES")), reply_of(&wanted));
        let bare = desk.run(&format!("Z{how} {words}"));
        prop_assert_eq!(bare.split(' ').count(), 1 + 2 * wanted.len());
        if how == "INTER" {
            let most = if limit == 0 { usize::MAX } else { limit };
            let named = format!("{} {}", keys.len(), keys.join(" "));
            let count = desk.run(&format!("ZINTERCARD {named} LIMIT {limit}"));
            prop_assert_eq!(count, format!(":{}", wanted.len().min(most)));
        }
        let target = if onto_itself { "k0" } else { "made" };
        desk.run("SETEX made 100 value");
        let stored = desk.run(&format!("Z{how}STORE {target} {words}"));
        prop_assert_eq!(stored, format!(":{}", wanted.len()));
        prop_assert_eq!(desk.run(&format!("ZRANGE {target} 0 -1 WITHSCORES")), reply_of(&wanted));
        let ttl = if wanted.is_empty() { ":-2" } else { ":-1" };
        prop_assert_eq!(desk.run(&format!("TTL {target}")), ttl);
        // It is the set that the same members make one by one.
        let mut other = Desk::new(Protocol::Resp2);
        for (member, own) in &wanted {
            let own = super::super::zset::score::text(*own);
            other.run(&format!("ZADD {target} {own} {member}"));
        }
        let encoding = format!("OBJECT ENCODING {target}");
        prop_assert_eq!(desk.run(&encoding), other.run(&encoding));
    }

    #[test]
    fn ranges_are_stored_the_same_wherever_they_are_cut(
        source in source(),
        piece in select(&PIECES[..]),
        (start, stop) in (-320i64..320, -320i64..320),
        is_reversed in any::<bool>(),
        onto_itself in any::<bool>(),
    ) {
        let mut desk = filled(&[(source.0.clone(), false)]);
        let reversed = if is_reversed { " REV" } else { "" };
        let wanted = desk.run(&format!("ZRANGE k0 {start} {stop}{reversed}"));
        let count = wanted.split(' ').next().unwrap().replace('*', ":");
        desk.piece = piece;
        let target = if onto_itself { "k0" } else { "made" };
        let stored = desk.run(&format!("ZRANGESTORE {target} k0 {start} {stop}{reversed}"));
        prop_assert_eq!(stored, count);
        prop_assert_eq!(desk.run(&format!("ZRANGE {target} 0 -1{reversed}")), wanted);
    }
}

/// Values of each type that are large, each made by lines.
fn large() -> [(&'static str, Vec<String>); 6] {
    let long = "v".repeat(1500);
    let lines = |make: &dyn Fn(usize) -> String| (0..700).map(make).collect::<Vec<_>>();
    let score = |number: usize| number % 50;
    [
        ("hash", lines(&|n| format!("HSET k f{n} v{n}"))),
        (
            "long fields",
            lines(&|n| format!("HSET k f{n} {}", &long[..n * 2])),
        ),
        ("set", lines(&|n| format!("SADD k m{n}"))),
        ("zset", lines(&|n| format!("ZADD k {} m{n}", score(n)))),
        ("list", lines(&|n| format!("RPUSH k item-{n}"))),
        ("string", lines(&|_| format!("APPEND k {long}"))),
    ]
}

#[test]
fn a_large_value_is_copied_the_same_wherever_it_is_cut() {
    for (name, lines) in large() {
        for piece in [1, 100, usize::MAX] {
            let mut desk = Desk::new(Protocol::Resp2);
            for line in &lines {
                desk.run(line);
            }
            desk.run("PEXPIRE k 100000");
            let (digest, encoding) = (desk.store.digest(desk.at), desk.run("OBJECT ENCODING k"));
            desk.run("SADD other a b c");
            desk.piece = piece;
            desk.check(
                "
                COPY k other => :0
                COPY none other REPLACE => :0
                COPY k other REPLACE => :1
                COPY k k DB 1 => :1
                PTTL other => :100000
                DEL k => :1
                RENAME other k => +OK
                ",
            );
            assert_eq!(desk.run("OBJECT ENCODING k"), encoding, "{name}");
            // The copy in the other database goes away, and the first one is as it was.
            desk.db = 1;
            desk.check("DEL k => :1");
            assert_eq!(desk.store.digest(desk.at), digest, "{name} by {piece}");
            desk.db = 0;
            // It is a value of its own, to be changed.
            desk.run("COPY k kept");
            for change in ["HSET k f1", "SADD k", "ZADD k 3", "RPUSH k", "APPEND k"] {
                desk.run(&format!("{change} new"));
            }
            assert_ne!(desk.store.digest(desk.at), digest, "{name} by {piece}");
            desk.check("RENAME kept k => +OK");
            assert_eq!(desk.store.digest(desk.at), digest, "{name} by {piece}");
        }
    }
}

#[test]
fn members_are_picked_the_same_wherever_they_are_cut() {
    let names = |reply: &str, each: usize| -> Vec<String> {
        let words = reply.split(' ').skip(2);
        words.step_by(2 * each).map(str::to_owned).collect()
    };
    for count in [20, 120, 500] {
        let mut desk = Desk::new(Protocol::Resp2);
        for number in 0..count {
            desk.run(&format!("HSET h f{number} v{number}"));
            desk.run(&format!("SADD s m{number}"));
            desk.run(&format!("ZADD z {number} m{number}"));
        }
        for most in [1, count / 4, count / 2, count - 1, count, count + 7] {
            for (command, word) in [
                ("HRANDFIELD h", "WITHVALUES"),
                ("ZRANDMEMBER z", "WITHSCORES"),
                ("SRANDMEMBER s", ""),
            ] {
                let mut ask = |piece| {
                    // The dice are those of the request's number.
                    (desk.piece, desk.typed) = (piece, 7);
                    desk.run(&format!("{command} {most} {word}"))
                };
                let whole = ask(usize::MAX);
                let picked = names(&whole, if word.is_empty() { 1 } else { 2 });
                let differing: BTreeSet<&String> = picked.iter().collect();
                assert_eq!(differing.len(), picked.len(), "{command} {most}: {whole}");
                assert_eq!(picked.len(), most.min(count), "{command} {most}");
                for piece in [1, 7, 100] {
                    assert_eq!(ask(piece), whole, "{command} {most} by {piece}");
                }
            }
        }
    }
}
