//! Long commands on values that hold something in a code of its own, as bits.

use seedis::rdb;

use super::{MANY, request};

/// The key of a HyperLogLog: each costs as much as some requests.
const HLL: &str = "hll";

/// Requests behind those that the others make, how many steps each takes, and how its reply begins.
pub(super) fn script(names: &[String]) -> Vec<(Vec<u8>, usize, &'static str)> {
    let every = || names.iter().map(String::as_str);
    let fields = |name: &'static str, key: &'static str| {
        let own = names.iter().flat_map(|_| ["GET", "u8", "#3"]);
        request([name, key].into_iter().chain(own))
    };
    // All of them within some thousand kilometers, no two in one place.
    let mut places = Vec::new();
    for (nth, name) in names.iter().enumerate() {
        let at = |nth: usize| format!("{}", 10.0 + nth as f64 / 20.0);
        places.extend([at(nth % 200), at(nth / 200), name.clone()]);
    }
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
        (
            request(
                ["GEOADD", "geo"]
                    .into_iter()
                    .chain(places.iter().map(String::as_str)),
            ),
            MANY,
            ":40000",
        ),
        (request(["DUMP", "geo"]), MANY, "$"),
        (restoration(names), 2 * MANY, "+OK"),
        (request(["PFSELFTEST"]), 1, "+OK"),
        (
            request(["PFADD", "hll"].into_iter().chain(every())),
            2 * MANY,
            ":1",
        ),
        (
            request(["PFCOUNT"].into_iter().chain([HLL; 2000])),
            32 * 2000,
            ":",
        ),
        (
            request(["PFMERGE", "hll2"].into_iter().chain([HLL; 2000])),
            32 * 2000,
            "+OK",
        ),
        (
            request(["GEOPOS", "geo"].into_iter().chain(every())),
            MANY,
            "*40000",
        ),
        (
            request(["GEOHASH", "geo"].into_iter().chain(every())),
            MANY,
            "*40000",
        ),
        (
            request([
                "GEOSEARCH",
                "geo",
                "FROMLONLAT",
                "15",
                "15",
                "BYRADIUS",
                "9000",
                "km",
                "ASC",
            ]),
            3 * MANY,
            "*40000",
        ),
        (
            request([
                "GEOSEARCHSTORE",
                "geo2",
                "geo",
                "FROMLONLAT",
                "15",
                "15",
                "BYBOX",
                "1",
                "1",
                "km",
            ]),
            1,
            ":",
        ),
        (
            request([
                "GEORADIUS",
                "geo",
                "15",
                "15",
                "9000",
                "km",
                "STORE",
                "geo2",
            ]),
            3 * MANY,
            ":40000",
        ),
        (
            request(["GEORADIUS_RO", "geo", "15", "15", "9000", "km"]),
            2 * MANY,
            "*40000",
        ),
        (
            request([
                "GEORADIUSBYMEMBER",
                "geo",
                "key:1",
                "9000",
                "km",
                "COUNT",
                "1",
            ]),
            2 * MANY,
            "*1",
        ),
        (
            request([
                "GEORADIUSBYMEMBER_RO",
                "geo",
                "key:1",
                "9000",
                "km",
                "COUNT",
                "1",
            ]),
            2 * MANY,
            "*1",
        ),
    ]
}

/// RESTORE of a set with all of these members.
fn restoration(names: &[String]) -> Vec<u8> {
    let mut payload = Vec::new();
    rdb::put_kind(&mut payload, rdb::ValueKind::Set);
    rdb::put_length(&mut payload, names.len() as u64);
    for name in names {
        rdb::put_string(&mut payload, name.as_bytes());
    }
    let sum = rdb::crc64::extended(0, &payload);
    rdb::put_footer(&mut payload, sum);
    let mut whole = b"*4\r\n$7\r\nRESTORE\r\n$8\r\nrestored\r\n$1\r\n0\r\n".to_vec();
    whole.extend(format!("${}\r\n", payload.len()).bytes());
    whole.extend(payload);
    whole.extend(b"\r\n");
    whole
}
