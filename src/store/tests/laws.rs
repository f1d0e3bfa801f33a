//! The laws that every value must keep, whatever its type: the compiler asks here for each one.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{NOW, recount, seeded};
use crate::rng;
use crate::store::dict::Tables;
use crate::store::encoding::Encoding;
use crate::store::entry::Draft;
use crate::store::kind::Kind;
use crate::store::value::parts::Cover;
use crate::store::value::set::{integers, packed as members};
use crate::store::value::{Large, Value, is_sound, list, packed, zset};
use crate::store::{End, Stamp, Store};

/// The epoch of the base that is under way, and one before it.
const EPOCH: u8 = 7;
const EARLIER: u8 = 6;

/// A small value of each kind.
fn small(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Integer => 17i64.to_le_bytes().to_vec(),
        Kind::Bytes => b"text".to_vec(),
        Kind::Raw => b"17".to_vec(),
        Kind::PackedHash | Kind::ConvertedHash => {
            let mut packed = Vec::new();
            packed::set(packed::EMPTY, None, (b"field", b"value"), &mut packed);
            packed
        }
        Kind::PackedZset | Kind::ConvertedZset => {
            let (mut packed, mut longer) = (zset::packed::EMPTY.to_vec(), Vec::new());
            for entry in [(1.5, &b"one"[..]), (-17.0, b"other"), (-0.0, b"zero")] {
                assert!(zset::packed::replace(
                    &packed,
                    None,
                    Some(entry),
                    crate::limits::SMALL_ITEMS_MAX,
                    &mut longer
                ));
                core::mem::swap(&mut packed, &mut longer);
            }
            packed
        }
        Kind::PackedList | Kind::ConvertedList => {
            let (mut packed, mut longer) = (list::packed::EMPTY.to_vec(), Vec::new());
            for item in [&b"item"[..], b"-17", b"17"] {
                assert!(list::packed::push(&packed, item, End::Back, &mut longer));
                core::mem::swap(&mut packed, &mut longer);
            }
            packed
        }
        Kind::PackedSet | Kind::ConvertedSet => {
            let mut packed = Vec::new();
            members::add(members::EMPTY, b"member", &mut packed);
            packed
        }
        Kind::Integers | Kind::ConvertedIntegers | Kind::ListpackIntegers => {
            let (mut integers, mut more) = (integers::EMPTY.to_vec(), Vec::new());
            for number in [17, -70_000, i64::MAX] {
                assert!(integers::add(&integers, number, &mut more));
                core::mem::swap(&mut integers, &mut more);
            }
            integers
        }
    }
}

/// Changes something of a value, and what that is `draw` says.
fn disturb(large: &mut Large, draw: u64, cover: &mut Covered) {
    let name = rng::below(draw, 4000).to_le_bytes();
    match large {
        Large::Rope(_) => {
            cover.whole(large);
            if let Large::Rope(rope) = large {
                let offset = rng::below(draw, 300_000) as usize;
                rope.write(offset, &[draw as u8 | 1; 50]);
            }
        }
        Large::Sorted(sorted) if draw.is_multiple_of(3) => drop(sorted.remove(&name, cover)),
        Large::Sorted(sorted) => {
            let mut member = name.to_vec();
            member.resize(8 + (draw >> 8) as usize % 8 / 7 * 1200, b'm');
            let score = (draw % 50) as f64 / 2.0;
            sorted.update(&member, |_| Some(score), cover);
        }
        Large::List(_) => {
            cover.whole(large);
            if let Large::List(blocks) = large {
                let end = if draw & 1 == 0 { End::Front } else { End::Back };
                let item = vec![draw as u8; (draw >> 8) as usize % 1500];
                match draw >> 1 & 7 {
                    0 => drop(blocks.pop(end)),
                    1 if (draw >> 4).is_multiple_of(8) => {
                        blocks.push(&(draw as i16).to_string().into_bytes(), end);
                    }
                    _ => blocks.push(&item, end),
                }
            }
        }
        Large::HashTable(table) if draw.is_multiple_of(3) => drop(table.remove(&name, cover)),
        Large::HashTable(table) => {
            let value = vec![draw as u8; (draw % 1500) as usize];
            table.set(&name, &value, cover);
        }
        Large::SetTable(table) if draw.is_multiple_of(3) => drop(table.remove(&name, cover)),
        Large::SetTable(table) => {
            table.set(&name, &[], cover);
        }
    }
}

/// The bytes that a base got because a value was about to be changed.
#[derive(Default)]
struct Covered {
    epoch: u8,
    parts: Vec<Vec<u8>>,
    whole: Option<Large>,
}

