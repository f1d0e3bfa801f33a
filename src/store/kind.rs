//! The kinds of small values: the byte that says in blocks and in bases how their bytes are read.
//!
//! A byte is written to disk, so it stays with its kind. Those of small values are below 62, since
//! a block has six bits for them of which the last two values mean gaps; from 128 on they are those
//! of large ones (`value::Large`).

use super::encoding::Encoding;

/// The bits of a block's first byte that name its kind.
pub(super) const KIND_BITS: u8 = 0x3f;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $byte:literal,)*) => {
        /// How the bytes of a small value are to be read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind {
            $($(#[$doc])* $name = $byte,)*
        }

        impl Kind {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            /// The kind that a byte stands for.
            pub(super) const fn of_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        $(const _: () = assert!(Kind::$name.byte() < 0x3e, "six bits less what gaps are");)*
    };
}

kinds! {
    /// A string that is an integer: an `i64` in eight bytes. Of no other kind the length is known
    /// beforehand.
    Integer = 0,
    /// A string of at most one chunk.
    Bytes = 1,
    /// A small hash, as `packed`.
    PackedHash = 2,
    /// A short string that was written in part, see `Text::Raw`.
    Raw = 3,
    /// A small list, as `list::packed`.
    PackedList = 4,
    /// A small set, as `packed`.
    PackedSet = 5,
    /// A small set of integers, as `set::integers`.
    Integers = 6,
    /// A small sorted set, as `zset::packed`.
    PackedZset = 7,
    /// As `PackedHash`, with the encoding of a table.
    ConvertedHash = 0x12,
    /// As `PackedList`, with the encoding of a list of several nodes.
    ConvertedList = 0x14,
    /// As `PackedSet`, with the encoding of a table.
    ConvertedSet = 0x15,
    /// As `Integers`, with the encoding of a table.
    ConvertedIntegers = 0x16,
    /// As `PackedZset`, with the encoding of a table.
    ConvertedZset = 0x17,
    /// As `Integers`, with the encoding of a listpack.
    ListpackIntegers = 0x26,
}

impl Kind {
    /// The byte that stands for it.
    pub(super) const fn byte(self) -> u8 {
        self as u8
    }

    /// The encoding that OBJECT ENCODING names, of a collection.
    pub(super) fn encoding(self) -> Encoding {
        match self {
            Self::Integer | Self::Bytes | Self::Raw => Encoding::default(),
            Self::PackedHash
            | Self::PackedList
            | Self::PackedSet
            | Self::PackedZset
            | Self::ListpackIntegers => Encoding::Listpack,
            Self::Integers => Encoding::Integers,
            Self::ConvertedHash
            | Self::ConvertedList
            | Self::ConvertedSet
            | Self::ConvertedIntegers
            | Self::ConvertedZset => Encoding::Table,
        }
    }

    /// The kind of the same bytes with another encoding.
    pub(super) fn with(self, encoding: Encoding) -> Self {
        let is_converted = encoding == Encoding::Table;
        match self {
            Self::Integer | Self::Bytes | Self::Raw => self,
            Self::PackedHash | Self::ConvertedHash if is_converted => Self::ConvertedHash,
            Self::PackedHash | Self::ConvertedHash => Self::PackedHash,
            Self::PackedList | Self::ConvertedList if is_converted => Self::ConvertedList,
            Self::PackedList | Self::ConvertedList => Self::PackedList,
            Self::PackedSet | Self::ConvertedSet if is_converted => Self::ConvertedSet,
            Self::PackedSet | Self::ConvertedSet => Self::PackedSet,
            Self::PackedZset | Self::ConvertedZset if is_converted => Self::ConvertedZset,
            Self::PackedZset | Self::ConvertedZset => Self::PackedZset,
            Self::Integers | Self::ConvertedIntegers | Self::ListpackIntegers => match encoding {
                Encoding::Integers => Self::Integers,
                Encoding::Listpack => Self::ListpackIntegers,
                Encoding::Table => Self::ConvertedIntegers,
            },
        }
    }
}
