//! Keyspace events: which of them an operator wants, and which a command gives rise to.
//!
//! A row says which events its keys have. They are told of the keys that the command has touched
//! and of no others, so that nobody hears of what did not happen.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::args::Args;
use crate::ids::DbId;
use crate::store::Touched;

/// A set of classes of events, as `notify-keyspace-events` names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u16);

impl Classes {
    /// Told on the channel of the key.
    pub const KEYSPACE: Self = Self(1);
    /// Told on the channel of the event.
    pub const KEYEVENT: Self = Self(1 << 1);
    const GENERIC: Self = Self(1 << 2);
    const STRING: Self = Self(1 << 3);
    const LIST: Self = Self(1 << 4);
    const SET: Self = Self(1 << 5);
    const HASH: Self = Self(1 << 6);
    const ZSET: Self = Self(1 << 7);
    const EXPIRED: Self = Self(1 << 8);
    const EVICTED: Self = Self(1 << 9);
    const STREAM: Self = Self(1 << 10);
    const MODULE: Self = Self(1 << 11);
    const NEW: Self = Self(1 << 12);
    const MISS: Self = Self(1 << 13);
    const MOST: Self = Self(0b1111_1111_1100);

    /// The letters in the order in which Redis shows them; those up to the tenth are also `A`.
    const LETTERS: [(u8, Self); 14] = [
        (b'g', Self::GENERIC),
        (b'$', Self::STRING),
        (b'l', Self::LIST),
        (b's', Self::SET),
        (b'h', Self::HASH),
        (b'z', Self::ZSET),
        (b'x', Self::EXPIRED),
        (b'e', Self::EVICTED),
        (b't', Self::STREAM),
        (b'd', Self::MODULE),
        (b'n', Self::NEW),
        (b'K', Self::KEYSPACE),
        (b'E', Self::KEYEVENT),
        (b'm', Self::MISS),
    ];

    /// The classes that letters name; `None` where one names none.
    #[must_use]
    pub fn parse(letters: &[u8]) -> Option<Self> {
        letters.iter().try_fold(Self::default(), |all, letter| {
            let known = Self::LETTERS.iter().find(|(known, _)| known == letter);
            let class = match known {
                Some((_, class)) => *class,
                None if *letter == b'A' => Self::MOST,
                None => return None,
            };
            Some(Self(all.0 | class.0))
        })
    }

    /// The letters that name the classes, as Redis shows them: with `A` no word is said of `n`.
    #[must_use]
    pub fn letters(self) -> Vec<u8> {
        let (is_most, mut shown) = (self.has(Self::MOST), Vec::new());
        if is_most {
            shown.push(b'A');
        }
        let single = Self::LETTERS.iter().filter(|(_, class)| self.has(*class));
        let in_most = |class: Self| Self(Self::MOST.0 | Self::NEW.0).has(class);
        shown.extend(
            single
                .filter(|(_, class)| !(is_most && in_most(*class)))
                .map(|(letter, _)| *letter),
        );
        shown
    }

    /// Returns true if all classes of another set are in this one.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns true if events are told at all: on some channel, and of some class.
    #[must_use]
    pub fn tells(self) -> bool {
        let channels = Self::KEYSPACE.0 | Self::KEYEVENT.0;
        self.0 & channels != 0 && self.0 & !channels != 0
    }

    /// Returns true if events are told of keys that are looked for in vain.
    #[must_use]
    pub fn tells_misses(self) -> bool {
        self.tells() && self.has(Self::MISS)
    }
}

/// An event, as its channel names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    class: Classes,
    /// The name.
    pub name: &'static str,
}

/// Events by the names that Redis gives them.
macro_rules! events {
    ($($constant:ident $class:ident $name:literal)+) => {
        impl KeyEvent {
            $(
                #[doc = concat!("The event `", $name, "`.")]
                pub const $constant: Self = Self { class: Classes::$class, name: $name };
            )+
        }
    };
}

events! {
    APPEND STRING "append"
    COPY_TO GENERIC "copy_to"
    DEL GENERIC "del"
    EVICTED EVICTED "evicted"
    EXPIRE GENERIC "expire"
    EXPIRED EXPIRED "expired"
    GEO_RADIUS_STORE ZSET "georadiusstore"
    GEO_SEARCH_STORE ZSET "geosearchstore"
    HASH_DEL HASH "hdel"
    HASH_INCR_BY HASH "hincrby"
    HASH_INCR_BY_FLOAT HASH "hincrbyfloat"
    HASH_SET HASH "hset"
    INCR_BY STRING "incrby"
    INCR_BY_FLOAT STRING "incrbyfloat"
    KEY_MISS MISS "keymiss"
    LIST_INSERT LIST "linsert"
    LIST_POP_LEFT LIST "lpop"
    LIST_POP_RIGHT LIST "rpop"
    LIST_PUSH_LEFT LIST "lpush"
    LIST_PUSH_RIGHT LIST "rpush"
    LIST_REM LIST "lrem"
    LIST_SET LIST "lset"
    LIST_TRIM LIST "ltrim"
    MOVE_FROM GENERIC "move_from"
    MOVE_TO GENERIC "move_to"
    NEW NEW "new"
    PERSIST GENERIC "persist"
    PF_ADD STRING "pfadd"
    RENAME_FROM GENERIC "rename_from"
    RENAME_TO GENERIC "rename_to"
    RESTORE GENERIC "restore"
    SET STRING "set"
    SET_ADD SET "sadd"
    SET_BIT STRING "setbit"
    SET_DIFF_STORE SET "sdiffstore"
    SET_INTER_STORE SET "sinterstore"
    SET_POP SET "spop"
    SET_RANGE STRING "setrange"
    SET_REM SET "srem"
    SET_UNION_STORE SET "sunionstore"
    SORT_STORE LIST "sortstore"
    ZSET_ADD ZSET "zadd"
    ZSET_DIFF_STORE ZSET "zdiffstore"
    ZSET_INCR ZSET "zincr"
    ZSET_INTER_STORE ZSET "zinterstore"
    ZSET_POP_MAX ZSET "zpopmax"
    ZSET_POP_MIN ZSET "zpopmin"
    ZSET_RANGE_STORE ZSET "zrangestore"
    ZSET_REM ZSET "zrem"
    ZSET_REM_BY_LEX ZSET "zremrangebylex"
    ZSET_REM_BY_RANK ZSET "zremrangebyrank"
    ZSET_REM_BY_SCORE ZSET "zremrangebyscore"
    ZSET_UNION_STORE ZSET "zunionstore"
}