impl Covered {
    /// Covers a value as a whole, if that was not done before.
    fn whole(&mut self, large: &mut Large) {
        if self.epoch == EPOCH && self.whole.is_none() {
            large.share();
            self.whole = Some(large.clone());
        }
    }
}

impl Cover for Covered {
    fn epoch(&self) -> u8 {
        self.epoch
    }

    fn part(&mut self, epoch: u8, write: impl FnOnce(&mut Vec<u8>)) {
        if epoch != self.epoch {
            let mut part = Vec::new();
            write(&mut part);
            self.parts.push(part);
        }
    }
}

fn large(byte: u8, seed: u64) -> Large {
    let mut large = Large::empty(byte, tables()).unwrap();
    let mut cover = Covered {
        epoch: EARLIER,
        ..Covered::default()
    };
    for turn in 0..2000 {
        disturb(&mut large, rng::draw(seed, turn, 0, 0), &mut cover);
    }
    assert!(cover.parts.is_empty(), "what is new bears the epoch");
    large
}

fn tables() -> Tables {
    Tables {
        segment_keys_max: 40,
        ..Tables::new(Some(3))
    }
}

/// The items of a value or of parts, with how often each is shown.
type Items = BTreeMap<Vec<Vec<u8>>, u32>;

fn add(items: &mut Items, item: &[&[u8]]) {
    let item = item.iter().map(|part| part.to_vec()).collect();
    *items.entry(item).or_default() += 1;
}

fn items(value: Value<'_>) -> Items {
    let mut items = Items::new();
    value.show_items(&mut |item| add(&mut items, item));
    items
}

fn items_of(byte: u8, parts: &[Vec<u8>]) -> Items {
    let mut items = Items::new();
    for part in parts {
        Large::show_part(byte, part, &mut |item| add(&mut items, item));
    }
    items
}

/// Writes on from a place, one part; where to go on.
fn write(large: &mut Large, from: u64, room: usize, parts: &mut Vec<Vec<u8>>) -> Option<u64> {
    let mut part = Vec::new();
    let next = large.write_part(from, EPOCH, room, &mut part);
    assert!(part.len() < room + 70_000, "a part is bounded");
    if !part.is_empty() {
        parts.push(part);
    }
    next
}

#[test]
fn a_large_value_is_loaded_from_its_parts_and_is_the_same() {
    for byte in Large::BYTES.iter().copied() {
        for room in [1, 5000, 1 << 20] {
            let mut large = large(byte, 1);
            let before = items(large.value());
            let (mut parts, mut from) = (Vec::new(), Some(0));
            while let Some(place) = from {
                from = write(&mut large, place, room, &mut parts);
            }
            assert!(parts.len() > 1);
            assert_eq!(items_of(byte, &parts), before);
            assert_eq!(items(large.value()), before);
            let mut loaded = Large::empty(byte, tables()).unwrap();
            for part in &parts {
                loaded.load_part(part, EPOCH).unwrap();
                loaded.check();
                assert_eq!(loaded.recount(), loaded.memory());
            }
            assert_eq!(items(loaded.value()), before);
            assert_eq!(loaded.value().mark(), Large::mark(byte));
            assert_eq!(loaded.byte(), byte);
            // None of it can be loaded twice.
            assert_eq!(loaded.load_part(&parts[0], EPOCH), None);
        }
    }
}

#[test]
fn a_base_holds_a_large_value_as_it_was_however_it_changes_meanwhile() {
    for byte in Large::BYTES.iter().copied() {
        for seed in 0..20 {
            let mut large = large(byte, seed);
            let before = items(large.value());
            let mut cover = Covered {
                epoch: EPOCH,
                ..Covered::default()
            };
            let (mut parts, mut from, mut turn) = (Vec::new(), Some(0), 0);
            while let Some(place) = from {
                // Where it was covered as a whole, the base goes on with the clone.
                let owed = cover.whole.as_mut().unwrap_or(&mut large);
                from = write(owed, place, 3000, &mut parts);
                for _ in 0..10 {
                    turn += 1;
                    disturb(&mut large, rng::draw(seed, 1, turn, 0), &mut cover);
                }
            }
            parts.append(&mut cover.parts);
            assert_eq!(items_of(byte, &parts), before);
            assert_ne!(items(large.value()), before);
        }
    }
}

