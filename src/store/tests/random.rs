//! S1 and S8: random operations against the model, with bases that begin, pause and fail among
//! them.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::model::{Datum, Model};
use super::names::{field, key, member, remove_equal};
use super::zsets::{self, ZsetOp, zset_op};
use super::{colliding, recount, seeded, shown};
use crate::limits::SEGMENT_KEYS_MAX;
use crate::store::big::Kept;
use crate::store::entry::Held;
use crate::store::kind::Kind;
use crate::store::value::Large;
use crate::store::{Borders, End, NewExpiry, Store, Text};
use crate::time::Stamp;

#[derive(Clone, Debug)]
enum Op {
    Set(u8, Bytes, Option<u8>, bool),
    Append(u8, Bytes),
    SetRange(u8, u16, Bytes),
    FieldSet(u8, u8, Bytes),
    FieldsSet(u8, u16, Bytes),
    FieldRemove(u8, u8),
    FieldsRemove(u8, u16),
    List(u8, ListOp),
    MemberAdd(u8, u8),
    MembersAdd(u8, u16),
    MembersRemove(u8, u16),
    NumbersAdd(u8, u16, u8),
    SetMade(u8, u16, bool),
    Zset(u8, ZsetOp),
    Remove(u8),
    Expire(u8, Option<u8>),
    Rename(u8, u8),
    Copy(u8, u8),
    Flush(u8),
    FlushAll,
    Sweep(u8),
    Step,
    Later(u8),
    BaseBegin,
    BaseStep(u16),
    BaseAbort,
    Borders(u64),
}

/// A change of a list.
#[derive(Clone, Debug)]
enum ListOp {
    Push(Bytes, End, u16),
    Pop(End, u16),
    Set(Index, Bytes),
    Insert(Index, Bytes),
    RemoveEqual(Index, End, usize),
    Trim(Index, Index),
}

fn list_op() -> impl Strategy<Value = ListOp> {
    let end = || select(&[End::Front, End::Back]);
    let index = any::<Index>;
    prop_oneof![
        4 => (bytes(), end(), 1u16..4).prop_map(|(item, end, n)| ListOp::Push(item, end, n)),
        2 => (bytes(), end(), 1u16..200).prop_map(|(item, end, n)| ListOp::Push(item, end, n)),
        2 => (end(), 1u16..5).prop_map(|(end, n)| ListOp::Pop(end, n)),
        1 => (end(), 1u16..500).prop_map(|(end, n)| ListOp::Pop(end, n)),
        3 => (index(), bytes()).prop_map(|(at, item)| ListOp::Set(at, item)),
        3 => (index(), bytes()).prop_map(|(at, item)| ListOp::Insert(at, item)),
        2 => (index(), end(), prop_oneof![Just(usize::MAX), 1usize..4])
            .prop_map(|(at, end, most)| ListOp::RemoveEqual(at, end, most)),
        2 => (index(), index()).prop_map(|(start, end)| ListOp::Trim(start, end)),
    ]
}

/// Bytes of a length, told briefly.
#[derive(Clone, Debug)]
enum Bytes {
    Integer(i64),
    Of(u8, usize),
}

