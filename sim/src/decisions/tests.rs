//! A written script is read as it was meant, and plays as it was recorded.

use proptest::prelude::*;
use seedis::disk::{FileKind, FileName};

use super::address::{Address, Deed, Files, Kind, Part, Plain, Point, Verb};
use super::decision::{Act, Deal, Decision, Fate, Harm, Leave, Slowness, Strike};
use super::script::Script;
use super::write::{ENDS, PROFILES};
use crate::judge::invariant::Id;
use crate::run::{self, Order};
use crate::scenario::Profile;
use crate::workload::Piece;

const MEMBERS: usize = 5;

fn pick<T: Copy + std::fmt::Debug + 'static>(items: &'static [T]) -> impl Strategy<Value = T> {
    (0..items.len()).prop_map(|place| items[place])
}

fn deed() -> impl Strategy<Value = Deed> {
    (pick(Verb::ALL), pick(Part::ALL)).prop_map(|(verb, part)| Deed { verb, part })
}

fn point() -> impl Strategy<Value = Point> {
    prop_oneof![
        Just(Point::Known),
        pick(Plain::ALL).prop_map(Point::Plain),
        pick(Kind::ALL).prop_map(Point::Heard),
        pick(Kind::ALL).prop_map(Point::Said),
        deed().prop_map(Point::Ordered),
    ]
}

fn behind() -> impl Strategy<Value = Address> {
    (0..MEMBERS, any::<u64>(), point(), 1..u64::MAX).prop_map(|(member, life, point, nth)| {
        Address::Point {
            member,
            life,
            point,
            nth,
        }
    })
}

fn moment() -> impl Strategy<Value = Address> {
    (0..MEMBERS, any::<u64>()).prop_map(|(member, at)| Address::Time {
        member: Some(member),
        at,
    })
}

fn fate() -> impl Strategy<Value = Fate> {
    (pick(&PROFILES), any::<u64>(), any::<usize>(), any::<u64>()).prop_map(
        |((profile, _), dice, arrive, back)| Fate {
            profile,
            dice,
            arrive,
            back,
        },
    )
}

fn of_frame() -> impl Strategy<Value = Decision> {
    let address = (
        pick(Kind::ALL),
        0..MEMBERS,
        0..MEMBERS,
        any::<u64>(),
        1..u64::MAX,
    )
        .prop_map(|(kind, from, to, term, nth)| Address::Frame {
            kind,
            from,
            to,
            term,
            nth,
        });
    let strike = prop_oneof![
        Just(Strike::Lose),
        any::<u64>().prop_map(|after| Strike::Copy { after }),
        any::<u64>().prop_map(|after| Strike::Delay { after }),
    ];
    (address, strike).prop_map(|(address, strike)| Decision { address, strike })
}

fn of_disk() -> impl Strategy<Value = Decision> {
    let address =
        (0..MEMBERS, any::<u64>(), deed(), 1..u64::MAX).prop_map(|(member, life, deed, nth)| {
            Address::Deed {
                member,
                life,
                deed,
                nth,
            }
        });
    let strike = prop_oneof![
        any::<u64>().prop_map(|by| Strike::Stall { by }),
        any::<u64>().prop_map(|dice| Strike::FailSync { dice }),
        (any::<u64>(), 1..134, any::<bool>()).prop_map(|(dice, code, stays)| Strike::FailOp {
            dice,
            code,
            stays
        }),
    ];
    (address, strike).prop_map(|(address, strike)| Decision { address, strike })
}

fn of_time() -> impl Strategy<Value = Decision> {
    let strike =
        prop_oneof![
            Just(Strike::Stop),
            any::<u64>().prop_map(|length| Strike::Pause { length }),
            any::<u64>().prop_map(|length| Strike::Freeze { length }),
            (-4_000_000_000..4_000_000_000_i64).prop_map(|by_us| Strike::Jump { by_us }),
            any::<i64>().prop_map(|ppm| Strike::Drift { ppm }),
            (any::<u64>(), any::<u64>(), 1..134).prop_map(|(space, length, code)| Strike::Fill {
                space,
                length,
                code
            }),
            (any::<u64>(), any::<u64>()).prop_map(|(by, length)| Strike::Slow { by, length }),
            (pick(Files::ALL), any::<u64>(), any::<u64>())
                .prop_map(|(files, by, length)| Strike::Stick { files, by, length }),
            (0..4_usize, any::<u64>()).prop_map(|(how, length)| Strike::Cut {
                hears: how & 1 == 1,
                speaks: how & 2 == 2,
                length,
            }),
            (any::<u64>(), any::<bool>(), any::<u64>())
                .prop_map(|(by, mute, length)| Strike::Lag { by, mute, length }),
        ];
    (moment(), strike).prop_map(|(address, strike)| Decision { address, strike })
}

