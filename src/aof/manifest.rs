//! The manifest: whose directory it is, which base counts, and which segment comes first.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::record::{self, Found, Position};
use crate::disk::FileName;
use crate::ids::{LogIndex, NodeId, Term};
use crate::take;

/// The first words of the file, by which a stranger can tell what it is; after them comes the
/// version of its format, which counts for the segments too.
const NAME: &str = "seedis manifest ";
const MAGIC: &[u8] = b"seedis manifest 1\n";
/// The same where there is a debt: a version that knows of none must not start from it.
const MAGIC_IN_DEBT: &[u8] = b"seedis manifest 2\n";
/// The last version that this code reads.
const NEWEST: u64 = 2;
/// A place that no segment and no base has.
const PLACE: Position = Position {
    segment: u64::MAX,
    offset: 0,
};

/// The entries that a member whose files were damaged has lost, as far as others may rely on them:
/// it must not vote before its log has come as far again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debt {
    /// The last term that it has spoken in.
    pub term: Term,
    /// The vote of that term.
    pub vote: Option<NodeId>,
    /// The last entry that it held.
    pub last: LogIndex,
    /// That entry's term, or a later one where it is not known.
    pub last_term: Term,
}

impl Debt {
    /// The debt that covers both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (early, late) = if self.term <= other.term {
            (self, other)
        } else {
            (other, self)
        };
        let vote = late.vote.or(early.vote.filter(|_| early.term == late.term));
        let further = |debt: &Self| (debt.last_term, debt.last);
        let far = if further(&early) > further(&late) {
            early
        } else {
            late
        };
        Self {
            term: late.term,
            vote,
            last: far.last,
            last_term: far.last_term,
        }
    }

    /// Takes one off the front.
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self {
            term: Term(take::u64(from)?),
            vote: Some(NodeId(take::u64(from)?)).filter(|vote| vote.0 != 0),
            last: LogIndex(take::u64(from)?),
            last_term: Term(take::u64(from)?),
        })
    }
}

/// Why a manifest cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is of this version, which a later server has written.
    Newer(u64),
    /// It is damaged, or none.
    Damaged,
}

impl Unreadable {
    /// In words for the operator.
    pub fn text(self) -> String {
        match self {
            Self::Newer(version) => format!(
                "the manifest is of format {version}, and this version of seedis knows formats up \
                 to {NEWEST}: use the version that wrote it, or a later one"
            ),
            Self::Damaged => "the manifest is damaged: put a copy of it back".into(),
        }
    }
}

/// The version of a format that stands behind a name, in front of a line feed, at the beginning of
/// a file; nothing where none does.
pub fn format_of(bytes: &[u8], name: &str) -> Option<u64> {
    const DIGITS_MAX: usize = 20;
    let rest = bytes.strip_prefix(name.as_bytes())?;
    let mut head = rest.iter().take(DIGITS_MAX + 1);
    let length = head.position(|byte| *byte == b'\n')?;
    let is_plain = rest[..length].iter().all(u8::is_ascii_digit) && rest[0] != b'0';
    let text = core::str::from_utf8(&rest[..length]).ok()?;
    text.parse().ok().filter(|_| is_plain)
}

/// Which files count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The number of the base; 0: there is none.
    pub base: u64,
    /// The first segment behind the base.
    pub first_segment: u64,
    /// The checksum of the record before that segment's first; 0: there was none, and the segment
    /// may be empty.
    pub predecessor: u64,
    /// The loss that has not been repaired yet.
    pub debt: Option<Debt>,
    /// The owner of the directory, in its owner's own encoding.
    pub identity: Vec<u8>,
}

