//! The commands that the model knows, with their arity and their kind.
//!
//! Of what else the server's table has it takes the arity and the kind, and nothing is known of the
//! answers: such a command is judged by what holds of every command.

use std::sync::OnceLock;

use seedis::command::row::Kind;
use seedis::command::table;

use super::{
    Answer, Call, bits, connection, expiry, geo, hashes, hll, keys, lists, object, scan, scripts,
    sets, sort, strings, waits, zset_ranges, zsets,
};

/// The part of the server that executes a command, as far as a judge must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Looks at keys.
    Read,
    /// Goes through the log.
    Write,
    /// Changes the connection alone; the judge's dialogue knows what it does.
    Session,
    /// Asks about the server.
    Server,
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// How many arguments with the name; negative: at least so many.
    pub(crate) arity: i32,
    pub(crate) class: Class,
    pub(crate) run: fn(&mut Call<'_>) -> Answer,
    /// True if the model knows its effect.
    pub(crate) is_known: bool,
}

const fn read(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Answer) -> Row {
    Row {
        name,
        arity,
        class: Class::Read,
        run,
        is_known: true,
    }
}

const fn write(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Answer) -> Row {
    Row {
        class: Class::Write,
        ..read(name, arity, run)
    }
}

const fn session(name: &'static str, arity: i32) -> Row {
    Row {
        class: Class::Session,
        ..read(name, arity, connection::session)
    }
}

const fn server(name: &'static str, arity: i32) -> Row {
    Row {
        class: Class::Server,
        ..read(name, arity, connection::server)
    }
}