fn of_process() -> impl Strategy<Value = Decision> {
    let end = || pick(&ENDS).prop_map(|(end, _)| end);
    let crash = || (end(), fate()).prop_map(|(end, fate)| Strike::Crash { end, fate });
    let hold = any::<u64>().prop_map(|length| Strike::Hold { length });
    prop_oneof![(behind(), crash()), (moment(), crash()), (behind(), hold),]
        .prop_map(|(address, strike)| Decision { address, strike })
}

fn file() -> impl Strategy<Value = FileName> {
    let kind = pick(&[FileKind::Base, FileKind::BaseTmp, FileKind::Log]);
    let numbered = (kind, 0..1_u64 << 40).prop_map(|(kind, number)| FileName::new(kind, number));
    prop_oneof![
        Just(FileName::MANIFEST),
        Just(FileName::MANIFEST_TMP),
        numbered
    ]
}

fn of_all() -> impl Strategy<Value = Decision> {
    let part = (
        any::<u64>(),
        prop::collection::vec(0..1_u64 << MEMBERS, MEMBERS),
        any::<u64>(),
        prop::option::of(1..u64::MAX),
    )
        .prop_map(|(at, hears, length, turns)| Decision {
            address: Address::Time { member: None, at },
            strike: Strike::Part {
                hears,
                length,
                turns,
            },
        });
    let flip = (0..MEMBERS, any::<u64>(), file(), any::<usize>(), 0..8_u8).prop_map(
        |(member, life, file, at, bit)| Decision {
            address: Address::Down { member, life },
            strike: Strike::Flip { file, at, bit },
        },
    );
    let damage = (
        (0..MEMBERS, any::<u64>(), file(), any::<u64>()),
        prop_oneof![
            (0..8_u8).prop_map(Harm::Bit),
            Just(Harm::Zeros),
            any::<u64>().prop_map(Harm::Sector),
        ],
    )
        .prop_map(|((member, life, file, at), harm)| Decision {
            address: Address::Down { member, life },
            strike: Strike::Damage { file, at, harm },
        });
    let wipe = (0..MEMBERS, any::<u64>()).prop_map(|(member, life)| Decision {
        address: Address::Down { member, life },
        strike: Strike::Wipe,
    });
    let abandon = (1..1_u64 << MEMBERS).prop_map(|members| Decision {
        address: Address::End,
        strike: Strike::Abandon { members },
    });
    let rewind = (0..MEMBERS, any::<u64>(), any::<u64>());
    let rewind = rewind.prop_map(|(member, life, to)| Decision {
        address: Address::Down { member, life },
        strike: Strike::Rewind { life: to },
    });
    prop_oneof![part, flip, damage, wipe, rewind, abandon]
}

fn decision() -> impl Strategy<Value = Decision> {
    let plain = prop_oneof![of_frame(), of_disk(), of_time(), of_process(), of_all()];
    (plain, prop::option::of((any::<u64>(), 1..u64::MAX))).prop_map(|(mut decision, since)| {
        if let (Some((at, nth)), Some(place)) = (since, decision.address.anywhere()) {
            let place = Box::new(place);
            decision.address = Address::Since { place, at, nth };
        }
        decision
    })
}

fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        "[A-Za-z0-9#\"\\\\ ]{1,8}".prop_map(String::into_bytes),
        (any::<u8>(), 0..200_usize).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