impl Bytes {
    fn make(&self) -> Vec<u8> {
        match self {
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::Of(first, length) => (0..*length)
                .map(|at| first.wrapping_add((at / 7) as u8))
                .collect(),
        }
    }
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        2 => (-20i64..2000).prop_map(Bytes::Integer),
        8 => (any::<u8>(), 0usize..70).prop_map(|(first, length)| Bytes::Of(first, length)),
        2 => (any::<u8>(), 900usize..1200).prop_map(|(first, length)| Bytes::Of(first, length)),
        1 => (any::<u8>(), 60_000usize..150_000)
            .prop_map(|(first, length)| Bytes::Of(first, length)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0u8..16;
    prop_oneof![
        6 => (key(), bytes(), any::<Option<u8>>(), any::<bool>())
            .prop_map(|(key, value, expiry, keep)| Op::Set(key, value, expiry, keep)),
        3 => (key(), bytes()).prop_map(|(key, value)| Op::Append(key, value)),
        2 => (key(), prop_oneof![0u16..2000, 60_000..u16::MAX], bytes())
            .prop_map(|(key, offset, value)| Op::SetRange(key, offset, value)),
        8 => (key(), any::<u8>(), bytes())
            .prop_map(|(key, field, value)| Op::FieldSet(key, field, value)),
        3 => (key(), 0u16..1500, bytes())
            .prop_map(|(key, count, value)| Op::FieldsSet(key, count, value)),
        3 => (key(), any::<u8>()).prop_map(|(key, field)| Op::FieldRemove(key, field)),
        1 => (key(), 0u16..1500).prop_map(|(key, count)| Op::FieldsRemove(key, count)),
        12 => (key(), zset_op()).prop_map(|(key, op)| Op::Zset(key, op)),
        12 => (key(), list_op()).prop_map(|(key, op)| Op::List(key, op)),
        4 => (key(), any::<u8>()).prop_map(|(key, member)| Op::MemberAdd(key, member)),
        2 => (key(), 0u16..1500).prop_map(|(key, count)| Op::MembersAdd(key, count)),
        2 => (key(), 0u16..1500).prop_map(|(key, count)| Op::MembersRemove(key, count)),
        3 => (key(), 0u16..600, 0u8..64)
            .prop_map(|(key, count, shift)| Op::NumbersAdd(key, count, shift)),
        2 => (key(), 0u16..600, any::<bool>())
            .prop_map(|(key, count, numbers)| Op::SetMade(key, count, numbers)),
        3 => key().prop_map(Op::Remove),
        3 => (key(), any::<Option<u8>>()).prop_map(|(key, expiry)| Op::Expire(key, expiry)),
        4 => (key(), key()).prop_map(|(from, to)| Op::Rename(from, to)),
        3 => (key(), key()).prop_map(|(from, to)| Op::Copy(from, to)),
        1 => key().prop_map(Op::Flush),
        1 => Just(Op::FlushAll),
        2 => any::<u8>().prop_map(Op::Sweep),
        2 => Just(Op::Step),
        2 => (0u8..20).prop_map(Op::Later),
        3 => Just(Op::BaseBegin),
        8 => (0u16..9000).prop_map(Op::BaseStep),
        1 => Just(Op::BaseAbort),
        2 => select(&[1, 4, 200, 1000]).prop_map(Op::Borders),
    ]
}

struct Bench {
    store: Store,
    model: Model,
    at: Stamp,
    /// The state at the beginning of the base under way, and what it wrote.
    begun: Option<(Model, Vec<Vec<u8>>)>,
}

impl Bench {
    fn run(&mut self, op: &Op) {
        let at = self.at;
        let Self { store, model, .. } = self;
        match op {
            Op::Borders(most) => store.set_borders(Borders {
                integers: most / 1000 * 300,
                ..Borders::alike(*most)
            }),
            Op::Set(number, value, expiry, keep) => {
                let ((db, key), value) = (key(*number), value.make());
                let before = model.expiry(db, &key);
                let time = expiry.map(|time| Stamp(at.0 + u64::from(time)));
                let (new, time) = match (time, keep) {
                    (Some(time), _) => (NewExpiry::At(time), Some(time)),
                    (None, true) => (NewExpiry::Keep, before),
                    (None, false) => (NewExpiry::Never, None),
                };
                store.set_string(db, &key, &value, new, at);
                model.put(db, &key, &value, time);
            }
            Op::Append(number, value) => {
                let ((db, key), value) = (key(*number), value.make());
                let length = store.append(db, &key, &value, at);
                assert_eq!(length, model.splice(db, &key, None, &value));
            }
            Op::SetRange(number, offset, value) => {
                let ((db, key), value) = (key(*number), value.make());
                let offset = usize::from(*offset);
                let length = store.set_range(db, &key, offset, &value, at);
                assert_eq!(length, model.splice(db, &key, Some(offset), &value));
            }
            Op::FieldSet(number, name, value) => {
                let first = u16::from(*name);
                self.set_fields(*number, first..first + 1, &value.make());
            }
            Op::FieldsSet(number, count, value) => {
                let mut value = value.make();
                value.truncate(100);
                self.set_fields(*number, 0..*count, &value);
            }
            Op::FieldRemove(number, name) => {
                let first = u16::from(*name);
                self.remove_fields(*number, first..first + 1);
            }
            Op::FieldsRemove(number, count) => self.remove_fields(*number, 0..*count),
            Op::Zset(number, op) => zsets::change(store, model, key(*number), at, op),
            Op::List(number, op) => self.change_list(*number, op),
            Op::MemberAdd(number, name) => {
                let first = u16::from(*name);
                self.add_members(*number, core::iter::once(field(first)));
            }
            Op::MembersAdd(number, count) => self.add_members(*number, (0..*count).map(field)),
            Op::MembersRemove(number, count) => self.remove_members(*number, 0..*count),
            Op::NumbersAdd(number, count, shift) => {
                let numbers = (0..*count).map(|place| member(place, *shift));
                self.add_members(*number, numbers);
            }
            Op::SetMade(number, count, numbers) => self.make_set(*number, *count, *numbers),
            Op::Remove(number) => {
                let (db, key) = key(*number);
                let there = model.keys.remove(&(db, key.clone())).is_some();
                assert_eq!(store.remove(db, &key, at), there);
            }
            Op::Expire(number, expiry) => {
                let (db, key) = key(*number);
                let time = expiry.map(|time| Stamp(at.0 + u64::from(time)));
                let item = model.keys.get_mut(&(db, key.clone()));
                assert_eq!(store.set_expiry(db, &key, time, at), item.is_some());
                if let Some(item) = item {
                    item.expiry = time;
                }
            }
            Op::Rename(from, to) => {
                let ((db, from), (to_db, to)) = (key(*from), key(*to));
                let there = store.rename(db, &from, to_db, &to, at);
                assert_eq!(there, model.rename(db, &from, to_db, &to));
            }
            Op::Copy(from, to) => {
                let ((db, from), (to_db, to)) = (key(*from), key(*to));
                let there = store.copy(db, &from, to_db, &to, at);
                assert_eq!(there, model.copy(db, &from, to_db, &to));
            }
            Op::Flush(number) => {
                store.flush(key(*number).0);
                model.flush(key(*number).0);
            }
            Op::FlushAll => {
                store.flush_all();
                model.keys.clear();
            }
            Op::Sweep(budget) => {
                let before = store.len(0) + store.len(1);
                let done = store.expire_due(at, usize::from(*budget));
                assert_eq!(store.len(0) + store.len(1) + done.freed, before);
                if !done.more {
                    assert_eq!(store.len(0), model.len(0));
                    assert!(store.next_expiry().is_none_or(|time| time > at));
                }
            }
            Op::Step => {
                store.step(3);
            }
            Op::Later(time) => self.at = Stamp(at.0 + u64::from(*time)),
            Op::BaseBegin => {
                store.base_begin(self.at);
                assert_eq!(store.base_preimage_bytes(), 0);
                self.begun = Some((shown(store, Stamp(0)), Vec::new()));
            }
            Op::BaseStep(budget) => self.base_step(usize::from(*budget)),
            Op::BaseAbort => {
                store.base_abort();
                self.begun = None;
            }
        }
    }