#[test]
fn a_copy_is_the_same_and_no_base_holds_it() {
    for byte in Large::BYTES.iter().copied() {
        let mut large = large(byte, 2);
        large.share();
        let copy = large.hollow().map(|mut copy| {
            let mut steps = 0;
            while let Some(bytes) = large.copy_on(&mut copy, EPOCH) {
                assert!(bytes < 1 << 20, "{bytes} bytes in one step");
                steps += 1;
            }
            assert!(steps > 10, "{steps} steps");
            copy
        });
        let mut copy = copy.unwrap_or_else(|| {
            let mut clone = large.clone();
            assert!(clone.unshared_memory() < clone.memory() / 10);
            clone.restamp(EPOCH);
            clone
        });
        copy.check();
        assert_eq!(copy.recount(), copy.memory());
        assert_eq!(items(copy.value()), items(large.value()));
        assert!(large.unshared_memory() <= large.memory());
        let mut cover = Covered {
            epoch: EPOCH,
            ..Covered::default()
        };
        for turn in 0..1000 {
            disturb(&mut copy, rng::draw(3, turn, 0, 0), &mut cover);
        }
        assert!(cover.parts.is_empty());
        copy.check();
        assert_eq!(copy.recount(), copy.memory());
        assert_ne!(items(copy.value()), items(large.value()));
    }
}

#[test]
fn a_large_value_is_freed_in_bounded_steps() {
    for byte in Large::BYTES.iter().copied() {
        let mut large = large(byte, 4);
        for turn in 0..20_000 {
            disturb(
                &mut large,
                rng::draw(5, turn, 0, 0),
                &mut Covered::default(),
            );
        }
        let mut more = true;
        while more {
            let before = large.memory();
            let mut budget = 1;
            more = large.dismantle(&mut budget);
            assert!(budget == 0 || !more);
            assert!(before - large.memory() < 2 << 20);
            assert_eq!(large.recount(), large.memory());
        }
        assert!(large.memory() < 10_000);
    }
}

#[test]
fn a_small_value_of_each_kind_is_the_same_in_a_block_and_in_a_box_and_behind_a_base() {
    let mut store = seeded(1);
    let keys = [&b"short"[..], &[b'k'; 1100]];
    for kind in Kind::ALL.iter().copied() {
        let bytes = small(kind);
        assert!(is_sound(kind, &bytes));
        assert_eq!(Kind::of_byte(kind.byte()), Some(kind));
        for key in keys {
            let key = [key, &[kind.byte()]].concat();
            let draft = Draft {
                kind,
                epoch: store.epoch,
                expiry: Some(Stamp(NOW.0 + 5)),
                heat: None,
                key: &key,
                value: &bytes,
            };
            let hash = store.dict(0).hash(&key);
            store.put(0, hash, None, &draft);
        }
    }
    let mut piece = Vec::new();
    store.base_begin(NOW);
    while store.base_step(&mut piece, 10) {}
    let mut loaded = seeded(1);
    loaded.load_piece(&piece).unwrap();
    for store in [&store, &loaded] {
        recount(store);
        for kind in Kind::ALL.iter().copied() {
            let bytes = small(kind);
            let wanted = Value::small(kind, &bytes);
            for key in keys {
                let key = [key, &[kind.byte()]].concat();
                let value = store.get(0, &key, NOW).unwrap();
                assert_eq!(items(value), items(wanted));
                let encoding = store.encoding(0, &key, NOW).unwrap();
                let shown = (value.mark(), encoding, value.type_name());
                let own = wanted.encoding(kind.encoding());
                let own = (wanted.mark(), own, wanted.type_name());
                assert_eq!(shown, own);
            }
        }
    }
}

proptest! {
    /// A base may hold any bytes for a small value: those that are taken for sound can be read.
    #[test]
    fn what_is_sound_can_be_read(
        kind in select(Kind::ALL),
        any in vec(any::<u8>(), 0..12),
        keeps in any::<bool>(),
    ) {
        let mut bytes = if keeps { small(kind) } else { Vec::new() };
        bytes.extend(any);
        for length in 0..=bytes.len() {
            let cut = &bytes[..length];
            if !is_sound(kind, cut) {
                continue;
            }
            let value = Value::small(kind, cut);
            let is_empty = items(value).is_empty();
            prop_assert!(!is_empty || matches!(value, Value::String(_)));
            prop_assert!(!value.type_name().is_empty() && !value.mark().is_empty());
        }
    }
}

/// A hash with a table for each of few keys, removed with all the rest of the database.
#[test]
fn few_keys_with_large_values_are_freed_in_bounded_steps_too() {
    let mut store = Store::new(tables());
    for byte in Large::BYTES.iter().copied() {
        let large = (large(byte, 6), Encoding::default());
        store.put_large(0, None, &[byte], None, large);
    }
    let full = store.memory();
    store.flush(0);
    assert!(store.memory() > full / 2, "nothing is freed by the call");
    while store.step(1) {
        recount(&store);
    }
    assert!(store.memory() < full / 10);
}
