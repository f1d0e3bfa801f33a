//! The table of commands: one row each, found by name in any case.

use core::fmt;
use core::ops::Range;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};

/// What a command is: its name, what it takes, and who runs it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name in small letters.
    pub name: &'static str,
    /// How many arguments with the name; negative: at least that many.
    pub arity: i32,
    /// Who runs it, and the function where it is one.
    pub kind: Kind,
    /// Where its keys stand.
    pub keys: Keys,
    /// The flags that COMMAND INFO lists, beside those that follow from the kind: `flags()` gives
    /// all.
    pub flags: &'static [&'static str],
    /// The ACL categories that follow from nothing else, with their `@`: `categories()` gives all.
    pub categories: &'static [&'static str],
    /// The subcommands, where it is but a name over those: rows named like `object|encoding`,
    /// whose arity and places count both names.
    pub subcommands: &'static [Row],
    /// The group of COMMAND DOCS.
    pub group: &'static str,
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// One sentence for COMMAND DOCS.
    pub summary: &'static str,
    /// How the work grows, for COMMAND DOCS.
    pub complexity: &'static str,
}

/// Who runs a command.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Looks at keys, changes none.
    Read(fn(&mut Query<'_>, Args<'_>) -> Outcome),
    /// Goes through the log and is run when its entry is applied.
    Write(fn(&mut Change<'_>, Args<'_>) -> Outcome),
    /// About the connection: run by its session.
    Session(SessionVerb),
    /// About the server: run by the node.
    Server(ServerVerb),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(_) => f.write_str("Read"),
            Self::Write(_) => f.write_str("Write"),
            Self::Session(verb) => write!(f, "Session({verb:?})"),
            Self::Server(verb) => write!(f, "Server({verb:?})"),
        }
    }
}

/// What a session runs itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionVerb {
    /// AUTH.
    Auth,
    /// DISCARD.
    Discard,
    /// EXEC.
    Exec,
    /// HELLO.
    Hello,
    /// MULTI.
    Multi,
    /// QUIT.
    Quit,
    /// READONLY.
    ReadOnly,
    /// READWRITE.
    ReadWrite,
    /// RESET.
    Reset,
    /// SELECT.
    Select,
    /// UNWATCH.
    Unwatch,
    /// WATCH.
    Watch,
}

/// What the node runs itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerVerb {
    /// ACL.
    Acl,
    /// BGREWRITEAOF.
    BgRewriteAof,
    /// BGSAVE: a rewrite.
    BgSave,
    /// CLIENT.
    Client,
    /// CLUSTER.
    Cluster,
    /// COMMAND.
    Command,
    /// CONFIG.
    Config,
    /// DEBUG.
    Debug,
    /// INFO.
    Info,
    /// LASTSAVE.
    LastSave,
    /// LATENCY.
    Latency,
    /// LOLWUT.
    Lolwut,
    /// RAFT.
    Raft,
    /// ROLE.
    Role,
    /// SAVE.
    Save,
    /// SHUTDOWN.
    Shutdown,
    /// SLOWLOG.
    Slowlog,
    /// TIME.
    Time,
    /// WAIT.
    Wait,
}

/// Where the keys of a request stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The first key's place; 0: there are none.
    pub first: u32,
    /// The last key's place; negative: counted from the end.
    pub last: i32,
    /// From one key to the next.
    pub step: u32,
}

impl Keys {
    /// A command without keys.
    pub const NONE: Self = Self {
        first: 0,
        last: 0,
        step: 0,
    };
    /// One key, right behind the name.
    pub const FIRST: Self = Self {
        first: 1,
        last: 1,
        step: 1,
    };
    /// Two keys.
    pub const TWO: Self = Self {
        first: 1,
        last: 2,
        step: 1,
    };
    /// All arguments are keys.
    pub const ALL: Self = Self {
        first: 1,
        last: -1,
        step: 1,
    };
    /// Keys and values in turn.
    pub const PAIRS: Self = Self {
        first: 1,
        last: -1,
        step: 2,
    };
    /// One key behind a subcommand.
    pub const SECOND: Self = Self {
        first: 2,
        last: 2,
        step: 1,
    };

    /// The places of the keys in a request of `len` arguments.
    pub fn places(self, len: usize) -> impl Iterator<Item = usize> + use<> {
        let end = match self.last {
            _ if self.first == 0 => 0,
            last if last < 0 => (len + 1).saturating_sub(last.unsigned_abs() as usize),
            last => (last.unsigned_abs() as usize + 1).min(len),
        };
        let range: Range<usize> = self.first as usize..end;
        range.step_by(self.step.max(1) as usize)
    }
}

impl Row {
    /// Whether a request of `len` arguments, the name included, fits.
    pub fn takes(&self, len: usize) -> bool {
        let wanted = self.arity.unsigned_abs() as usize;
        if self.arity < 0 {
            len >= wanted
        } else {
            len == wanted
        }
    }

    /// Its place among `rows`.
    pub fn place(&'static self) -> usize {
        let offset = (&raw const *self).addr() - ROWS.as_ptr().addr();
        offset / size_of::<Self>()
    }

    /// Whether it goes through the log.
    pub fn is_write(&self) -> bool {
        matches!(self.kind, Kind::Write(_))
    }