    fn set_fields(&mut self, number: u8, names: core::ops::Range<u16>, value: &[u8]) {
        let (db, key) = key(number);
        let hash = self.store.hash_or_new(db, &key, self.at);
        let fields = self.model.fields(db, &key);
        assert_eq!(hash.is_ok(), fields.is_ok());
        if let (Ok(mut hash), Ok(fields)) = (hash, fields) {
            for name in names {
                let new = fields.insert(field(name), value.to_vec()).is_none();
                assert_eq!(hash.set(&field(name), value), new);
                assert_eq!(hash.len(), fields.len());
            }
        }
        self.model.tidy(db, &key);
    }

    fn remove_fields(&mut self, number: u8, names: core::ops::Range<u16>) {
        let (db, key) = key(number);
        let hash = self.store.hash_mut(db, &key, self.at);
        if let Ok(Some(mut hash)) = hash {
            let fields = self.model.fields(db, &key).unwrap();
            for name in names {
                let there = fields.remove(&field(name)).is_some();
                assert_eq!(hash.remove(&field(name)), there);
            }
        }
        self.model.tidy(db, &key);
    }

    fn change_list(&mut self, number: u8, op: &ListOp) {
        let (db, key) = key(number);
        let list = self.store.list_or_new(db, &key, self.at);
        let items = self.model.items(db, &key);
        assert_eq!(list.is_ok(), items.is_ok());
        if let (Ok(mut list), Ok(items)) = (list, items) {
            match op {
                ListOp::Push(item, end, count) => {
                    let mut item = item.make();
                    if *count > 3 {
                        item.truncate(400);
                    }
                    for _ in 0..*count {
                        let at = if *end == End::Front { 0 } else { items.len() };
                        items.insert(at, item.clone());
                        list.push(&item, *end);
                    }
                }
                ListOp::Pop(end, count) => {
                    for _ in 0..*count {
                        let item = match end {
                            _ if items.is_empty() => None,
                            End::Front => Some(items.remove(0)),
                            End::Back => items.pop(),
                        };
                        let shown = list.read().and_then(|list| list.at(*end));
                        assert_eq!(shown.map(Text::to_vec), item);
                        assert_eq!(list.pop(*end), item.is_some());
                    }
                }
                ListOp::Set(at, item) => {
                    let (at, item) = (at.index(items.len() + 1), item.make());
                    assert_eq!(list.set(at, &item), at < items.len());
                    if let Some(held) = items.get_mut(at) {
                        *held = item;
                    }
                }
                ListOp::Insert(at, item) => {
                    let (at, item) = (at.index(items.len() + 1), item.make());
                    items.insert(at, item.clone());
                    list.insert(at, &item);
                }
                ListOp::RemoveEqual(at, towards, most) if !items.is_empty() => {
                    let item = items[at.index(items.len())].clone();
                    let wanted = remove_equal(items, &item, *most, *towards);
                    let first = match towards {
                        End::Back => 0,
                        End::Front => list.len() - 1,
                    };
                    let (mut from, mut removed) = (Some(first), 0);
                    while let Some(place) = from.filter(|_| removed < *most) {
                        let (gone, next) =
                            list.remove_equal(&item, most - removed, place, *towards);
                        (from, removed) = (next, removed + gone);
                    }
                    assert_eq!(removed, wanted);
                }
                ListOp::RemoveEqual(..) => {}
                ListOp::Trim(start, end) => {
                    let len = items.len() + 1;
                    let (start, end) = (start.index(len), end.index(len));
                    *items = items.get(start..end).unwrap_or_default().to_vec();
                    list.trim(start, end);
                }
            }
            assert_eq!(list.len(), items.len());
            for at in [0, items.len() / 3, items.len().saturating_sub(2)] {
                let shown = list.read().and_then(|list| list.get(at));
                assert_eq!(shown.map(Text::to_vec).as_ref(), items.get(at));
                let read = list.read();
                let back = read.into_iter().flat_map(|list| list.walk(at, End::Front));
                let before = items.get(..=at).unwrap_or_default();
                assert!(back.map(Text::to_vec).eq(before.iter().rev().cloned()));
            }
        }
        self.model.tidy(db, &key);
    }