const ROWS: &[Row] = &[
    read("ping", -1, connection::ping),
    read("echo", 2, connection::echo),
    session("auth", -2),
    session("discard", 1),
    session("exec", 1),
    session("hello", -1),
    session("monitor", 1),
    session("multi", 1),
    session("quit", -1),
    session("readonly", 1),
    session("readwrite", 1),
    session("reset", 1),
    session("select", 2),
    session("unwatch", 1),
    session("watch", -2),
    server("bgrewriteaof", 1),
    server("bgsave", -1),
    server("info", -1),
    server("lastsave", 1),
    Row {
        class: Class::Server,
        ..read("raft", -2, connection::group)
    },
    server("role", 1),
    server("time", 1),
    read("get", 2, strings::get),
    read("strlen", 2, strings::strlen),
    read("getrange", 4, strings::getrange),
    read("substr", 4, strings::getrange),
    read("mget", -2, strings::mget),
    write("set", -3, strings::set),
    write("setnx", 3, strings::setnx),
    write("setex", 4, strings::setex),
    write("psetex", 4, strings::setex),
    write("getset", 3, strings::getset),
    write("getdel", 2, strings::getdel),
    write("getex", -2, strings::getex),
    write("mset", -3, strings::mset),
    write("msetnx", -3, strings::msetnx),
    write("append", 3, strings::append),
    write("setrange", 4, strings::setrange),
    write("incr", 2, strings::incr),
    write("decr", 2, strings::incr),
    write("incrby", 3, strings::incr),
    write("decrby", 3, strings::incr),
    write("incrbyfloat", 3, strings::incrbyfloat),
    write("setbit", 4, bits::setbit),
    read("getbit", 3, bits::getbit),
    read("bitcount", -2, bits::bitcount),
    read("bitpos", -3, bits::bitpos),
    write("bitop", -4, bits::bitop),
    write("bitfield", -2, bits::bitfield),
    read("bitfield_ro", -2, bits::bitfield),
    write("geoadd", -5, geo::geoadd),
    read("geopos", -2, geo::geopos),
    read("geodist", -4, geo::geodist),
    read("geohash", -2, geo::geohash),
    read("geosearch", -7, geo::search),
    write("geosearchstore", -8, geo::search),
    write("georadius", -6, geo::search),
    read("georadius_ro", -6, geo::search),
    write("georadiusbymember", -5, geo::search),
    read("georadiusbymember_ro", -5, geo::search),
    write("pfadd", -2, hll::pfadd),
    read("pfcount", -2, hll::pfcount),
    write("pfmerge", -2, hll::pfmerge),
    write("pfdebug", 3, hll::pfdebug),
    read("pfselftest", 1, hll::pfselftest),
    write("del", -2, keys::del),
    write("unlink", -2, keys::del),
    read("exists", -2, keys::exists),
    read("touch", -2, keys::exists),
    read("type", 2, keys::type_of),
    write("rename", 3, keys::rename),
    write("renamenx", 3, keys::renamenx),
    write("copy", -3, keys::copy),
    write("move", 3, keys::move_to),
    read("dump", 2, keys::dump),
    write("restore", -4, keys::restore),
    read("randomkey", 1, keys::randomkey),
    read("dbsize", 1, keys::dbsize),
    write("flushdb", -1, keys::flush),
    write("flushall", -1, keys::flush),
    write("expire", -3, expiry::expire),
    write("pexpire", -3, expiry::expire),
    write("expireat", -3, expiry::expire),
    write("pexpireat", -3, expiry::expire),
    write("persist", 2, expiry::persist),
    read("ttl", 2, expiry::ttl),
    read("pttl", 2, expiry::ttl),
    read("expiretime", 2, expiry::expiretime),
    read("pexpiretime", 2, expiry::expiretime),
    write("hset", -4, hashes::hset),
    write("hmset", -4, hashes::hset),
    write("hsetnx", 4, hashes::hsetnx),
    write("hdel", -3, hashes::hdel),
    write("hincrby", 4, hashes::hincrby),
    write("hincrbyfloat", 4, hashes::hincrbyfloat),
    read("hget", 3, hashes::hget),
    read("hmget", -3, hashes::hmget),
    read("hexists", 3, hashes::hexists),
    read("hlen", 2, hashes::hlen),
    read("hstrlen", 3, hashes::hstrlen),
    read("hgetall", 2, hashes::hgetall),
    read("hkeys", 2, hashes::hkeys),
    read("hvals", 2, hashes::hvals),
    read("hrandfield", -2, hashes::hrandfield),
    write("lpush", -3, lists::push),
    write("rpush", -3, lists::push),
    write("lpushx", -3, lists::push),
    write("rpushx", -3, lists::push),
    write("lpop", -2, lists::pop),
    write("rpop", -2, lists::pop),
    write("lmpop", -4, lists::lmpop),
    write("lmove", 5, lists::lmove),
    write("rpoplpush", 3, lists::lmove),
    write("blpop", -3, waits::pop),
    write("brpop", -3, waits::pop),
    write("blmove", 6, waits::shift),
    write("brpoplpush", 4, waits::shift),
    write("blmpop", -5, waits::pop_many),
    write("lset", 4, lists::lset),
    write("linsert", 5, lists::linsert),
    write("lrem", 4, lists::lrem),
    write("ltrim", 4, lists::ltrim),
    read("llen", 2, lists::llen),
    read("lindex", 3, lists::lindex),
    read("lrange", 4, lists::lrange),
    read("lpos", -3, lists::lpos),
    write("sadd", -3, sets::sadd),
    write("srem", -3, sets::srem),
    read("sismember", 3, sets::sismember),
    write("smove", 4, sets::smove),
    write("spop", -2, sets::spop),
    read("scard", 2, sets::scard),
    read("smismember", -3, sets::smismember),
    read("smembers", 2, sets::smembers),
    read("srandmember", -2, sets::srandmember),
    read("sinter", -2, sets::combine),
    read("sunion", -2, sets::combine),
    read("sdiff", -2, sets::combine),
    read("sintercard", -3, sets::sintercard),
    write("sinterstore", -3, sets::combine_and_store),
    write("sunionstore", -3, sets::combine_and_store),
    write("sdiffstore", -3, sets::combine_and_store),
    write("zadd", -4, zsets::zadd),
    write("zincrby", 4, zsets::zincrby),
    write("zrem", -3, zsets::zrem),
    write("zremrangebyrank", 4, zset_ranges::zremrange),
    write("zremrangebyscore", 4, zset_ranges::zremrange),
    write("zremrangebylex", 4, zset_ranges::zremrange),
    write("zpopmin", -2, zsets::zpop),
    write("zpopmax", -2, zsets::zpop),
    write("zmpop", -4, zsets::zmpop),
    write("bzpopmin", -3, waits::pop),
    write("bzpopmax", -3, waits::pop),
    write("bzmpop", -5, waits::pop_many),
    write("zrangestore", -5, zset_ranges::zrangestore),
    write("zunionstore", -4, zsets::store),
    write("zinterstore", -4, zsets::store),
    write("zdiffstore", -4, zsets::store),
    read("zcard", 2, zsets::zcard),
    read("zscore", 3, zsets::zscore),
    read("zmscore", -3, zsets::zmscore),
    read("zrank", -3, zsets::zrank),
    read("zrevrank", -3, zsets::zrank),
    read("zcount", 4, zset_ranges::zcount),
    read("zlexcount", 4, zset_ranges::zcount),
    read("zrange", -4, zset_ranges::zrange),
    read("zrevrange", -4, zset_ranges::zrange),
    read("zrangebyscore", -4, zset_ranges::zrange),
    read("zrevrangebyscore", -4, zset_ranges::zrange),
    read("zrangebylex", -4, zset_ranges::zrange),
    read("zrevrangebylex", -4, zset_ranges::zrange),
    read("zrandmember", -2, zsets::zrandmember),
    read("zunion", -3, zsets::combine),
    read("zinter", -3, zsets::combine),
    read("zdiff", -3, zsets::combine),
    read("zintercard", -3, zsets::combine),
    read("zscan", -3, zsets::zscan),
    write("sort", -2, sort::sort),
    read("sort_ro", -2, sort::sort),
    read("keys", 2, scan::keys),
    read("scan", -2, scan::scan),
    read("hscan", -3, scan::hscan),
    read("sscan", -3, scan::sscan),
    read("object", -2, object::object),
];

