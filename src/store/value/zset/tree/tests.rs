//! The tree beside a sorted list of its entries.

use proptest::prelude::*;

use super::*;

/// A member of one of some lengths, several of which fill most of a leaf or more.
fn member(number: u16) -> Vec<u8> {
    let length = [1, 1, 3, 40, 300, 600, 1100, 2500][usize::from(number % 8)];
    let mut member = vec![b'm'; length];
    member.extend_from_slice(&(number / 8).to_le_bytes());
    member
}

proptest! {
    #[test]
    fn it_is_the_list_of_its_entries(
        children_max in 4usize..9,
        changes in proptest::collection::vec((any::<bool>(), 0u16..400, 0u8..4), 1..400),
    ) {
        let mut tree = Tree::new(children_max);
        let mut list: Vec<(f64, Vec<u8>)> = Vec::new();
        for (adds, number, score) in changes {
            let own = (f64::from(score), member(number));
            let entry = (own.0, own.1.as_slice());
            let place = list.binary_search_by(|held| order((held.0, &held.1), entry));
            match place {
                Ok(at) if !adds => {
                    prop_assert!(tree.remove(entry));
                    list.remove(at);
                }
                Err(at) if adds => {
                    tree.insert(entry);
                    list.insert(at, own);
                }
                Err(_) => prop_assert!(!tree.remove(entry)),
                Ok(at) => prop_assert_eq!(tree.partition(&|held| order(held, entry).is_lt()), at),
            }
        }
        tree.check();
        prop_assert_eq!(tree.recount(), tree.memory());
        let held = tree.walk(0).map(|(score, member)| (score, member.to_vec()));
        prop_assert!(held.eq(list));
    }
}

#[test]
fn entries_that_come_in_order_leave_full_nodes() {
    let mut tree = Tree::new(32);
    for number in 0u32..20_000 {
        let member = format!("member:{number:09}");
        tree.insert((f64::from(number), member.as_bytes()));
    }
    tree.check();
    let leaves = |tree: &Tree| tree.chunks.iter().flatten().count();
    // An entry takes 25 bytes, so that a leaf has room for 40.
    assert!(
        leaves(&tree) < 20_000 / 40 * 33 / 32 + 20,
        "{}",
        leaves(&tree)
    );
    assert!(tree.memory() / 20_000 < 29, "{}", tree.memory());
}

#[test]
fn a_few_entries_take_little_memory_beside_themselves() {
    let mut tree = Tree::new(32);
    for number in 0u32..200 {
        let member = format!("member:{:09}", number * 7 % 200);
        tree.insert((f64::from(number * 7 % 200), member.as_bytes()));
    }
    assert!(tree.memory() / 200 < 35, "{}", tree.memory() / 200);
}
