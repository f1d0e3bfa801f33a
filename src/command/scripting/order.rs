//! Replies whose order says how a table came to be: scripts get them in the order of their bytes.
//!
//! A script may store what it reads, so that a reply must be the same on all members, of which one
//! has applied all commands and another has loaded a base. Tables of the same keys may be split in
//! other ways there. Draws by chance depend on hashes alone, and need no order.

use alloc::vec::Vec;

use crate::command::row::Row;

/// How the items of a reply are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// One by one.
    Items,
    /// Each with the one behind it.
    Pairs,
    /// One by one, behind the cursor of an iteration, which is run to its end.
    Walk,
    /// Each with the one behind it, in the same way.
    WalkOfPairs,
}

/// The order in which a script gets the reply of a command; `None` where that is as it comes.
pub(super) fn of(row: &Row) -> Option<Order> {
    Some(match row.name {
        "smembers" | "sinter" | "sunion" | "sdiff" | "hkeys" | "hvals" | "keys" => Order::Items,
        "hgetall" => Order::Pairs,
        "scan" | "sscan" => Order::Walk,
        "hscan" | "zscan" => Order::WalkOfPairs,
        _ => return None,
    })
}

impl Order {
    /// Returns true if it is of a command that iterates.
    pub(super) fn is_walk(self) -> bool {
        matches!(self, Self::Walk | Self::WalkOfPairs)
    }

    /// Puts the items of a reply in order. A reply that is no list stays as it is.
    pub(super) fn put(self, reply: &mut Vec<u8>) {
        let ordered = self.ordered(reply);
        if let Some(ordered) = ordered {
            *reply = ordered;
        }
    }

    fn ordered(self, reply: &[u8]) -> Option<Vec<u8>> {
        let mut rest = reply;
        let mut out = Vec::with_capacity(reply.len());
        if self.is_walk() {
            // The list behind the cursor.
            out.extend_from_slice(line(&mut rest)?);
            out.extend_from_slice(item(&mut rest)?);
        }
        let head = line(&mut rest)?;
        if !matches!(head.first()?, b'*' | b'~' | b'%') {
            return None;
        }
        out.extend_from_slice(head);
        let mut items = Vec::new();
        while !rest.is_empty() {
            items.push(item(&mut rest)?);
        }
        let body = |item: &[u8]| {
            let from = item.iter().position(|byte| *byte == b'\n').unwrap_or(0);
            item.get(from..).unwrap_or_default().to_vec()
        };
        let size = match self {
            Self::Items | Self::Walk => 1,
            Self::Pairs | Self::WalkOfPairs => 2,
        };
        let mut groups: Vec<&[&[u8]]> = items.chunks(size).collect();
        groups.sort_by_cached_key(|group| group.first().map(|item| body(item)));
        out.extend(
            groups
                .into_iter()
                .flatten()
                .flat_map(|item| item.iter().copied()),
        );
        Some(out)
    }
}

/// Takes a line with its end.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')? + 1;
    let (line, behind) = rest.split_at(end);
    *rest = behind;
    Some(line)
}

/// Takes a string or a number with all of its bytes.
fn item<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let whole = *rest;
    let head = line(rest)?;
    let mut len = head.len();
    if let Some(digits) = head.strip_prefix(b"$") {
        let digits = core::str::from_utf8(digits).ok()?.trim_end();
        let body: usize = digits.parse().ok()?;
        len += body.checked_add(2)?;
    }
    let item = whole.get(..len)?;
    *rest = &whole[len..];
    Some(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(order: Order, reply: &str) -> Vec<u8> {
        let mut reply = reply.as_bytes().to_vec();
        order.put(&mut reply);
        reply
    }

    #[test]
    fn items_are_put_in_the_order_of_their_bytes() {
        let list = "*3\r\n$1\r\nb\r\n$2\r\naa\r\n$1\r\na\r\n";
        assert_eq!(
            put(Order::Items, list),
            b"*3\r\n$1\r\na\r\n$2\r\naa\r\n$1\r\nb\r\n"
        );
        let pairs = "*4\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n";
        let wanted = b"*4\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n1\r\n";
        assert_eq!(put(Order::Pairs, pairs), wanted);
        let walk = "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\na\r\n";
        let wanted = b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
        assert_eq!(put(Order::Walk, walk), wanted);
        assert_eq!(put(Order::Items, "-ERR x\r\n"), b"-ERR x\r\n");
    }
}