    fn add_members(&mut self, number: u8, names: impl Iterator<Item = Vec<u8>>) {
        let (db, key) = key(number);
        let set = self.store.set_or_new(db, &key, self.at);
        let members = self.model.members(db, &key);
        assert_eq!(set.is_ok(), members.is_ok());
        if let (Ok(mut set), Ok(members)) = (set, members) {
            for name in names {
                assert_eq!(set.add(&name), members.insert(name));
                assert_eq!(set.len(), members.len());
            }
        }
        self.model.tidy(db, &key);
    }

    /// Lets a key hold a set that is made on the side, whatever it held.
    fn make_set(&mut self, number: u8, count: u16, numbers: bool) {
        let (db, key) = key(number);
        let name = |place| {
            if numbers {
                member(place, 2)
            } else {
                field(place)
            }
        };
        let mut made = self.store.new_set();
        for place in (0..count).chain(0..count / 2) {
            made.add(&name(place));
        }
        assert_eq!(made.len(), usize::from(count));
        self.store
            .put_set(db, &key, made, NewExpiry::Never, self.at);
        self.model.keys.remove(&(db, key.clone()));
        if let Ok(members) = self.model.members(db, &key) {
            members.extend((0..count).map(name));
        }
        self.model.tidy(db, &key);
    }

    fn remove_members(&mut self, number: u8, names: core::ops::Range<u16>) {
        let (db, key) = key(number);
        let set = self.store.set_mut(db, &key, self.at);
        if let Ok(Some(mut set)) = set {
            let members = self.model.members(db, &key).unwrap();
            for name in names {
                for name in [field(name), member(name, 3)] {
                    assert_eq!(set.remove(&name), members.remove(&name));
                }
            }
        }
        self.model.tidy(db, &key);
    }

    fn base_step(&mut self, budget: usize) {
        let mut piece = Vec::new();
        let more = self.store.base_step(&mut piece, budget);
        assert_eq!(more, self.store.base_running());
        let Some((_, pieces)) = &mut self.begun else {
            return;
        };
        pieces.push(piece);
        if more {
            return;
        }
        assert_eq!(self.store.base_preimage_bytes(), 0);
        let (before, pieces) = self.begun.take().unwrap();
        let mut loaded = Store::new(self.store.tables);
        for piece in &pieces {
            loaded.load_piece(piece).unwrap();
        }
        assert_eq!(shown(&loaded, Stamp(0)), before);
        recount(&loaded);
    }

