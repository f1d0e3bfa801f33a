//! The loads that are compared: a name, a request, what must be there before, how many clients.

use crate::load::requests::Template;

/// A load by its name.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The name: the request, the size of its value, the pipeline.
    pub name: &'static str,
    /// The request; `{}` is a number below the number of keys, `$` a value.
    request: &'static [&'static str],
    /// The bytes of the value that `$` stands for.
    value_bytes: usize,
    /// Requests that a client sends before it waits.
    pub pipeline: usize,
    /// Clients.
    pub clients: usize,
    /// The data that the load needs.
    pub data: Data,
}

/// Data that must be there before a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nothing.
    Nothing,
    /// One request for each key, once.
    Keys(&'static [&'static str]),
    /// A request that adds so many elements, before each round anew: the load uses them up.
    Refill {
        /// The request.
        request: &'static [&'static str],
        /// How often it is sent.
        times: u64,
        /// How many requests of the load find something then.
        lasts: u64,
    },
}

const STRING: Data = Data::Keys(&["SET", "key:{}", "$"]);
const HASH: Data = Data::Keys(&["HSET", "hash:{}", "field", "$"]);
const SET: Data = Data::Keys(&["SADD", "set", "member:{}"]);
const ZSET: Data = Data::Keys(&["ZADD", "zset", "{}", "member:{}"]);
const ELEMENTS: Data = Data::Refill {
    #[rustfmt::skip]
    request: &[
        "LPUSH", "list",
        "element", "element", "element", "element", "element",
        "element", "element", "element", "element", "element",
        "element", "element", "element", "element", "element",
        "element", "element", "element", "element", "element",
    ],
    times: 100_000,
    lasts: 2_000_000,
};
const GET: &[&str] = &["GET", "key:{}"];
const STORE: &[&str] = &["SET", "key:{}", "$"];
#[rustfmt::skip]
const TEN: &[&str] = &[
    "MGET",
    "key:{}", "key:{}", "key:{}", "key:{}", "key:{}",
    "key:{}", "key:{}", "key:{}", "key:{}", "key:{}",
];
#[rustfmt::skip]
const RANGE: &[&str] = &["ZRANGE", "zset", "{}", "+inf", "BYSCORE", "LIMIT", "0", "10"];
const FIFTY: usize = 50;

/// All loads, in the order of the table.
#[rustfmt::skip]
pub const LOADS: [Load; 25] = [
    load("GET-1client", GET, 64, 1, 1, STRING),
    load("SET-1client", STORE, 64, 1, 1, STRING),
    load("GET-p1", GET, 64, 1, FIFTY, STRING),
    load("SET-p1", STORE, 64, 1, FIFTY, STRING),
    load("GET-p16", GET, 64, 16, FIFTY, STRING),
    load("SET-p16", STORE, 64, 16, FIFTY, STRING),
    load("GET-p64", GET, 64, 64, FIFTY, STRING),
    load("SET-p64", STORE, 64, 64, FIFTY, STRING),
    load("GET-3B-p16", GET, 3, 16, FIFTY, STRING),
    load("SET-3B-p16", STORE, 3, 16, FIFTY, STRING),
    load("GET-64K-p1", GET, LARGE, 1, FIFTY, STRING),
    load("SET-64K-p1", STORE, LARGE, 1, FIFTY, STRING),
    load("MGET10-p1", TEN, 64, 1, FIFTY, STRING),
    load("MGET10-p16", TEN, 64, 16, FIFTY, STRING),
    load("HGET-p16", &["HGET", "hash:{}", "field"], 64, 16, FIFTY, HASH),
    load("HSET-p16", &["HSET", "hash:{}", "field", "$"], 64, 16, FIFTY, HASH),
    load("LPUSH-p1", &["LPUSH", "list:{}", "element"], 0, 1, FIFTY, Data::Nothing),
    load("LPUSH-p16", &["LPUSH", "list:{}", "element"], 0, 16, FIFTY, Data::Nothing),
    load("RPOP-p16", &["RPOP", "list"], 0, 16, FIFTY, ELEMENTS),
    load("SADD-p16", &["SADD", "set:{}", "member:{}"], 0, 16, FIFTY, Data::Nothing),
    load("SISMEMBER-p16", &["SISMEMBER", "set", "member:{}"], 0, 16, FIFTY, SET),
    load("ZADD-p16", &["ZADD", "zset", "{}", "member:{}"], 0, 16, FIFTY, ZSET),
    load("ZRANK-p16", &["ZRANK", "zset", "member:{}"], 0, 16, FIFTY, ZSET),
    load("ZRANGE10-p1", RANGE, 0, 1, FIFTY, ZSET),
    load("ZRANGE10-p16", RANGE, 0, 16, FIFTY, ZSET),
];

/// The size of a large value.
const LARGE: usize = 64 << 10;
/// The most bytes of values that a load puts in place.
const DATA_BYTES_MAX: u64 = 1 << 30;

const fn load(
    name: &'static str,
    request: &'static [&'static str],
    value_bytes: usize,
    pipeline: usize,
    clients: usize,
    data: Data,
) -> Load {
    Load {
        name,
        request,
        value_bytes,
        pipeline,
        clients,
        data,
    }
}

impl Load {
    /// The load's request.
    pub fn template(&self) -> Template {
        self.with_value(self.request)
    }

    /// A request of words among which `$` is a value of the load's size.
    pub fn with_value(&self, words: &[&str]) -> Template {
        let value = "v".repeat(self.value_bytes);
        let words = words.iter().map(|word| match *word {
            "$" => value.as_str(),
            word => word,
        });
        Template::new(&words.collect::<Vec<_>>())
    }

    /// The number of keys: fewer where large values would not fit into memory.
    pub fn keys(&self, wanted: u64) -> u64 {
        let each = self.value_bytes.max(1) as u64;
        wanted.min(DATA_BYTES_MAX / each).max(1)
    }
}

/// The loads whose names begin with one of these, all of them if none is given.
pub fn chosen(names: &[String]) -> Vec<Load> {
    let is_chosen = |load: &&Load| {
        names.is_empty()
            || names
                .iter()
                .any(|name| load.name.to_lowercase().starts_with(&name.to_lowercase()))
    };
    LOADS.iter().filter(is_chosen).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_chosen_by_how_their_names_begin() {
        assert_eq!(chosen(&[]).len(), LOADS.len());
        let names = |wanted: &str| {
            let loads = chosen(&[wanted.to_owned()]);
            loads.iter().map(|load| load.name).collect::<Vec<_>>()
        };
        assert_eq!(names("get-p"), ["GET-p1", "GET-p16", "GET-p64"]);
        assert!(names("nothing").is_empty());
    }

    #[test]
    fn large_values_do_not_fill_the_memory() {
        let keys = |name: &str| chosen(&[name.to_owned()])[0].keys(10_000_000);
        assert_eq!(keys("SET-64K"), 16_384);
        assert_eq!(keys("SET-p16"), 10_000_000);
    }
}
