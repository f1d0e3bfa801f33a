//! A row of the command table: all that is known of a command.

use core::fmt;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::Tells;
use super::flag::{Categories, Category, Flag, Flags};
use super::grammar::Arg;
use super::group::Group;
use super::key::{Access, Keys, Places};
use super::reach::Reach;
use super::tip::Tip;
use super::verb::{ScriptVerb, ServerVerb, SessionVerb};
use super::wait::{Awaited, Wait};

/// A command, or a subcommand.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name in small letters; of a subcommand both, as in `config|get`.
    pub name: &'static str,
    /// How many arguments with the name, or both names; negative: at least that many.
    pub arity: i32,
    /// Its kind: which part of the server runs it, and the function if it is one.
    pub kind: Kind,
    /// Its group.
    pub group: Group,
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// How the work grows, for people.
    pub complexity: &'static str,
    /// Since when Redis advises against it, and what it advises instead.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// Tips for a client of a cluster: which nodes to ask, and how to make one reply of several.
    pub tips: &'static [Tip],
    /// Its flags, as COMMAND INFO shows them.
    pub flags: Flags,
    /// Its keys, in the order in which a request names them.
    pub keys: &'static [Keys],
    /// The keys that a write may change beyond those that it names.
    pub empties: Empties,
    /// The wait that a request asks for, if its client may have to wait for a key.
    pub waits: Option<fn(Args<'_>) -> Result<Wait, Error>>,
    /// How many elements a request certainly adds at its first key, if that is absent: clients that
    /// wait for them are served in the same entry.
    elements: Option<fn(Args<'_>) -> usize>,
    /// True if it is a write that counts its look at a key as a hit or a miss, as reads do.
    pub counts_lookups: bool,
    /// The way in which it uses the keys that it finds.
    pub key_use: KeyUse,
    /// How much of the state it may look at.
    pub reach: Reach,
    /// True if it is a read that looks at the scripts that are kept.
    looks_at_scripts: bool,
    /// The events of the keys that it touches, if it is a write.
    pub tells: Tells,
    /// The arguments after its name.
    pub args: &'static [Arg],
    /// Its subcommands.
    pub subcommands: &'static [Row],
    /// The categories that follow from nothing else: `categories()` gives all.
    more_categories: Categories,
}

/// The way in which a read uses the keys that it finds, for those who note it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// They are used, but for clients that want to leave no trace.
    Noted,
    /// They are used, whoever asks.
    Always,
    /// They are looked at, and not used.
    Not,
}

/// The part of the server that runs a command.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Changes nothing, and is run on the store at once.
    Read(fn(&mut Query<'_>, Args<'_>) -> Outcome),
    /// Goes through the log and is run when its entry is applied.
    Write(fn(&mut Change<'_>, Args<'_>) -> Outcome),
    /// Runs a script, which runs other commands. It goes through the log, unless it only reads.
    Script(ScriptVerb),
    /// About the connection: run by its session.
    Session(SessionVerb),
    /// About the server: run by the node.
    Server(ServerVerb),
    /// Nobody: it is but a name over its subcommands.
    Container,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(_) => f.write_str("Read"),
            Self::Write(_) => f.write_str("Write"),
            Self::Script(verb) => write!(f, "Script({verb:?})"),
            Self::Session(verb) => write!(f, "Session({verb:?})"),
            Self::Server(verb) => write!(f, "Server({verb:?})"),
            Self::Container => f.write_str("Container"),
        }
    }
}

/// The keys that a command removes without naming them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empties {
    /// Nothing.
    Nothing,
    /// All keys of the client's database.
    Database,
    /// All keys of all databases.
    Everything,
}

