//! Keyspace events: which of them a command must give rise to.
//!
//! The model says which keys a command has touched, and this file, which is written without a look
//! at the server's rows, how that is told.

/// An event of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) db: u32,
    pub(super) key: Vec<u8>,
    /// It may be told, and need not be.
    pub(super) is_doubtful: bool,
}

/// The events of a command that has touched these keys. `is_there` says whether a key exists now.
pub(super) fn events_of(
    (in_db, words): (u32, &[Vec<u8>]),
    touched: &[(u32, Vec<u8>)],
    is_there: impl Fn(u32, &[u8]) -> bool,
) -> Vec<Event> {
    let word = |place: usize| {
        let word = words.get(place);
        word.map_or_else(String::new, |word| {
            String::from_utf8_lossy(word).to_ascii_lowercase()
        })
    };
    let name = word(0);
    let mut all: Vec<Event> = Vec::new();
    let mut seen: Vec<&(u32, Vec<u8>)> = Vec::new();
    for place in touched {
        if seen.contains(&place) {
            continue;
        }
        seen.push(place);
        let (db, key) = place;
        let is_gone = !is_there(*db, key);
        let is_source = words.get(1) == Some(key) && in_db == *db;
        let is_target = words.get(2) == Some(key);
        let names = names_of(&name, &word, (is_source, is_target), is_gone, words.len());
        let named = words[1..].iter().filter(|word| *word == key);
        // Of a key that is written several times it is told once at least.
        let more = match &name[..] {
            "mset" | "msetnx" => named.count().saturating_sub(1),
            _ => 0,
        };
        for (nth, name) in names
            .iter()
            .chain(names.first().into_iter().cycle().take(more))
            .enumerate()
        {
            all.push(Event {
                name,
                db: *db,
                key: key.clone(),
                is_doubtful: nth >= names.len(),
            });
        }
    }
    all
}

/// How it is told that a command has touched a key.
fn names_of(
    name: &str,
    word: &dyn Fn(usize) -> String,
    (is_source, is_target): (bool, bool),
    is_gone: bool,
    words: usize,
) -> Vec<&'static str> {
    let has = |known: &[&str], from: usize| (from..words).any(|at| known.contains(&&word(at)[..]));
    let or_del = |names: &[&'static str]| if is_gone { vec!["del"] } else { names.to_vec() };
    let then_del = |name: &'static str| {
        if is_gone {
            vec![name, "del"]
        } else {
            vec![name]
        }
    };
    let times = ["ex", "px", "exat", "pxat"];
    let pushed = |end: &str| if end == "left" { "lpush" } else { "rpush" };
    let popped = |end: &str| if end == "left" { "lpop" } else { "rpop" };
    let moved = |from: &str, to: &str| {
        let target = if is_target { vec![pushed(to)] } else { vec![] };
        let source = if is_source {
            then_del(popped(from))
        } else {
            vec![]
        };
        [target, source].concat()
    };
    match name {
        "set" if has(&times, 3) => or_del(&["set", "expire"]),
        "setex" | "psetex" => or_del(&["set", "expire"]),
        "set" | "bitop" => or_del(&["set"]),
        "setnx" | "getset" | "mset" | "msetnx" => vec!["set"],
        "getex" if word(2) == "persist" => vec!["persist"],
        "getex" | "expire" | "pexpire" | "expireat" | "pexpireat" => or_del(&["expire"]),
        "persist" => vec!["persist"],
        "append" => vec!["append"],
        "setrange" => vec!["setrange"],
        "incr" | "decr" | "incrby" | "decrby" => vec!["incrby"],
        "incrbyfloat" => vec!["incrbyfloat"],
        "setbit" | "bitfield" => vec!["setbit"],
        "pfadd" | "pfmerge" => vec!["pfadd"],
        "del" | "unlink" | "getdel" => vec!["del"],
        "rename" | "renamenx" => vec![if is_source {
            "rename_from"
        } else {
            "rename_to"
        }],
        "move" => vec![if is_source { "move_from" } else { "move_to" }],
        "copy" => vec!["copy_to"],
        "restore" => or_del(&["restore"]),
        "lpush" | "lpushx" => vec!["lpush"],
        "rpush" | "rpushx" => vec!["rpush"],
        "lpop" | "blpop" => then_del("lpop"),
        "rpop" | "brpop" => then_del("rpop"),
        "lmpop" | "blmpop" => then_del(if has(&["left"], 3) { "lpop" } else { "rpop" }),
        "rpoplpush" | "brpoplpush" => moved("right", "left"),
        "lmove" | "blmove" => moved(&word(3), &word(4)),
        "lset" => vec!["lset"],
        "linsert" => vec!["linsert"],
        "lrem" => then_del("lrem"),
        "ltrim" => then_del("ltrim"),
        "srem" => then_del("srem"),
        "spop" => then_del("spop"),
        "smove" if is_source => then_del("srem"),
        "sadd" | "smove" => vec!["sadd"],
        "sinterstore" => or_del(&["sinterstore"]),
        "sunionstore" => or_del(&["sunionstore"]),
        "sdiffstore" => or_del(&["sdiffstore"]),
        "hset" | "hmset" | "hsetnx" => vec!["hset"],
        "hincrby" => vec!["hincrby"],
        "hincrbyfloat" => vec!["hincrbyfloat"],
        "hdel" => then_del("hdel"),
        "zadd" if has(&["incr"], 2) => vec!["zincr"],
        "zadd" | "geoadd" => vec!["zadd"],
        "zincrby" => vec!["zincr"],
        "zrem" => then_del("zrem"),
        "zremrangebyrank" => then_del("zremrangebyrank"),
        "zremrangebyscore" => then_del("zremrangebyscore"),
        "zremrangebylex" => then_del("zremrangebylex"),
        "zpopmin" | "bzpopmin" => then_del("zpopmin"),
        "zpopmax" | "bzpopmax" => then_del("zpopmax"),
        "zmpop" | "bzmpop" => then_del(if has(&["min"], 3) {
            "zpopmin"
        } else {
            "zpopmax"
        }),
        "zrangestore" => or_del(&["zrangestore"]),
        "zunionstore" => or_del(&["zunionstore"]),
        "zinterstore" => or_del(&["zinterstore"]),
        "zdiffstore" => or_del(&["zdiffstore"]),
        "geosearchstore" => or_del(&["geosearchstore"]),
        "georadius" | "georadiusbymember" => or_del(&["georadiusstore"]),
        "sort" => or_del(&["sortstore"]),
        _ => vec![],
    }
}