/// The events of the keys that a command has touched.
#[derive(Clone, Copy, Debug)]
pub enum Tells {
    /// None.
    Nothing,
    /// This one of each key, and `del` behind it where nothing is left.
    Each(KeyEvent),
    /// This one of each key, whatever has become of it.
    Only(KeyEvent),
    /// These of each key, or `del` in their place where it is gone.
    Kept(&'static [KeyEvent]),
    /// `new` and this one of each key, or `del` in their place where it is gone.
    Made(KeyEvent),
    /// The first of them of the first key, and the second of the second, which may be the same.
    InTurn(KeyEvent, KeyEvent),
    /// As its arguments say.
    By(fn(Args<'_>) -> Tells),
}

/// A thing that has happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The event that tells of it.
    pub event: KeyEvent,
    /// The database of the key.
    pub db: DbId,
    /// The key.
    pub key: Box<[u8]>,
}

impl Happened {
    /// The bytes of memory that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.key.len()
    }
}

/// Puts events of wanted classes in order.
#[derive(Debug)]
struct Teller<'a> {
    wanted: Classes,
    told: &'a mut VecDeque<Happened>,
}

impl Teller<'_> {
    fn tell(&mut self, event: KeyEvent, db: DbId, key: &[u8]) {
        if self.wanted.has(event.class) {
            let key = key.into();
            self.told.push_back(Happened { event, db, key });
        }
    }
}

impl Tells {
    /// The events of a command with these arguments.
    #[must_use]
    pub fn of(self, args: Args<'_>) -> Self {
        let mut rule = self;
        while let Self::By(choose) = rule {
            rule = choose(args);
        }
        rule
    }

    /// Returns true if what is told of a key depends on others.
    #[must_use]
    pub fn is_of_all_keys(self) -> bool {
        matches!(self, Self::InTurn(..))
    }

    /// Adds the wanted events of a command that has touched these keys, in Redis's order.
    /// `is_there` says whether a key exists now.
    pub fn tell(
        self,
        wanted: Classes,
        touched: &[Touched],
        is_there: impl Fn(DbId, &[u8]) -> bool,
        told: &mut VecDeque<Happened>,
    ) {
        let rule = self;
        let mut teller = Teller { wanted, told };
        let keys = touched.iter().filter_map(|touched| {
            let key = touched.key.as_deref()?;
            Some((touched.db, key, touched.is_new))
        });
        // A key that takes the place of another is new before anything is told of it.
        let moves = matches!(rule, Self::InTurn(first, _) if first.class == Classes::GENERIC);
        if moves {
            for (db, key, _) in keys.clone().filter(|(.., is_new)| *is_new) {
                teller.tell(KeyEvent::NEW, db, key);
            }
        }
        let count = keys.clone().count();
        for (nth, (db, key, is_new)) in keys.enumerate() {
            if is_new && !moves && !matches!(rule, Self::Made(_)) {
                teller.tell(KeyEvent::NEW, db, key);
            }
            match rule {
                Self::Nothing | Self::By(_) => {}
                Self::Only(event) => teller.tell(event, db, key),
                Self::Each(event) => {
                    teller.tell(event, db, key);
                    if !is_there(db, key) {
                        teller.tell(KeyEvent::DEL, db, key);
                    }
                }
                Self::Kept(_) | Self::Made(_) if !is_there(db, key) => {
                    teller.tell(KeyEvent::DEL, db, key);
                }
                Self::Made(event) => {
                    teller.tell(KeyEvent::NEW, db, key);
                    teller.tell(event, db, key);
                }
                Self::Kept(events) => {
                    for event in events {
                        teller.tell(*event, db, key);
                    }
                }
                Self::InTurn(first, second) => {
                    teller.tell(if nth == 0 { first } else { second }, db, key);
                    // A list that is its own target is touched once.
                    if count == 1 && second.class == Classes::LIST {
                        teller.tell(second, db, key);
                    }
                    if !moves && !is_there(db, key) {
                        teller.tell(KeyEvent::DEL, db, key);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_as_redis_shows_them() {
        let shown = |letters: &[u8]| Classes::parse(letters).map(Classes::letters);
        for (given, wanted) in [
            ("AKEn", "AKE"),
            ("Kn", "nK"),
            ("g$lshzxetdKE", "AKE"),
            ("mK", "Km"),
            ("KEx", "xKE"),
            ("", ""),
        ] {
            assert_eq!(shown(given.as_bytes()), Some(wanted.into()), "{given}");
        }
        assert_eq!(shown(b"Kq"), None);
    }

    #[test]
    fn without_a_channel_or_a_class_nothing_is_told() {
        let tells = |letters: &[u8]| Classes::parse(letters).unwrap().tells();
        assert!(tells(b"Kx") && tells(b"AE") && tells(b"Em"));
        assert!(!tells(b"A") && !tells(b"KE") && !tells(b""));
    }
}