/// The making of a row: who runs it first, then what is known of it, in any order.
impl Row {
    const fn new(name: &'static str, arity: i32, kind: Kind) -> Self {
        Self {
            name,
            arity,
            kind,
            group: Group::Server,
            since: "",
            summary: "",
            complexity: "O(1)",
            deprecated: None,
            tips: &[],
            flags: Flags::NONE,
            keys: &[],
            empties: Empties::Nothing,
            waits: None,
            elements: None,
            counts_lookups: false,
            key_use: KeyUse::Noted,
            reach: Reach::Parts,
            looks_at_scripts: false,
            tells: Tells::Nothing,
            args: &[],
            subcommands: &[],
            more_categories: Categories::NONE,
        }
    }

    /// A command that looks at keys.
    pub(super) const fn read(
        name: &'static str,
        arity: i32,
        run: fn(&mut Query<'_>, Args<'_>) -> Outcome,
    ) -> Self {
        Self::answer(name, arity, run).flags(&[Flag::ReadOnly])
    }

    /// A command that changes nothing, and looks at no key.
    pub(super) const fn answer(
        name: &'static str,
        arity: i32,
        run: fn(&mut Query<'_>, Args<'_>) -> Outcome,
    ) -> Self {
        Self::new(name, arity, Kind::Read(run))
    }

    /// A command that goes through the log.
    pub(super) const fn write(
        name: &'static str,
        arity: i32,
        run: fn(&mut Change<'_>, Args<'_>) -> Outcome,
    ) -> Self {
        Self::logged(name, arity, run).flags(&[Flag::Write])
    }

    /// A command that goes through the log, and changes no key.
    pub(super) const fn logged(
        name: &'static str,
        arity: i32,
        run: fn(&mut Change<'_>, Args<'_>) -> Outcome,
    ) -> Self {
        Self::new(name, arity, Kind::Write(run))
    }

    /// A command that runs a script.
    pub(super) const fn script(name: &'static str, arity: i32, verb: ScriptVerb) -> Self {
        let row = Self::new(name, arity, Kind::Script(verb));
        if verb.only_reads {
            row.flags(&[Flag::ReadOnly])
        } else {
            row
        }
    }

    /// A command about the connection.
    pub(super) const fn session(name: &'static str, arity: i32, verb: SessionVerb) -> Self {
        Self::new(name, arity, Kind::Session(verb)).group(Group::Connection)
    }

    /// A command about the server.
    pub(super) const fn server(name: &'static str, arity: i32, verb: ServerVerb) -> Self {
        Self::new(name, arity, Kind::Server(verb))
    }

    /// A name over subcommands.
    pub(super) const fn container(name: &'static str, subcommands: &'static [Self]) -> Self {
        Self::new(name, -2, Kind::Container)
            .subcommands(subcommands)
            .costs("Depends on the subcommand.")
    }

    /// Sets the group.
    #[must_use]
    pub(super) const fn group(self, group: Group) -> Self {
        Self { group, ..self }
    }

    /// The version of Redis that brought it.
    #[must_use]
    pub(super) const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// One sentence for people.
    #[must_use]
    pub(super) const fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// How its work grows; O(1) where nothing is said.
    #[must_use]
    pub(super) const fn costs(self, complexity: &'static str) -> Self {
        Self { complexity, ..self }
    }

    /// Since when Redis advises against it, and what it advises instead.
    #[must_use]
    pub(super) const fn deprecated(self, since: &'static str, instead: &'static str) -> Self {
        Self {
            deprecated: Some((since, instead)),
            ..self
        }
    }

    /// Tips for a client of a cluster: which nodes to ask, and how to make one reply of several.
    #[must_use]
    pub(super) const fn tips(self, tips: &'static [Tip]) -> Self {
        Self { tips, ..self }
    }

    /// Flags beside those that it has.
    #[must_use]
    pub(super) const fn flags(self, more: &[Flag]) -> Self {
        Self {
            flags: self.flags.and(more),
            ..self
        }
    }

    /// An ACL category beside those that follow from the rest.
    #[must_use]
    pub(super) const fn within(self, category: Category) -> Self {
        Self {
            more_categories: self.more_categories.with(category),
            ..self
        }
    }

