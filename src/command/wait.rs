//! Commands whose client may wait for a key to hold something: what they wait for, and how long.
//!
//! The function of such a command takes what is there. If nothing is, it writes the reply for a
//! client that cannot wait, as inside a transaction, and says `Error::Nothing`: the rest is for the
//! node to decide.

use core::time::Duration;

use super::args::Args;
use super::error::{Error, Outcome};
use super::extended::Extended;
use crate::limits::AWAITED_KEYS_MAX;
use crate::store::{List, Value, Zset};

/// The value that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Awaited {
    /// A list.
    List,
    /// A sorted set.
    SortedSet,
}

impl Awaited {
    /// How many there are.
    pub const COUNT: usize = 2;

    /// That for which a value of this type is looked for, and how many elements it has.
    pub fn of(value: Value<'_>) -> Option<(Self, usize)> {
        let list = value.as_list().map(|list| (Self::List, List::len(list)));
        list.or_else(|| {
            let zset = value.as_zset()?;
            Some((Self::SortedSet, Zset::len(zset)))
        })
    }
}

/// The wait that a request asks for, should there be nothing to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long; nothing: for ever.
    pub timeout: Option<Duration>,
    /// For a value of this type.
    pub awaited: Awaited,
    /// It takes so many elements of it at most.
    pub takes: u64,
}

impl Wait {
    /// The wait of BLPOP and its kin, for one element: the time-out stands in the last place.
    pub(super) fn for_one(awaited: Awaited, args: Args<'_>) -> Result<Self, Error> {
        few_keys(args.len() - 2)?;
        Ok(Self {
            timeout: timeout(args, args.len() - 1)?,
            awaited,
            takes: 1,
        })
    }

    /// The wait of BLMPOP and BZMPOP, for up to so many elements: the time-out stands in the first
    /// place, and the number of keys behind it.
    pub(super) fn for_several(awaited: Awaited, args: Args<'_>, takes: u64) -> Result<Self, Error> {
        few_keys(args.len() - 4)?;
        Ok(Self {
            timeout: timeout(args, 1)?,
            awaited,
            takes,
        })
    }
}

/// The outcome of a command that has taken something, or has found nothing.
pub(super) fn taken(has_taken: bool) -> Outcome {
    if has_taken {
        Ok(())
    } else {
        Err(Error::Nothing)
    }
}

/// Errors if a request names more keys than one client may wait for.
fn few_keys(count: usize) -> Result<(), Error> {
    if count > AWAITED_KEYS_MAX {
        return Err(Error::TOO_MANY_AWAITED);
    }
    Ok(())
}

/// The latest time-out that leaves room for the time of day, in milliseconds.
const TIMEOUT_MS_MAX: i64 = i64::MAX - (1 << 42);

/// The time-out that an argument gives, in seconds; 0 is for ever.
fn timeout(args: Args<'_>, place: usize) -> Result<Option<Duration>, Error> {
    let text = args.at(place);
    let seconds = Extended::parse(text).ok_or(Error::TIMEOUT_NOT_A_FLOAT)?;
    let Some(ms) = seconds.thousandfold() else {
        return Err(if text.starts_with(b"-") {
            Error::TIMEOUT_NEGATIVE
        } else {
            Error::TIMEOUT_OUT_OF_RANGE
        });
    };
    if ms > TIMEOUT_MS_MAX {
        return Err(Error::TIMEOUT_OUT_OF_RANGE);
    }
    let ms = u64::try_from(ms).map_err(|_| Error::TIMEOUT_NEGATIVE)?;
    Ok((ms > 0).then(|| Duration::from_millis(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<u64>, Error> {
        let all = 0..text.len() as u32;
        let read = timeout(Args::new(text.as_bytes(), &[all]), 0);
        read.map(|wait| wait.map(|wait| wait.as_millis() as u64))
    }

    #[test]
    fn a_time_out_is_read_in_seconds_and_rounded_up() {
        for (text, ms) in [
            ("1", 1000),
            ("0.5", 500),
            ("0.0001", 1),
            ("1e-300", 1),
            (".25", 250),
            ("0x10", 16_000),
            ("1.0001", 1001),
            ("9223372036", 9_223_372_036_000),
        ] {
            assert_eq!(read(text), Ok(Some(ms)), "{text}");
        }
        for text in ["0", "-0", "0.0", "-0.0001", "-0.001"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
        for text in ["", "x", "1x", " 1", "nan", "1 "] {
            assert_eq!(read(text), Err(Error::TIMEOUT_NOT_A_FLOAT), "{text}");
        }
        for text in ["-1", "-0.002", "-inf", "-1e300"] {
            assert_eq!(read(text), Err(Error::TIMEOUT_NEGATIVE), "{text}");
        }
        for text in ["inf", "1e300", "9223372036854775807", "9223372036854775"] {
            assert_eq!(read(text), Err(Error::TIMEOUT_OUT_OF_RANGE), "{text}");
        }
    }
}