    /// Whether it carries a flag of COMMAND INFO.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags().any(|own| own == flag)
    }

    /// Whether it is but a name over subcommands; each of those has flags of its own.
    pub fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }

    /// Whether this is its name, in any case; of a subcommand, its second name.
    pub fn is_called(&self, name: &[u8]) -> bool {
        let own = self.name.split_once('|').map_or(self.name, |(_, own)| own);
        own.as_bytes().eq_ignore_ascii_case(name)
    }

    /// The row of the subcommand with this name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Row> {
        self.subcommands.iter().find(|row| row.is_called(name))
    }

    /// What its kind makes it in Redis's words: `write`, `readonly` or neither.
    fn access(&self) -> Option<&'static str> {
        // What only looks at the server or at the connection reads no keys.
        let elsewhere = self.is_container()
            || self.group == "connection"
            || self.keys == Keys::NONE && self.name.contains('|');
        match self.kind {
            Kind::Write(_) => Some("write"),
            Kind::Read(_) if !elsewhere => Some("readonly"),
            Kind::Read(_) | Kind::Session(_) | Kind::Server(_) => None,
        }
    }

    /// The flags that COMMAND INFO lists.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.access().into_iter().chain(self.flags.iter().copied())
    }

    /// The ACL categories with their `@`, derived as Redis derives them.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> + use<> {
        let family = match self.group {
            _ if self.is_container() => None,
            "generic" => Some("@keyspace"),
            "string" => Some("@string"),
            "hash" => Some("@hash"),
            "connection" => Some("@connection"),
            "transactions" => Some("@transaction"),
            "scripting" => Some("@scripting"),
            _ => None,
        };
        let write = self.has_flag("write").then_some("@write");
        let read = self.has_flag("readonly").then_some("@read");
        let admin = self.has_flag("admin").then_some(["@admin", "@dangerous"]);
        let speed = if self.has_flag("fast") {
            "@fast"
        } else {
            "@slow"
        };
        write
            .into_iter()
            .chain(read)
            .chain(family)
            .chain(admin.into_iter().flatten())
            .chain(self.categories.iter().copied())
            .chain([speed])
    }

    /// The row of a command whose work grows like this.
    #[must_use]
    pub(super) const fn costs(self, complexity: &'static str) -> Self {
        Self { complexity, ..self }
    }

    /// The row of a command in these ACL categories beside those that follow from the rest.
    #[must_use]
    pub(super) const fn within(self, categories: &'static [&'static str]) -> Self {
        Self { categories, ..self }
    }

    /// The row of a command of another group.
    #[must_use]
    pub(super) const fn of(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    /// The row of a command with its keys elsewhere.
    #[must_use]
    pub(super) const fn at(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }
}

const FAMILIES: [&[Row]; 8] = [
    super::connection::ROWS,
    super::hashes::ROWS,
    super::keys::ROWS,
    super::expiry::ROWS,
    super::scan::ROWS,
    super::object::ROWS,
    super::strings::ROWS,
    super::server::ROWS,
];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

static ROWS: [Row; COUNT] = {
    let mut rows = [FAMILIES[0][0]; COUNT];
    let (mut at, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut row = 0;
        while row < FAMILIES[family].len() {
            rows[at] = FAMILIES[family][row];
            at += 1;
            row += 1;
        }
        family += 1;
    }
    rows
};

/// Slots of the name index: a power of two, more than twice the rows.
const SLOTS: usize = 1024;
const EMPTY: u16 = u16::MAX;

/// Open addressing over the names, made by the compiler: a look-up is one hash and, nearly always,
/// one comparison.
static INDEX: [u16; SLOTS] = {
    assert!(COUNT * 2 < SLOTS);
    let mut index = [EMPTY; SLOTS];
    let mut row = 0;
    while row < COUNT {
        let mut slot = hash(ROWS[row].name.as_bytes());
        while index[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        index[slot] = row as u16;
        row += 1;
    }
    index
};

/// FNV-1a over the letters without their case.
const fn hash(name: &[u8]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ (name[at] | 0x20) as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    ((hash ^ hash >> 32) % SLOTS as u64) as usize
}

/// The row of the command with this name, in any case.
pub fn find(name: &[u8]) -> Option<&'static Row> {
    if name.len() > 32 {
        return None;
    }
    let mut slot = hash(name);
    loop {
        let row = ROWS.get(usize::from(INDEX[slot]))?;
        if row.name.as_bytes().eq_ignore_ascii_case(name) {
            return Some(row);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// All rows, family by family.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// The row of a request, whose first argument is the command's name, and the places of its keys:
/// what COMMAND GETKEYS answers by, or its error.
pub fn getkeys(
    args: Args<'_>,
) -> Result<(&'static Row, impl Iterator<Item = usize> + use<>), Error> {
    let row = match find(args.name()) {
        Some(row) if row.is_container() && args.len() > 1 => row.subcommand(args.at(1)),
        found => found,
    };
    let row = row.ok_or(Error::INVALID_COMMAND)?;
    if row.keys.first == 0 {
        return Err(Error::NO_KEY_ARGUMENTS);
    }
    if !row.takes(args.len()) {
        return Err(Error::INVALID_ARGUMENT_COUNT);
    }
    Ok((row, row.keys.places(args.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_in_any_case_and_nothing_else_is() {
        for row in rows() {
            assert_eq!(find(row.name.as_bytes()).map(|r| r.name), Some(row.name));
            let capitals = row.name.to_ascii_uppercase();
            assert_eq!(find(capitals.as_bytes()).map(|r| r.name), Some(row.name));
        }
        for name in [&b""[..], b"nope", b"se", b"sett", &[b'x'; 100]] {
            assert!(find(name).is_none());
        }
    }

    #[test]
    fn key_places_follow_first_last_and_step() {
        let places = |keys: Keys, len| keys.places(len).collect::<Vec<_>>();
        assert_eq!(places(Keys::NONE, 5), []);
        assert_eq!(places(Keys::FIRST, 5), [1]);
        assert_eq!(places(Keys::ALL, 4), [1, 2, 3]);
        assert_eq!(places(Keys::PAIRS, 5), [1, 3]);
        assert_eq!(places(Keys::TWO, 3), [1, 2]);
        assert_eq!(places(Keys::FIRST, 1), []);
    }
}
