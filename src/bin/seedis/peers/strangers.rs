//! Connections to the members' port whose other side has proven nothing yet: how many there may be,
//! and how much is said of them.
//!
//! If there are too many, the oldest goes: a member needs a few milliseconds to prove itself, so
//! that a crowd of strangers does not keep it out for long.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use tokio::sync::Notify;

/// How many may be there at a time.
const STRANGERS_MAX: usize = 128;
/// How many of one address: as many as a whole group of this machine needs, which may start at one
/// moment.
const OF_ONE_ADDRESS_MAX: usize = 64;

/// Those who are there.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    there: RefCell<VecDeque<Stranger>>,
    last: Cell<u64>,
}

#[derive(Debug)]
struct Stranger {
    number: u64,
    from: IpAddr,
    /// It is to go.
    goes: Rc<Notify>,
}

/// The place of one of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    strangers: Rc<Strangers>,
    number: u64,
    goes: Rc<Notify>,
}

impl Strangers {
    /// Somebody has come; where there are too many by now, the oldest goes.
    pub(super) fn come(self: &Rc<Self>, from: IpAddr) -> Waiting {
        let from = network_of(from);
        let mut there = self.there.borrow_mut();
        let of_this = there.iter().filter(|one| one.from == from).count();
        let oldest = if of_this >= OF_ONE_ADDRESS_MAX {
            there.iter().position(|one| one.from == from)
        } else {
            (there.len() >= STRANGERS_MAX).then_some(0)
        };
        if let Some(gone) = oldest.and_then(|at| there.remove(at)) {
            gone.goes.notify_one();
        }
        let number = self.last.get() + 1;
        self.last.set(number);
        let goes = Rc::new(Notify::new());
        there.push_back(Stranger {
            number,
            from,
            goes: Rc::clone(&goes),
        });
        Waiting {
            strangers: Rc::clone(self),
            number,
            goes,
        }
    }
}

impl Waiting {
    /// Waits until it has to go.
    pub(super) async fn is_lost(&self) {
        self.goes.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut there = self.strangers.there.borrow_mut();
        there.retain(|one| one.number != self.number);
    }
}

/// A machine has at least a whole /64 of the sixth version to itself.
fn network_of(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(ip) => {
            let network = u128::from(ip) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_to_go(place: &Waiting) -> bool {
        let there = place.strangers.there.borrow();
        !there.iter().any(|one| one.number == place.number)
    }

    #[test]
    fn where_too_many_come_the_oldest_of_the_address_goes_and_then_the_oldest_of_all() {
        let strangers = Rc::new(Strangers::default());
        let from = |number: u8| IpAddr::from([10, 0, 0, number]);
        let first = strangers.come(from(1));
        let mut others: Vec<Waiting> = (0..OF_ONE_ADDRESS_MAX)
            .map(|_| strangers.come(from(2)))
            .collect();
        assert!(!has_to_go(&first) && others.iter().all(|one| !has_to_go(one)));
        others.push(strangers.come(from(2)));
        assert!(!has_to_go(&first) && has_to_go(&others[0]) && !has_to_go(&others[1]));
        others.extend(
            (0..)
                .map(|_| strangers.come(from(3)))
                .take(STRANGERS_MAX - 65),
        );
        assert!(!has_to_go(&first));
        others.push(strangers.come(from(4)));
        assert!(has_to_go(&first));
        assert_eq!(strangers.there.borrow().len(), STRANGERS_MAX);
        drop(others);
        assert!(strangers.there.borrow().is_empty());
    }

    #[test]
    fn a_network_of_the_sixth_version_counts_as_one_machine() {
        let one: IpAddr = "fd00:1:2:3:4::5".parse().unwrap();
        let other: IpAddr = "fd00:1:2:3:9::5".parse().unwrap();
        let another: IpAddr = "fd00:1:2:4:4::5".parse().unwrap();
        assert_eq!(network_of(one), network_of(other));
        assert_ne!(network_of(one), network_of(another));
    }
}
