//! Random changes of sorted sets, beside a map of members.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::model::Model;
use super::names::field;
use crate::store::{DbId, Store, ZsetMut};
use crate::time::Stamp;

/// A change of a sorted set.
#[derive(Clone, Debug)]
pub(super) enum ZsetOp {
    Set(u16, i8),
    SetMany(u16, u16, i8),
    Remove(u16),
    RemoveMany(u16, u16),
    RemoveAt(Index),
}

pub(super) fn zset_op() -> impl Strategy<Value = ZsetOp> {
    let member = || 0u16..400;
    prop_oneof![
        4 => (member(), any::<i8>()).prop_map(|(member, score)| ZsetOp::Set(member, score)),
        3 => (member(), 1u16..300, any::<i8>())
            .prop_map(|(from, count, score)| ZsetOp::SetMany(from, count, score)),
        2 => member().prop_map(ZsetOp::Remove),
        2 => (member(), 1u16..400).prop_map(|(from, count)| ZsetOp::RemoveMany(from, count)),
        2 => any::<Index>().prop_map(ZsetOp::RemoveAt),
    ]
}

/// One of few scores, some of which are peculiar.
fn score(number: i8) -> f64 {
    match number {
        -128 => f64::NEG_INFINITY,
        127 => f64::INFINITY,
        -127..=-100 => -0.0,
        100..=126 => f64::from(number) * 1e17,
        number => f64::from(number) / 4.0,
    }
}

/// Makes a change in the store and in the model, and compares both.
pub(super) fn change(
    store: &mut Store,
    model: &mut Model,
    (db, key): (DbId, Vec<u8>),
    at: Stamp,
    op: &ZsetOp,
) {
    let zset = store.zset_or_new(db, &key, at);
    let members = model.scores(db, &key);
    assert_eq!(zset.is_ok(), members.is_ok());
    if let (Ok(mut zset), Ok(members)) = (zset, members) {
        match op {
            ZsetOp::Set(member, number) => set(&mut zset, members, *member, score(*number)),
            ZsetOp::SetMany(from, count, number) => {
                for member in *from..from + count {
                    let number = number.wrapping_add((member % 37) as i8);
                    set(&mut zset, members, member, score(number));
                }
            }
            ZsetOp::Remove(member) => {
                let there = members.remove(&field(*member)).is_some();
                assert_eq!(zset.remove(&field(*member)), there);
            }
            ZsetOp::RemoveMany(from, count) => {
                for member in *from..from + count {
                    let there = members.remove(&field(member)).is_some();
                    assert_eq!(zset.remove(&field(member)), there);
                }
            }
            ZsetOp::RemoveAt(rank) => {
                let sorted = in_order(members);
                let rank = rank.index(sorted.len() + 1);
                let wanted = sorted.get(rank).cloned();
                if let Some((_, member)) = &wanted {
                    members.remove(member);
                }
                let gone = zset.remove_at(rank).map(|(member, score)| (score, member));
                assert_eq!(gone, wanted);
            }
        }
        let sorted = in_order(members);
        assert_eq!(zset.len(), sorted.len());
        for rank in [0, sorted.len() / 3, sorted.len().saturating_sub(2)] {
            let (Some(zset), Some((own, member))) = (zset.read(), sorted.get(rank)) else {
                continue;
            };
            assert_eq!(zset.rank(member), Some(rank));
            assert_eq!(zset.score(member).map(f64::to_bits), Some(own.to_bits()));
            let below = sorted.iter().filter(|(held, _)| held < own).count();
            assert_eq!(zset.partition(&|held, _| held < *own), below);
            let shown = zset.walk(rank).map(|(member, own)| (own, member.to_vec()));
            assert!(shown.eq(sorted[rank..].iter().cloned()));
            let shown = zset
                .walk_back(rank)
                .map(|(member, own)| (own, member.to_vec()));
            assert!(shown.eq(sorted[..rank].iter().rev().cloned()));
        }
    }
    model.tidy(db, &key);
}

/// Gives a member a score, in a set and in its model.
fn set(zset: &mut ZsetMut<'_>, members: &mut BTreeMap<Vec<u8>, u64>, member: u16, score: f64) {
    let member = field(member);
    let old = members.get(&member).map(|bits| f64::from_bits(*bits));
    assert_eq!(zset.set(&member, score), old != Some(score));
    if old != Some(score) {
        members.insert(member, score.to_bits());
    }
}

/// The members in their order, each behind its score.
fn in_order(members: &BTreeMap<Vec<u8>, u64>) -> Vec<(f64, Vec<u8>)> {
    let pairs = members
        .iter()
        .map(|(member, bits)| (f64::from_bits(*bits), member.clone()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by(|one, other| one.0.partial_cmp(&other.0).unwrap());
    pairs
}
