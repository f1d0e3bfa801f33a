//! The types of values, and the one place that knows them all.
//!
//! A value is small or large. A small one is a run of bytes of some kind, in a block of its table
//! or in a box; what a change makes of it is written anew. A large one changes in place, and is
//! written to a base, loaded and freed in parts (`parts`). A type has a folder here: how it is read
//! (`Value`), what its large form can do, and how the store changes it.

pub(super) mod hash;
pub(super) mod list;
pub(super) mod narrow;
pub(super) mod packed;
pub(super) mod parts;
pub(super) mod run;
pub(super) mod set;
pub(super) mod string;
pub(super) mod table;
pub(super) mod zset;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::dict::Tables;
use super::encoding::Encoding;
use super::kind::Kind;
use hash::{Hash, Table};
use list::List;
use list::blocks::Blocks;
use parts::{Parts, Show};
use set::Set;
use string::Text;
use string::rope::Rope;
use zset::Zset;
use zset::table::Sorted;

/// The value that a lookup shows.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A string, or an integer kept as such.
    String(Text<'a>),
    /// A hash.
    Hash(Hash<'a>),
    /// A list.
    List(List<'a>),
    /// A set.
    Set(Set<'a>),
    /// A sorted set.
    Zset(Zset<'a>),
}

impl<'a> Value<'a> {
    /// Returns the small value of that kind that these bytes are. They must be sound.
    pub(super) fn small(kind: Kind, bytes: &'a [u8]) -> Self {
        match kind {
            Kind::Integer => Self::String(Text::stored_integer(bytes)),
            Kind::Bytes => Self::String(Text::Bytes(bytes)),
            Kind::Raw => Self::String(Text::Raw(bytes)),
            Kind::PackedHash | Kind::ConvertedHash => Self::Hash(Hash::packed(bytes)),
            Kind::PackedList | Kind::ConvertedList => Self::List(List::packed(bytes)),
            Kind::PackedSet | Kind::ConvertedSet => Self::Set(Set::packed(bytes)),
            Kind::Integers | Kind::ConvertedIntegers | Kind::ListpackIntegers => {
                Self::Set(Set::integers(bytes))
            }
            Kind::PackedZset | Kind::ConvertedZset => Self::Zset(Zset::packed(bytes)),
        }
    }

    /// The string that it is; `None` where it is of another type.
    #[must_use]
    pub fn as_text(self) -> Option<Text<'a>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The hash that it is; `None` where it is of another type.
    #[must_use]
    pub fn as_hash(self) -> Option<Hash<'a>> {
        match self {
            Self::Hash(hash) => Some(hash),
            _ => None,
        }
    }

    /// The list that it is; `None` where it is of another type.
    #[must_use]
    pub fn as_list(self) -> Option<List<'a>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The set that it is; `None` where it is of another type.
    #[must_use]
    pub fn as_set(self) -> Option<Set<'a>> {
        match self {
            Self::Set(set) => Some(set),
            _ => None,
        }
    }

    /// The sorted set that it is; `None` where it is of another type.
    #[must_use]
    pub fn as_zset(self) -> Option<Zset<'a>> {
        match self {
            Self::Zset(zset) => Some(zset),
            _ => None,
        }
    }

    /// The type as TYPE names it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => Rope::TYPE,
            Self::Hash(_) => Table::TYPE,
            Self::List(_) => Blocks::TYPE,
            Self::Set(_) => set::Table::TYPE,
            Self::Zset(_) => Sorted::TYPE,
        }
    }

    /// The encoding as OBJECT ENCODING names it: of a collection, that which goes with it.
    pub(super) fn encoding(&self, encoding: Encoding) -> &'static str {
        match (self, encoding) {
            (Self::String(text), _) => text.encoding(),
            (_, Encoding::Listpack) => "listpack",
            (_, Encoding::Integers) => "intset",
            (Self::Hash(_) | Self::Set(_), Encoding::Table) => "hashtable",
            (Self::List(_), Encoding::Table) => "quicklist",
            (Self::Zset(_), Encoding::Table) => "skiplist",
        }
    }

    /// Returns the mark that tells it from a value of the same items, for a digest: the type's
    /// name, or that of a form in which it counts as another value.
    pub(super) fn mark(&self) -> &'static str {
        match self {
            Self::String(text) => text.mark(),
            Self::Hash(_) | Self::List(_) | Self::Set(_) | Self::Zset(_) => self.type_name(),
        }
    }

    /// Shows all items, as the parts of a base hold them.
    pub(super) fn show_items(&self, show: Show<'_>) {
        match self {
            Self::String(text) => text.show_items(show),
            Self::Hash(hash) => hash.show_items(show),
            Self::List(list) => list.show_items(show),
            Self::Set(set) => set.show_items(show),
            Self::Zset(zset) => zset.show_items(show),
        }
    }
}