    /// Its keys, in their order in a request. Programs are told if that decides their places.
    #[must_use]
    pub(super) const fn keys(self, keys: &'static [Keys]) -> Self {
        let (mut flags, mut at) = (self.flags, 0);
        while at < keys.len() {
            if !matches!(keys[at].places, Places::Range { .. }) {
                flags = flags.with(Flag::MovableKeys);
            }
            at += 1;
        }
        Self {
            flags,
            keys,
            ..self
        }
    }

    /// Sets which keys it removes without naming them.
    #[must_use]
    pub(super) const fn empties(self, empties: Empties) -> Self {
        Self { empties, ..self }
    }

    /// Its client may have to wait, as a function reads from the request.
    #[must_use]
    pub(super) const fn waits(self, waits: fn(Args<'_>) -> Result<Wait, Error>) -> Self {
        Self {
            waits: Some(waits),
            ..self
        }
    }

    /// It adds elements at its first key, as many as a function counts.
    #[must_use]
    pub(super) const fn adds(self, elements: fn(Args<'_>) -> usize) -> Self {
        Self {
            elements: Some(elements),
            ..self
        }
    }

    /// A read that looks at a key without using it.
    #[must_use]
    pub(super) const fn leaves_heat(self) -> Self {
        Self {
            key_use: KeyUse::Not,
            ..self
        }
    }

    /// A read that is there to use keys.
    #[must_use]
    pub(super) const fn heats_always(self) -> Self {
        Self {
            key_use: KeyUse::Always,
            ..self
        }
    }

    /// It may look at so much of the state.
    #[must_use]
    pub(super) const fn reaches(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// A read that looks at the scripts that are kept.
    #[must_use]
    pub(super) const fn looks_at_scripts(self) -> Self {
        Self {
            looks_at_scripts: true,
            ..self
        }
    }

    /// The events of the keys that it touches.
    #[must_use]
    pub(super) const fn tells(self, tells: Tells) -> Self {
        Self { tells, ..self }
    }

    /// A write whose look at a key counts as a hit or a miss.
    #[must_use]
    pub(super) const fn counts_lookups(self) -> Self {
        Self {
            counts_lookups: true,
            ..self
        }
    }

    /// Sets its arguments.
    #[must_use]
    pub(super) const fn args(self, args: &'static [Arg]) -> Self {
        Self { args, ..self }
    }

    /// Its subcommands.
    #[must_use]
    pub(super) const fn subcommands(self, subcommands: &'static [Self]) -> Self {
        Self {
            subcommands,
            ..self
        }
    }
}

impl Row {
    /// Returns true if a request of `len` arguments, the name included, fits.
    pub fn takes(&self, len: usize) -> bool {
        let wanted = self.arity.unsigned_abs() as usize;
        if self.arity < 0 {
            len >= wanted
        } else {
            len == wanted
        }
    }

    /// Returns true if it goes through the log.
    pub fn is_write(&self) -> bool {
        match self.kind {
            Kind::Write(_) => true,
            Kind::Script(verb) => !verb.only_reads,
            Kind::Read(_) | Kind::Session(_) | Kind::Server(_) | Kind::Container => false,
        }
    }

    /// Returns true if it looks at keys, or at scripts, and changes none.
    pub fn is_read(&self) -> bool {
        match self.kind {
            Kind::Read(_) => self.has(Flag::ReadOnly) || self.looks_at_scripts,
            Kind::Script(verb) => verb.only_reads,
            Kind::Write(_) | Kind::Session(_) | Kind::Server(_) | Kind::Container => false,
        }
    }

    /// Returns true if it carries a flag.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.has(flag)
    }

    /// Returns true if it has subcommands.
    pub fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }

    /// Its last name: of a subcommand, the second.
    pub fn own_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, own)| own)
    }

    /// The row of the subcommand with this name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Row> {
        let mut all = self.subcommands.iter();
        all.find(|row| row.own_name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Hands on the place of each key of a request, and what becomes of the key.
    pub fn each_key(&self, args: Args<'_>, mut take: impl FnMut(usize, Access)) {
        for keys in self.keys {
            let access = keys.access_in(args);
            keys.each(args, |place| take(place, access));
        }
    }

    /// Hands on each key that a request may change, and whether it may be so in any database.
    pub fn each_written<'a>(&self, args: Args<'a>, mut take: impl FnMut(&'a [u8], bool)) {
        for keys in self
            .keys
            .iter()
            .filter(|keys| keys.access_in(args).writes())
        {
            let elsewhere = keys.elsewhere.is_some_and(|says| says(args));
            keys.each(args, |place| take(args.at(place), elsewhere));
        }
    }

    /// Hands on each key that a request takes elements from.
    pub fn each_taken<'a>(&self, args: Args<'a>, mut take: impl FnMut(&'a [u8])) {
        self.each_key(args, |place, access| {
            if access.takes() {
                take(args.at(place));
            }
        });
    }

    /// Hands on each key that may hold another value behind a request than before, not only less of
    /// the same, and whether the request may mean a key of that name in any database.
    pub fn each_made<'a>(&self, args: Args<'a>, mut take: impl FnMut(&'a [u8], bool)) {
        for keys in self.keys.iter().filter(|keys| keys.access_in(args).makes()) {
            let elsewhere = keys.elsewhere.is_some_and(|says| says(args));
            keys.each(args, |place| take(args.at(place), elsewhere));
        }
    }

    /// How many elements a request certainly adds at its first key, if that is absent, and to what.
    pub fn brings(&self, args: Args<'_>) -> Option<(Awaited, usize)> {
        let (awaited, elements) = (self.group.awaited()?, self.elements?(args));
        (elements > 0).then_some((awaited, elements))
    }

    /// Returns true if it may add something at a key, besides what it takes.
    pub fn may_make(&self) -> bool {
        self.keys.iter().any(|keys| keys.access.makes())
    }

    /// The first key of a request.
    pub fn first_key<'a>(&self, args: Args<'a>) -> Option<&'a [u8]> {
        let mut first = None;
        self.each_key(args, |place, _| first = first.or(Some(place)));
        first.and_then(|place| args.get(place))
    }

    /// The first key's place, the last key's and the step between keys, as far as these three can
    /// say where its keys stand; all 0 where they cannot.
    pub fn key_range(&self) -> (u32, i32, u32) {
        let ranges = self.keys.iter().filter_map(|keys| match keys.places {
            Places::Range { first, last, step } => Some((first, last, step)),
            Places::Count { .. } | Places::After { .. } | Places::With(_) => None,
        });
        ranges
            .reduce(|all, next| (all.0.min(next.0), last_of(all.1, next.1), all.2))
            .unwrap_or_default()
    }

    /// The ACL categories, derived as Redis derives them.
    pub fn categories(&self) -> Categories {
        let (all, is_admin) = (self.more_categories, self.has(Flag::Admin));
        // One that is about several types is of none of these.
        let has_own = all.has(Category::Connection) || all.has(Category::List);
        let all = match self.group.category() {
            Some(category) if !self.is_container() && !has_own => all.with(category),
            _ => all,
        };
        let speed = if self.has(Flag::Fast) {
            Category::Fast
        } else {
            Category::Slow
        };
        let runs_script = matches!(self.kind, Kind::Script(_));
        all.with_if(self.has(Flag::Write), Category::Write)
            .with_if(self.has(Flag::ReadOnly) && !runs_script, Category::Read)
            .with_if(is_admin, Category::Admin)
            .with_if(is_admin, Category::Dangerous)
            .with_if(self.has(Flag::PubSub), Category::PubSub)
            .with_if(self.has(Flag::Blocking), Category::Blocking)
            .with(speed)
    }
}

/// The later of two last keys, of which a negative one counts from the end.
fn last_of(one: i32, other: i32) -> i32 {
    if one < 0 || other < 0 {
        one.min(other)
    } else {
        one.max(other)
    }
}
