//! The encodings that OBJECT ENCODING names, and the borders between them.
//!
//! How a value is kept is decided by the log alone, so that all members choose the same members of
//! a set. The name is decided as Redis decides it, by options that each member has for itself: it
//! goes with the value, and nothing else depends on it.

/// The encoding of a collection, as Redis would have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Converted: a table, or a list of several nodes.
    #[default]
    Table,
    /// In one piece.
    Listpack,
    /// In one piece, integers alone.
    Integers,
}

/// The bits of a large value's first byte in a base that name its encoding.
const ENCODING_BITS: u8 = 0x30;

impl Encoding {
    /// The byte with which a large value of a form begins in a base.
    pub(super) fn begin_byte(self, form: u8) -> u8 {
        let code = match self {
            Self::Table => 0,
            Self::Listpack => 1,
            Self::Integers => 2,
        };
        form | code << 4
    }

    /// The form and the encoding that such a byte says.
    pub(super) fn of_begin_byte(byte: u8) -> (u8, Self) {
        let form = byte & !ENCODING_BITS;
        match byte & ENCODING_BITS {
            0x00 => (form, Self::Table),
            0x10 => (form, Self::Listpack),
            0x20 => (form, Self::Integers),
            _ => (byte, Self::Table),
        }
    }
}

/// Up to where a collection is in one piece (`hash-max-listpack-entries` and its like).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    /// So many items.
    pub entries: u64,
    /// Each of so many bytes.
    pub item_bytes: u64,
}

impl Border {
    /// The encoding of a collection that had `before`, and has now this many items, none of those
    /// that came longer than that.
    pub(super) fn after(self, before: Encoding, len: usize, longest: usize) -> Encoding {
        let fits = len as u64 <= self.entries && longest as u64 <= self.item_bytes;
        if before == Encoding::Listpack && fits {
            Encoding::Listpack
        } else {
            Encoding::Table
        }
    }
}

/// The borders of all types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borders {
    /// `hash-max-listpack-entries` and `-value`.
    pub hash: Border,
    /// `set-max-listpack-entries` and `-value`.
    pub set: Border,
    /// `zset-max-listpack-entries` and `-value`.
    pub zset: Border,
    /// `set-max-intset-entries`.
    pub integers: u64,
    /// `list-max-listpack-size`: items, or below zero a class of sizes.
    pub list_size: i64,
}

/// The sizes of lists that -1 to -5 stand for, in bytes.
const LIST_BYTES: [usize; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];
/// The most bytes of a list whose border is a number of items.
const COUNTED_LIST_BYTES_MAX: usize = 8 << 10;

impl Default for Borders {
    fn default() -> Self {
        let usual = Border {
            entries: 128,
            item_bytes: 64,
        };
        Self {
            hash: usual,
            set: usual,
            zset: usual,
            integers: 512,
            list_size: -2,
        }
    }
}

impl Borders {
    /// The same border everywhere: so many items, each of so many bytes.
    #[must_use]
    pub fn alike(most: u64) -> Self {
        let border = Border {
            entries: most,
            item_bytes: most,
        };
        Self {
            hash: border,
            set: border,
            zset: border,
            integers: most,
            list_size: i64::try_from(most).unwrap_or(i64::MAX),
        }
    }

    /// The bytes that a list may have in one piece before it is converted.
    pub(super) fn list_bytes_max(&self) -> usize {
        let class = self.list_size.unsigned_abs().clamp(1, 5) as usize;
        if self.list_size < 0 {
            LIST_BYTES[class - 1]
        } else {
            COUNTED_LIST_BYTES_MAX
        }
    }

    /// The items that it may have.
    fn list_items_max(&self) -> usize {
        match usize::try_from(self.list_size) {
            Ok(items) => items.max(1),
            Err(_) => usize::MAX,
        }
    }

    /// Returns true if a list of so many bytes and items must be converted.
    pub(super) fn list_exceeds(&self, bytes: usize, len: usize) -> bool {
        bytes > self.list_bytes_max() || len > self.list_items_max()
    }

    /// Returns true if a converted list, from which items were taken, has come back to half of
    /// what it may have in one piece.
    pub(super) fn list_comes_back(&self, bytes: usize, len: usize) -> bool {
        let is_small = self.list_size >= 0 || bytes <= self.list_bytes_max() / 2;
        is_small && len <= self.list_items_max() / 2
    }

    /// The encoding of a set that had `before`, and `len` members with a new one; `number` says
    /// that this is an integer, `longest` how long the longest of those is that a listpack would
    /// take in now.
    pub(super) fn set_after(
        &self,
        before: Encoding,
        len: usize,
        is_number: bool,
        longest: usize,
    ) -> Encoding {
        match before {
            Encoding::Integers if !is_number => self.set.after(Encoding::Listpack, len, longest),
            Encoding::Integers if len as u64 <= self.integers => Encoding::Integers,
            Encoding::Integers | Encoding::Table => Encoding::Table,
            Encoding::Listpack => self.set.after(before, len, longest),
        }
    }

    /// Returns true if one member more makes no set a table before it is known to be new.
    pub(super) fn set_takes_one(&self) -> bool {
        self.integers > 0 && self.set.entries > 0
    }

    /// The encoding of a set to which so many members are about to be added, or that is about to
    /// be made of them: `before` is what it has, `is_number` says of a new one that its first is an
    /// integer.
    pub(super) fn set_expecting(
        &self,
        before: Option<Encoding>,
        is_number: bool,
        count: usize,
    ) -> Encoding {
        let count = count as u64;
        let may_be_integers = before.map_or(is_number, |before| before == Encoding::Integers);
        match before {
            None | Some(Encoding::Integers) if may_be_integers && count <= self.integers => {
                Encoding::Integers
            }
            None | Some(Encoding::Listpack) if count <= self.set.entries => Encoding::Listpack,
            _ => Encoding::Table,
        }
    }
}
