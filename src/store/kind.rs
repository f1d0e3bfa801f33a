//! The kinds of small values: the byte that says in blocks and in bases how their bytes are read.
//!
//! A byte is written to disk, so it stays with its kind. Those of small values are below 62, since
//! a block has six bits for them of which the last two values mean gaps; from 128 on they are those
//! of large ones (`value::Large`).

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
}

impl Kind {
    /// The byte that stands for it.
    pub(super) const fn byte(self) -> u8 {
        self as u8
    }
}