fn deal() -> impl Strategy<Value = Deal> {
    let words = || prop::collection::vec(word(), 1..5);
    let slow = (any::<usize>(), any::<u64>());
    let slow = prop::option::of(slow.prop_map(|(window, each)| Slowness { window, each }));
    let how = prop_oneof![Just(Leave::End), Just(Leave::Half), Just(Leave::Reset)];
    prop_oneof![
        (0..MEMBERS, slow).prop_map(|(member, slow)| Deal::Connect { member, slow }),
        words().prop_map(|words| Deal::Ask(Piece::Request(words))),
        words().prop_map(|words| Deal::Ask(Piece::Inline(words))),
        words().prop_map(|words| Deal::Ask(Piece::Behind(words))),
        word().prop_map(|bytes| Deal::Ask(Piece::Mangled(bytes))),
        (word(), ".{0,20}", any::<bool>()).prop_map(|(bytes, complaint, limit)| {
            Deal::Ask(Piece::Garbage {
                bytes,
                complaint,
                limit,
            })
        }),
        any::<u64>().prop_map(|dice| Deal::Twins { dice }),
        (any::<usize>(), how).prop_map(|(cut, how)| Deal::Leave { cut, how }),
        Just(Deal::GiveUp),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    (0..9_usize, any::<u64>(), deal()).prop_map(|(client, at, deal)| Act { client, at, deal })
}

fn script() -> impl Strategy<Value = Script> {
    let lists = (
        prop::collection::vec("[ -~]{0,30}", 0..3),
        prop::collection::vec(decision(), 0..8),
        prop::collection::vec(act(), 0..8),
    );
    let head = (
        pick(Id::ALL),
        pick(&Profile::ALL),
        any::<u64>(),
        any::<bool>(),
    );
    (head, lists, 1..60_000_000_u64).prop_map(|(head, lists, runs)| {
        let ((fires, profile, seed, steady), (remarks, decisions, acts)) = (head, lists);
        let trimmed = |line: String| line.trim().to_owned();
        let mut script = Script {
            remarks: remarks.into_iter().map(trimmed).collect(),
            fires,
            profile,
            seed,
            steady,
            settings: Vec::new(),
            decisions,
            acts,
        };
        script.set("members", &MEMBERS.to_string()).unwrap();
        script.set("founders", "3").unwrap();
        script.set("runs", &format!("{runs}us")).unwrap();
        script
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was_meant(script in script()) {
        let text = script.to_string();
        prop_assert_eq!(Script::read(&text), Ok(script), "{}", text);
    }

    #[test]
    fn whatever_a_run_is_drawn_as_is_read_as_it_was_written(
        profile in pick(&Profile::ALL),
        seed: u64,
    ) {
        let scenario = crate::scenario::Scenario::draw(seed, profile);
        let script = Script::of_run(Id::A1, &scenario, profile);
        let text = script.to_string();
        prop_assert_eq!(Script::read(&text), Ok(script), "{}", text);
    }

    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Script::read(&format!("fires R7\nfrom raft 1\n{text}"));
    }
}

#[test]
fn what_says_nothing_is_refused_with_its_line() {
    let head = "# a remark\nfires R7\nfrom raft 1\nset members 3\n\n";
    for (line, wrong) in [
        ("lose 2nd appendix n1>n2 in term 1", "`appendix`"),
        ("lose two append n1>n2 in term 1", "ordinal"),
        ("lose 2nd append n1>n9 in term 1", "there is no n9"),
        ("lose n1 at 2s", "nothing can `lose`"),
        ("pause n1 at noon: 2s", "`noon` is not a time"),
        ("pause n1 at 2s", "`` is not a time"),
        ("crash n1 at 2s: power", "a crash says"),
        ("dance n1 at 2s", "unknown fault `dance`"),
        ("set beauty 7", "no setting `beauty`"),
        ("set members 0", "one to sixteen"),
        ("client 0 at 2s asks GET", "counted from 1"),
        ("client 1 at 2s asks \"GET", "not closed"),
        ("client 1 at 2s asks", "at least one word"),
        ("client 1 at 2s sings", "action of a client: `sings`"),
    ] {
        let found = Script::read(&format!("{head}{line}\n")).unwrap_err();
        assert_eq!(found.line, 6, "{line}: {}", found.why);
        assert!(found.why.contains(wrong), "{line}: {}", found.why);
    }
    assert_eq!(Script::read("").unwrap_err().line, 1);
    assert_eq!(Script::read("fires R77\n").unwrap_err().line, 1);
    assert_eq!(Script::read("fires R7\nfrom raft\n").unwrap_err().line, 2);
}

/// Every place where the seed decides is one where a script can: else the two would part.
#[test]
fn what_was_recorded_plays_as_it_was() {
    let profiles = Profile::ALL.into_iter().chain([Profile::Sync]);
    for (profile, seed) in profiles.flat_map(|profile| (0..4).map(move |seed| (profile, seed))) {
        let order = Order::quiet(seed, profile).upto(20_000);
        let (drawn, scenario, record) = run::record(order);
        let mut script = Script::of_run(Id::A1, &scenario, profile);
        let fired = record.fired.into_iter();
        script.decisions = fired.map(|one| one.decision).collect();
        script.acts = record.acts;
        let script = Script::read(&script.to_string()).unwrap();
        let (played, applied) = run::play(&script, order.upto(u64::MAX), drawn.time).unwrap();
        let name = profile.name();
        assert_eq!(drawn.verdict, played.verdict, "{name} {seed}");
        let missed = applied.iter().position(Option::is_none);
        let missed = missed.map(|line| script.decisions[line].to_string());
        assert_eq!(missed, None, "{name} {seed}");
        let faults = |goals: &crate::goals::Goals| {
            let mut faults = goals.faults.clone();
            faults.remove(&crate::goals::Fault::LossByKind);
            faults.remove(&crate::goals::Fault::Aimed);
            faults.remove(&crate::goals::Fault::Loss);
            faults
        };
        assert_eq!(faults(&drawn.goals), faults(&played.goals), "{name} {seed}");
        assert_eq!(drawn.replies, played.replies, "{name} {seed}");
    }
}
