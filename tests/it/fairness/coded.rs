//! Long commands on values that hold something in a code of its own, as bits.

use super::{MANY, request};

/// Requests behind those that the others make, how many steps each takes, and how its reply begins.
pub(super) fn script(names: &[String]) -> Vec<(Vec<u8>, usize, &'static str)> {
    let every = || names.iter().map(String::as_str);
    let fields = |name: &'static str, key: &'static str| {
        let own = names.iter().flat_map(|_| ["GET", "u8", "#3"]);
        request([name, key].into_iter().chain(own))
    };
    vec![
        (
            request(
                ["MSET"]
                    .into_iter()
                    .chain(every().flat_map(|name| [name, "value"])),
            ),
            MANY,
            "+OK",
        ),
        (request(["SETBIT", "bits", "536870911", "1"]), 1, ":0"),
        (request(["BITCOUNT", "bits"]), 64 << 10, ":1"),
        (request(["BITPOS", "bits", "1"]), 64 << 10, ":536870911"),
        (
            request(["BITOP", "NOT", "bits2", "bits"]),
            64 << 10,
            ":67108864",
        ),
        (
            request(["BITOP", "OR", "bits2"].into_iter().chain(every())),
            2 * MANY,
            ":5",
        ),
        (fields("BITFIELD", "bits"), 2 * MANY, "*40000"),
        (fields("BITFIELD_RO", "bits2"), 2 * MANY, "*40000"),
    ]
}