/// Returns true if these bytes can be a small value of that kind.
pub(super) fn is_sound(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Integer => bytes.len() == size_of::<i64>(),
        Kind::Bytes => bytes.len() <= string::rope::CHUNK_BYTES,
        Kind::Raw => string::kind_of_written(bytes.len()) == Kind::Raw,
        Kind::PackedHash | Kind::ConvertedHash => packed::valid(bytes),
        Kind::PackedList | Kind::ConvertedList => list::packed::is_sound(bytes),
        Kind::PackedSet | Kind::ConvertedSet => set::packed::is_sound(bytes),
        Kind::Integers | Kind::ConvertedIntegers | Kind::ListpackIntegers => {
            set::integers::is_sound(bytes)
        }
        Kind::PackedZset | Kind::ConvertedZset => zset::packed::is_sound(bytes),
    }
}

macro_rules! large {
    ($($(#[$doc:meta])* $name:ident($parts:ty) = $byte:literal,)*) => {
        /// A value that changes in place, see `Parts`. The byte behind each stands for it in bases.
        #[derive(Clone, Debug)]
        pub(super) enum Large {
            $($(#[$doc])* $name(Box<$parts>),)*
        }

        impl Large {
            /// The bytes of all forms.
            #[cfg(test)]
            pub(super) const BYTES: &[u8] = &[$($byte),*];

            /// The byte that stands for its form.
            pub(super) fn byte(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $byte,)*
                }
            }

            /// One without parts, of the form that a byte stands for.
            pub(super) fn empty(byte: u8, tables: Tables) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name(Box::new(Parts::empty(tables)))),)*
                    _ => None,
                }
            }

            /// See `Parts::hollow`.
            pub(super) fn hollow(&self) -> Option<Self> {
                match self {
                    $(Self::$name(it) => Some(Self::$name(Box::new(it.hollow()?))),)*
                }
            }

            /// See `Parts::copy_on`; of another form it is none.
            pub(super) fn copy_on(&self, copy: &mut Self, epoch: u8) -> Option<usize> {
                match (self, copy) {
                    $((Self::$name(it), Self::$name(copy)) => it.copy_on(copy, epoch),)*
                    _ => None,
                }
            }

            /// Of a form that a byte stands for, what `Value::mark` says of its values.
            pub(super) fn mark(byte: u8) -> &'static str {
                match byte {
                    $($byte => <$parts>::TYPE,)*
                    _ => "",
                }
            }

            /// Shows the items of a part of that form.
            pub(super) fn show_part(byte: u8, part: &[u8], show: Show<'_>) {
                match byte {
                    $($byte => <$parts>::show_part(part, show),)*
                    _ => {}
                }
            }
        }

        impl Value<'_> {
            /// All types as TYPE names them: each has a large form.
            pub const TYPES: &'static [&'static str] = &[$(<$parts>::TYPE),*];
        }

        $(const _: () = assert!($byte >= 0x80, "the lower bytes are those of small values");)*

        /// Does the same with whatever is large.
        macro_rules! with {
            ($large:expr, $it:ident => $done:expr) => {
                match $large {
                    $(Large::$name($it) => $done,)*
                }
            };
        }
    };
}

large! {
    /// A string of more than one chunk.
    Rope(Rope) = 0x80,
    /// A hash with a table.
    HashTable(Table) = 0x81,
    /// A list in blocks.
    List(Blocks) = 0x82,
    /// A set with a table.
    SetTable(set::Table) = 0x83,
    /// A sorted set with a table and a tree.
    Sorted(Sorted) = 0x84,
}

impl Large {
    /// As it is shown.
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Rope(rope) => Value::String(Text::Rope(rope)),
            Self::HashTable(table) => Value::Hash(Hash::table(table)),
            Self::List(blocks) => Value::List(List::blocks(blocks)),
            Self::SetTable(table) => Value::Set(Set::table(table)),
            Self::Sorted(sorted) => Value::Zset(Zset::sorted(sorted)),
        }
    }

    /// The bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        with!(self, it => size_of_val(&**it) + it.memory())
    }

    /// As `memory`, counted anew.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        with!(self, it => size_of_val(&**it) + it.recount())
    }

    /// Asserts what must be so of it as long as it is whole.
    #[cfg(test)]
    pub(super) fn check(&self) {
        with!(self, it => it.check());
    }

    /// Lets the clones that are made from now on share what can be shared.
    pub(super) fn share(&mut self) {
        with!(self, it => it.share());
    }

    /// The bytes of memory that are its own where all that can be shared is.
    pub(super) fn unshared_memory(&self) -> usize {
        with!(self, it => size_of_val(&**it) + it.unshared_memory())
    }

    /// Lets all parts bear `epoch`.
    pub(super) fn restamp(&mut self, epoch: u8) {
        with!(self, it => it.restamp(epoch));
    }

    /// See `Parts::write_part`.
    pub(super) fn write_part(
        &mut self,
        from: u64,
        epoch: u8,
        room: usize,
        part: &mut Vec<u8>,
    ) -> Option<u64> {
        with!(self, it => it.write_part(from, epoch, room, part))
    }

    /// Adds what a part says; `None` where it cannot be one.
    pub(super) fn load_part(&mut self, part: &[u8], epoch: u8) -> Option<()> {
        with!(self, it => it.load_part(part, epoch))
    }

    /// Frees as much as `budget` allows, and takes that off it; whether anything is left.
    pub(super) fn dismantle(&mut self, budget: &mut usize) -> bool {
        with!(self, it => it.dismantle(budget))
    }
}