    fn compare(&self) {
        assert_eq!(shown(&self.store, self.at), self.model);
        for db in 0..2 {
            assert_eq!(self.store.live_len(db, self.at), self.model.len(db));
        }
        for ((db, key), item) in &self.model.keys {
            if let Datum::Text(_, known) = &item.datum {
                let encoding = self.store.encoding(*db, key, self.at);
                assert_eq!(encoding, Some(*known));
            }
        }
        recount(&self.store);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn the_store_is_the_model_and_every_base_the_state_at_its_beginning(
        ops in vec(op(), 1..60),
        bits in select(&[[64, 64], [0, 64], [4, 64], [34, 64], [0, 0], [2, 3]]),
        segment_keys in select(&[SEGMENT_KEYS_MAX, 3, 40]),
    ) {
        let mut bench = Bench {
            store: colliding(bits, segment_keys),
            model: Model::default(),
            at: Stamp(1),
            begun: None,
        };
        for op in &ops {
            let before = (bench.model.clone(), bench.store.changes(), bench.at);
            let held = bench.store.len(0) + bench.store.len(1);
            bench.run(op);
            bench.model.bury(bench.at);
            bench.compare();
            let moved = bench.store.changes() != before.1;
            match op {
                Op::Flush(_) | Op::FlushAll => {
                    prop_assert!(moved || bench.model == before.0);
                    prop_assert!(!moved || held > 0);
                }
                Op::Later(_) => prop_assert!(!moved),
                Op::SetMade(..) | Op::Copy(..) => {
                    prop_assert!(moved || bench.model == before.0);
                }
                _ => prop_assert_eq!(moved, bench.model != before.0, "{:?}", op),
            }
        }
        let mut steps = 0;
        while bench.store.base_running() {
            bench.base_step(500);
            steps += 1;
            prop_assert!(steps < 100_000);
        }
        while bench.store.step(1) {}
        recount(&bench.store);
        prop_assert_eq!(bench.store.garbage.memory(), 0);
    }

    #[test]
    fn the_digest_is_the_same_for_the_same_state_whatever_its_history(
        ops in vec(op(), 1..60),
    ) {
        let mut bench = Bench {
            store: seeded(1),
            model: Model::default(),
            at: Stamp(1),
            begun: None,
        };
        for op in &ops {
            bench.run(op);
            bench.model.bury(bench.at);
        }
        let mut other = seeded(2);
        for ((db, key), item) in &bench.model.keys {
            match &item.datum {
                Datum::Text(text, encoding) => {
                    other.set_string(*db, key, text, NewExpiry::Never, bench.at);
                    if *encoding == "raw" {
                        other.append(*db, key, b"", bench.at).unwrap();
                    }
                }
                Datum::Hash(fields) => {
                    let mut hash = other.hash_or_new(*db, key, bench.at).unwrap();
                    for (field, value) in fields.iter().rev() {
                        hash.set(field, value);
                    }
                }
                Datum::Zset(members) => {
                    let mut zset = other.zset_or_new(*db, key, bench.at).unwrap();
                    for (member, bits) in members.iter().rev() {
                        zset.set(member, f64::from_bits(*bits));
                    }
                }
                Datum::List(items) => {
                    let mut list = other.list_or_new(*db, key, bench.at).unwrap();
                    for item in items.iter().rev() {
                        list.push(item, End::Front);
                    }
                }
                Datum::Set(members) => {
                    let mut set = other.set_or_new(*db, key, bench.at).unwrap();
                    for member in members.iter().rev() {
                        set.add(member);
                    }
                }
            }
            other.set_expiry(*db, key, item.expiry, bench.at);
        }
        prop_assert_eq!(other.digest(bench.at), bench.store.digest(bench.at));
        other.append(1, b"one more", b"", bench.at).unwrap();
        prop_assert_ne!(other.digest(bench.at), bench.store.digest(bench.at));
    }
}

/// Kinds that are never made are never compared: of a new type this asks for operations.
#[test]
fn the_operations_make_values_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let mut made = BTreeSet::new();
    for _ in 0..100 {
        let mut bench = Bench {
            store: seeded(1),
            model: Model::default(),
            at: Stamp(1),
            begun: None,
        };
        for op in vec(op(), 60).new_tree(&mut runner).unwrap().current() {
            bench.run(&op);
            bench.model.bury(bench.at);
            for dict in &bench.store.databases {
                made.extend(dict.iter().map(|view| match view.held {
                    Held::Block(kind, _) => kind.byte(),
                    Held::Box(big) => match &big.kept {
                        Kept::Small(kind, _) => kind.byte(),
                        Kept::Large(large, _) => large.byte(),
                    },
                }));
            }
        }
    }
    let small = Kind::ALL.iter().map(|kind| kind.byte());
    let all: BTreeSet<u8> = small.chain(Large::BYTES.iter().copied()).collect();
    assert_eq!(made, all);
}