impl Manifest {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let debt = self.debt.map(|debt| {
            let vote = debt.vote.map_or(0, |id| id.0);
            [debt.term.0, vote, debt.last.0, debt.last_term.0].map(u64::to_le_bytes)
        });
        let mut bytes = debt.map_or(MAGIC, |_| MAGIC_IN_DEBT).to_vec();
        let debt = debt.as_ref().map_or(&[][..], |debt| debt.as_flattened());
        let numbers = [self.base, self.first_segment, self.predecessor].map(u64::to_le_bytes);
        let payload = [numbers.as_flattened(), debt, &self.identity];
        record::put(&mut bytes, PLACE, &payload);
        bytes
    }

    /// The segment whose first record was synced before this manifest made it count, so that a
    /// crash cannot have taken that.
    pub fn begun(&self) -> Option<Position> {
        let is_begun = self.base != 0 && self.predecessor != 0;
        is_begun.then_some(Position {
            segment: self.first_segment,
            offset: 0,
        })
    }

    /// The manifest of a directory whose first segment was emptied on purpose.
    #[must_use]
    pub fn with_nothing_behind_the_base(self) -> Self {
        Self {
            predecessor: 0,
            ..self
        }
    }

    /// Decodes the file's bytes; errors if they cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        match format_of(bytes, NAME) {
            Some(version) if version > NEWEST => Err(Unreadable::Newer(version)),
            _ => Self::decode_known(bytes).ok_or(Unreadable::Damaged),
        }
    }

    fn decode_known(bytes: &[u8]) -> Option<Self> {
        let in_debt = bytes.starts_with(MAGIC_IN_DEBT);
        let magic = if in_debt { MAGIC_IN_DEBT } else { MAGIC };
        let rest = bytes.strip_prefix(magic)?;
        let Found::Record { mut payload, .. } = record::find(rest, PLACE) else {
            return None;
        };
        let (base, first_segment) = (take::u64(&mut payload)?, take::u64(&mut payload)?);
        let predecessor = take::u64(&mut payload)?;
        let debt = if in_debt {
            Some(Debt::take(&mut payload)?)
        } else {
            None
        };
        if base.max(first_segment) > FileName::NUMBER_MAX {
            return None;
        }
        Some(Self {
            base,
            first_segment,
            predecessor,
            debt,
            identity: payload.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_what_it_was_told_and_nothing_when_damaged() {
        for debt in [None, Some(debt(6, Some(7), 8, 9))] {
            let manifest = Manifest {
                base: 3,
                first_segment: 4,
                predecessor: 5,
                debt,
                identity: b"me".to_vec(),
            };
            let bytes = manifest.encode();
            assert_eq!(Manifest::decode(&bytes), Ok(manifest));
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x20;
                let refused = Err(Unreadable::Damaged);
                assert_eq!(Manifest::decode(&damaged), refused, "{at}");
                assert_eq!(Manifest::decode(&bytes[..at]), refused, "{at}");
            }
        }
    }

    #[test]
    fn a_manifest_of_a_later_version_is_not_taken_for_a_damaged_one() {
        let manifest = Manifest::default().encode();
        let behind = &manifest[MAGIC.len()..];
        for (version, text) in [(3, "3"), (u64::MAX, "18446744073709551615")] {
            let later = [NAME.as_bytes(), text.as_bytes(), b"\nwho knows", behind].concat();
            let refused = Manifest::decode(&later).unwrap_err();
            assert_eq!(refused, Unreadable::Newer(version));
            assert!(refused.text().contains(&format!("format {text}, ")));
        }
        // What no version writes is damage.
        for text in ["0", "", "03", "3 ", "-3", "99999999999999999999"] {
            let other = [NAME.as_bytes(), text.as_bytes(), b"\n", behind].concat();
            assert_eq!(Manifest::decode(&other), Err(Unreadable::Damaged), "{text}");
        }
    }

    fn debt(term: u64, vote: Option<u64>, last: u64, last_term: u64) -> Debt {
        Debt {
            term: Term(term),
            vote: vote.map(NodeId),
            last: LogIndex(last),
            last_term: Term(last_term),
        }
    }

    #[test]
    fn of_two_debts_the_later_term_and_the_further_entry_are_owed() {
        let cases = [
            (
                debt(3, Some(1), 9, 2),
                debt(4, None, 5, 3),
                debt(4, None, 5, 3),
            ),
            (
                debt(4, None, 5, 3),
                debt(3, Some(1), 9, 3),
                debt(4, None, 9, 3),
            ),
            (
                debt(4, None, 5, 3),
                debt(4, Some(2), 4, 3),
                debt(4, Some(2), 5, 3),
            ),
        ];
        for (one, other, both) in cases {
            assert_eq!(one.and(other), both);
            assert_eq!(other.and(one), both);
        }
    }

    #[test]
    fn numbers_that_no_file_can_have_are_damage() {
        let decoded = |base, first_segment| {
            let manifest = Manifest {
                base,
                first_segment,
                ..Manifest::default()
            };
            Manifest::decode(&manifest.encode())
        };
        assert!(decoded(FileName::NUMBER_MAX, FileName::NUMBER_MAX).is_ok());
        let refused = Err(Unreadable::Damaged);
        assert_eq!(decoded(FileName::NUMBER_MAX + 1, 1), refused);
        assert_eq!(decoded(1, u64::MAX), refused);
    }
}
