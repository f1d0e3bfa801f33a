//! Words that describe a command for programs: its flags, and the ACL categories that it is in.

/// A set of words, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitSet(u32);

impl BitSet {
    /// No word at all.
    pub const NONE: Self = Self(0);

    const fn with_bit(self, bit: u32) -> Self {
        Self(self.0 | 1 << bit)
    }

    const fn has_bit(self, bit: u32) -> bool {
        self.0 >> bit & 1 == 1
    }
}

/// The flags of a command in COMMAND INFO, in the order in which Redis lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// It may change keys.
    Write,
    /// It looks at keys and changes none.
    ReadOnly,
    /// It may need more memory: refused where there is none left.
    DenyOom,
    /// It is about how the server works.
    Admin,
    /// It is about channels.
    PubSub,
    /// Scripts may not call it.
    NoScript,
    /// Its client may have to wait.
    Blocking,
    /// It is answered while the server loads.
    Loading,
    /// It is answered by a member that has lost its leader.
    Stale,
    /// MONITOR does not show it.
    SkipMonitor,
    /// SLOWLOG does not keep it.
    SkipSlowlog,
    /// It may be asked of a member that is being given a slot.
    Asking,
    /// Its work does not grow with the data.
    Fast,
    /// It may be asked before AUTH.
    NoAuth,
    /// It may be asked without a key.
    NoMandatoryKeys,
    /// It is not answered while the server loads in the background.
    NoAsyncLoading,
    /// It may not be queued by MULTI.
    NoMulti,
    /// The places of its keys depend on its arguments.
    MovableKeys,
    /// It is answered while a script runs for too long.
    AllowBusy,
    /// Other members may be told of it though it writes nothing: CLIENT PAUSE WRITE keeps it
    /// waiting. It is no word for programs, and has no name.
    Tells,
}

impl Flag {
    const NAMES: [(Self, &'static str); 19] = [
        (Self::Write, "write"),
        (Self::ReadOnly, "readonly"),
        (Self::DenyOom, "denyoom"),
        (Self::Admin, "admin"),
        (Self::PubSub, "pubsub"),
        (Self::NoScript, "noscript"),
        (Self::Blocking, "blocking"),
        (Self::Loading, "loading"),
        (Self::Stale, "stale"),
        (Self::SkipMonitor, "skip_monitor"),
        (Self::SkipSlowlog, "skip_slowlog"),
        (Self::Asking, "asking"),
        (Self::Fast, "fast"),
        (Self::NoAuth, "no_auth"),
        (Self::NoMandatoryKeys, "no_mandatory_keys"),
        (Self::NoAsyncLoading, "no_async_loading"),
        (Self::NoMulti, "no_multi"),
        (Self::MovableKeys, "movablekeys"),
        (Self::AllowBusy, "allow_busy"),
    ];
}

/// The flags of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(BitSet);

impl Flags {
    /// No flags.
    pub const NONE: Self = Self(BitSet::NONE);

    /// These flags and one more.
    #[must_use]
    pub const fn with(self, flag: Flag) -> Self {
        Self(self.0.with_bit(flag as u32))
    }

    /// These flags and `more`.
    #[must_use]
    pub const fn and(self, more: &[Flag]) -> Self {
        let (mut all, mut at) = (self, 0);
        while at < more.len() {
            all = all.with(more[at]);
            at += 1;
        }
        all
    }

    /// Returns true if this flag is among them.
    pub const fn has(self, flag: Flag) -> bool {
        self.0.has_bit(flag as u32)
    }

    /// Their names in Redis's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = Flag::NAMES.into_iter();
        all.filter(move |(flag, _)| self.has(*flag))
            .map(|(_, name)| name)
    }
}

/// The categories of ACL, in the order in which Redis lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Category {
    /// About keys whatever their type.
    Keyspace,
    /// It looks at keys.
    Read,
    /// It changes keys.
    Write,
    /// About sets.
    Set,
    /// About sorted sets.
    SortedSet,
    /// About lists.
    List,
    /// About hashes.
    Hash,
    /// About strings.
    String,
    /// About bits of strings.
    Bitmap,
    /// About HyperLogLogs.
    HyperLogLog,
    /// About places on Earth.
    Geo,
    /// About streams.
    Stream,
    /// About channels.
    PubSub,
    /// For administrators.
    Admin,
    /// Its work does not grow with the data.
    Fast,
    /// Its work may grow with the data.
    Slow,
    /// Its client may have to wait.
    Blocking,
    /// To be thought about before it is asked for.
    Dangerous,
    /// About the connection.
    Connection,
    /// About transactions.
    Transaction,
    /// About scripts and functions.
    Scripting,
}

impl Category {
    const NAMES: [(Self, &'static str); 21] = [
        (Self::Keyspace, "@keyspace"),
        (Self::Read, "@read"),
        (Self::Write, "@write"),
        (Self::Set, "@set"),
        (Self::SortedSet, "@sortedset"),
        (Self::List, "@list"),
        (Self::Hash, "@hash"),
        (Self::String, "@string"),
        (Self::Bitmap, "@bitmap"),
        (Self::HyperLogLog, "@hyperloglog"),
        (Self::Geo, "@geo"),
        (Self::Stream, "@stream"),
        (Self::PubSub, "@pubsub"),
        (Self::Admin, "@admin"),
        (Self::Fast, "@fast"),
        (Self::Slow, "@slow"),
        (Self::Blocking, "@blocking"),
        (Self::Dangerous, "@dangerous"),
        (Self::Connection, "@connection"),
        (Self::Transaction, "@transaction"),
        (Self::Scripting, "@scripting"),
    ];
}

/// The categories of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Categories(BitSet);

impl Categories {
    /// No categories.
    pub const NONE: Self = Self(BitSet::NONE);

    /// These categories and one more.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0.with_bit(category as u32))
    }

    /// These categories, and one more where it applies.
    #[must_use]
    pub(super) const fn with_if(self, applies: bool, category: Category) -> Self {
        if applies { self.with(category) } else { self }
    }

    /// Returns true if this category is among them.
    pub const fn has(self, category: Category) -> bool {
        self.0.has_bit(category as u32)
    }

    /// Their names with the `@`, in Redis's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = Category::NAMES.into_iter();
        all.filter(move |(category, _)| self.has(*category))
            .map(|(_, name)| name)
    }
}