/// Not among those that are drawn by lot: it is asked for by itself.
const CONFIG: Row = Row {
    class: Class::Server,
    ..read("config", -2, connection::configuration)
};

/// And so is this one, by those who will send nothing more.
const WAIT: Row = Row {
    class: Class::Server,
    ..read("wait", 3, connection::wait)
};

/// As CONFIG.
const CLIENT: Row = Row {
    class: Class::Server,
    ..read("client", -2, connection::server)
};
const SAVE: Row = Row {
    class: Class::Server,
    ..read("save", 1, connection::server)
};
const DEBUG: Row = Row {
    class: Class::Server,
    ..read("debug", -2, connection::anything)
};
/// Listeners ask for these.
const ABOUT_CHANNELS: [Row; 9] = [
    listens("subscribe", -2),
    listens("unsubscribe", -1),
    listens("psubscribe", -2),
    listens("punsubscribe", -1),
    listens("ssubscribe", -2),
    listens("sunsubscribe", -1),
    tells("publish", 3),
    tells("spublish", 3),
    tells("pubsub", -2),
];

const fn listens(name: &'static str, arity: i32) -> Row {
    Row {
        run: connection::anything,
        ..session(name, arity)
    }
}

const fn tells(name: &'static str, arity: i32) -> Row {
    Row {
        run: connection::anything,
        ..server(name, arity)
    }
}

/// The commands about scripts and libraries, of which the model knows a few.
const ABOUT_SCRIPTS: [Row; 8] = [
    write("eval", -3, scripts::eval),
    write("evalsha", -3, scripts::eval),
    read("eval_ro", -3, scripts::eval),
    read("evalsha_ro", -3, scripts::eval),
    write("script", -2, scripts::script),
    write("fcall", -3, scripts::fcall),
    read("fcall_ro", -3, scripts::fcall),
    write("function", -2, scripts::function),
];

const BESIDES: [&Row; 5] = [&CONFIG, &WAIT, &CLIENT, &SAVE, &DEBUG];

/// The rows that are known and not drawn by lot.
fn besides() -> impl Iterator<Item = &'static Row> {
    BESIDES
        .into_iter()
        .chain(&ABOUT_CHANNELS)
        .chain(&ABOUT_SCRIPTS)
}

/// The row of a command, by its name in any case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Row> {
    let has_name = |row: &&Row| row.name.as_bytes().eq_ignore_ascii_case(name);
    let mut known = ROWS.iter().chain(besides());
    known
        .find(has_name)
        .or_else(|| strangers().iter().find(has_name))
}

/// The rows of the server's table that the model does not have.
pub(crate) fn strangers() -> &'static [Row] {
    static ALL: OnceLock<Vec<Row>> = OnceLock::new();
    ALL.get_or_init(|| {
        let known = ROWS.iter().chain(besides());
        let known: Vec<&str> = known.map(|row| row.name).collect();
        let rows = table::rows()
            .iter()
            .filter(|row| !known.contains(&row.name));
        rows.map(|row| Row {
            class: match row.kind {
                Kind::Read(_) => Class::Read,
                Kind::Script(verb) if verb.only_reads => Class::Read,
                Kind::Write(_) | Kind::Script(_) => Class::Write,
                Kind::Session(_) => Class::Session,
                Kind::Server(_) | Kind::Container => Class::Server,
            },
            is_known: false,
            ..read(row.name, row.arity, connection::anything)
        })
        .collect()
    })
}

/// All rows.
pub(crate) fn rows() -> &'static [Row] {
    ROWS
}

impl Row {
    /// Returns true if it is about the server, and nothing else is known of it.
    pub(crate) fn is_strange_server(&self) -> bool {
        !self.is_known && self.class == Class::Server
    }

    /// Returns true if it reads nothing, so that any member answers it alike.
    pub(crate) fn looks_at_nothing(&self) -> bool {
        matches!(self.name, "ping" | "echo" | "pfselftest")
    }

    /// Returns true if so many arguments, the name included, fit.
    pub(crate) fn takes(&self, len: usize) -> bool {
        let wanted = self.arity.unsigned_abs() as usize;
        if self.arity < 0 {
            len >= wanted
        } else {
            len == wanted
        }
    }
}
