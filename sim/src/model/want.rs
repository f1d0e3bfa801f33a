//! The wanted reply: exactly one value where Redis leaves no choice, a set of them where it does.

use std::fmt;

use crate::wire::{Value, shown};

/// A score of a sorted set: a float that is a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score(pub(crate) f64);

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Score {}

impl Score {
    /// Returns true if a text reads back as this score, but for what 17 decimals leave out.
    fn is_near(self, text: &[u8]) -> bool {
        let text = std::str::from_utf8(text).ok();
        let number: Option<f64> = text.and_then(|text| text.parse().ok());
        number.is_some_and(|number| (number - self.0).abs() <= 1e-17)
    }

    /// Returns true if a text reads back as this score.
    fn is(self, text: &[u8]) -> bool {
        let text = std::str::from_utf8(text).ok();
        let number = text.and_then(|text| text.parse().ok());
        number.is_some_and(|number| self == Self(number))
    }
}

/// The reply that the model expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// A simple string.
    Simple(&'static str),
    /// An error with this text.
    Error(String),
    /// An error that starts with this word.
    ErrorCode(&'static str),
    Integer(i64),
    /// An integer in this range, both ends included.
    Between(i64, i64),
    Bulk(Vec<u8>),
    /// A coordinate: a string, in RESP3 a double, that reads back as this number, or nearly.
    Degrees(Score),
    /// Nothing, where a string could be.
    Null,
    /// Nothing, where an array could be.
    NullArray,
    Array(Vec<Want>),
    /// As `Array`, and in RESP3 a push.
    Pushed(Vec<Want>),
    /// Several replies to one request.
    Several(Vec<Want>),
    /// An array of these strings in any order.
    Unordered(Vec<Vec<u8>>),
    /// A set of these strings in any order: an array in RESP2.
    UnorderedSet(Vec<Vec<u8>>),
    /// A map of these strings in any order.
    UnorderedMap(Vec<(Vec<u8>, Vec<u8>)>),
    /// An array of so many of these strings; whether one may come twice.
    Chosen {
        from: Vec<Vec<u8>>,
        count: usize,
        repeats: bool,
    },
    /// As `Chosen`, with the value behind each name.
    ChosenPairs {
        from: Vec<(Vec<u8>, Vec<u8>)>,
        count: usize,
        repeats: bool,
    },
    /// A score: a bulk string, or a double in RESP3.
    Score(Score),
    /// These members in this order, each with its score; in RESP3 as arrays of two.
    Scored(Vec<(Vec<u8>, Score)>),
    /// As `Chosen`, with the score behind each member.
    ChosenScored {
        from: Vec<(Vec<u8>, Score)>,
        count: usize,
        repeats: bool,
    },
    /// A cursor and some of these members, each with its score.
    ScannedScored(Vec<(Vec<u8>, Score)>),
    /// A cursor and some of these strings.
    Scanned(Vec<Vec<u8>>),
    /// A cursor and some of these names, each with its value.
    ScannedPairs(Vec<(Vec<u8>, Vec<u8>)>),
    OneOf(Vec<Want>),
    /// This, in RESP3 or not, whatever the reply around it is in.
    Spoken {
        resp3: bool,
        want: Box<Want>,
    },
    /// The reply to HELLO on a connection.
    Greeting {
        protocol: i64,
        conn: u64,
    },
    /// Text for people: verbatim in RESP3.
    Text,
    /// An array of so many items, of which nothing else is known.
    Items(usize),
    /// This, and no word of being the master.
    NotMaster(Box<Want>),
    /// This, and at most so many members that are said to be connected.
    Connected(usize, Box<Want>),
    /// Any reply that is not an error.
    Anything,
}

impl Want {
    /// `+OK`.
    pub(crate) const OK: Self = Self::Simple("OK");

    /// Any reply, an error too.
    pub(crate) fn whatever() -> Self {
        Self::OneOf(vec![Self::Anything, Self::ErrorCode("")])
    }

    /// A string, or nothing.
    pub(crate) fn bulk_or_null(found: Option<&[u8]>) -> Self {
        found.map_or(Self::Null, |text| Self::Bulk(text.to_vec()))
    }

    /// A truth as an integer.
    pub(crate) fn flag(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }

    /// Returns true if a reply in RESP2 or RESP3 is what is wanted.
    pub(crate) fn is_met_by(&self, value: &Value, resp3: bool) -> bool {
        let is_bulk = |item: &Value, text: &[u8]| matches!(item, Value::Bulk(b) if b == text);
        match (self, value) {
            (Self::Simple(text), Value::Simple(given)) => given == text.as_bytes(),
            // A client's own bytes may stand in it, which are no text.
            (Self::Error(text), Value::Error(given)) => String::from_utf8_lossy(given) == **text,
            (Self::ErrorCode(code), Value::Error(given)) => given.starts_with(code.as_bytes()),
            (Self::Integer(wanted), Value::Integer(given)) => wanted == given,
            (Self::Between(low, high), Value::Integer(given)) => (low..=high).contains(&given),
            (Self::Bulk(text), given) => is_bulk(given, text),
            (Self::Null, Value::NullBulk)
            | (Self::NullArray, Value::NullArray)
            | (Self::Text, Value::Bulk(_)) => !resp3,
            (Self::Null | Self::NullArray, Value::Null) | (Self::Text, Value::Verbatim(_)) => resp3,
            (Self::Array(wanted), Value::Array(given)) => {
                wanted.len() == given.len()
                    && wanted.iter().zip(given).all(|(w, g)| w.is_met_by(g, resp3))
            }
            (Self::Pushed(wanted), Value::Push(given)) if resp3 => {
                Self::Array(wanted.clone()).is_met_by(&Value::Array(given.clone()), resp3)
            }
            (Self::Pushed(wanted), Value::Array(_)) if !resp3 => {
                Self::Array(wanted.clone()).is_met_by(value, resp3)
            }
            (Self::Unordered(wanted), Value::Array(given)) => same_texts(wanted, given),
            (Self::UnorderedSet(wanted), Value::Set(given)) if resp3 => same_texts(wanted, given),
            (Self::UnorderedSet(wanted), Value::Array(given)) if !resp3 => {
                same_texts(wanted, given)
            }
            (Self::UnorderedMap(wanted), Value::Map(given)) if resp3 => same_pairs(wanted, given),
            (Self::UnorderedMap(wanted), Value::Array(given)) if !resp3 => {
                same_pairs(wanted, given)
            }
            (
                Self::Chosen {
                    from,
                    count,
                    repeats,
                },
                Value::Array(given),
            ) => {
                let known = |item: &Value| from.iter().any(|text| is_bulk(item, text));
                given.len() == *count
                    && given.iter().all(known)
                    && (*repeats || differ(given.iter()))
            }
            (
                Self::ChosenPairs {
                    from,
                    count,
                    repeats,
                },
                Value::Array(given),
            ) => {
                let flat: Vec<&Value> = if resp3 {
                    given.iter().filter_map(Value::items).flatten().collect()
                } else {
                    given.iter().collect()
                };
                let known = |pair: &[&Value]| {
                    from.iter()
                        .any(|(n, v)| is_bulk(pair[0], n) && is_bulk(pair[1], v))
                };
                flat.len() == count * 2
                    && (!resp3 || given.len() == *count)
                    && flat.chunks_exact(2).all(known)
                    && (*repeats || differ(flat.iter().step_by(2).copied()))
            }
            (Self::Degrees(at), Value::Bulk(text)) => !resp3 && at.is_near(text),
            (Self::Degrees(at), Value::Double(text)) => resp3 && at.is_near(text),
            (Self::Score(score), Value::Bulk(text)) => !resp3 && score.is(text),
            (Self::Score(score), Value::Double(text)) => resp3 && score.is(text),
            (Self::Scored(wanted), Value::Array(given)) => {
                let pairs = scored(given, resp3);
                pairs.len() == wanted.len()
                    && given.len() == wanted.len() * if resp3 { 1 } else { 2 }
                    && wanted.iter().zip(pairs).all(|((member, score), pair)| {
                        is_bulk(pair.0, member) && Self::Score(*score).is_met_by(pair.1, resp3)
                    })
            }
            (
                Self::ChosenScored {
                    from,
                    count,
                    repeats,
                },
                Value::Array(given),
            ) => {
                let pairs = scored(given, resp3);
                let known = |pair: &(&Value, &Value)| {
                    from.iter().any(|(member, score)| {
                        is_bulk(pair.0, member) && Self::Score(*score).is_met_by(pair.1, resp3)
                    })
                };
                pairs.len() == *count
                    && given.len() == count * if resp3 { 1 } else { 2 }
                    && pairs.iter().all(known)
                    && (*repeats || differ(pairs.iter().map(|pair| pair.0)))
            }
            (Self::ScannedScored(from), Value::Array(given)) => {
                let known = |pair: &[Value]| {
                    from.iter().any(|(member, score)| {
                        is_bulk(&pair[0], member) && Self::Score(*score).is_met_by(&pair[1], false)
                    })
                };
                scanned(given)
                    .is_some_and(|items| items.len() % 2 == 0 && items.chunks_exact(2).all(known))
            }
            (Self::Scanned(from), Value::Array(given)) => {
                let known = |item: &Value| from.iter().any(|text| is_bulk(item, text));
                scanned(given).is_some_and(|items| items.iter().all(known))
            }
            (Self::ScannedPairs(from), Value::Array(given)) => {
                let known = |pair: &[Value]| {
                    from.iter()
                        .any(|(n, v)| is_bulk(&pair[0], n) && is_bulk(&pair[1], v))
                };
                scanned(given)
                    .is_some_and(|items| items.len() % 2 == 0 && items.chunks_exact(2).all(known))
            }
            (Self::Greeting { protocol, conn }, Value::Map(given)) if *protocol == 3 => {
                greets(given, *protocol, *conn)
            }
            (Self::Greeting { protocol, conn }, Value::Array(given)) if *protocol == 2 => {
                greets(given, *protocol, *conn)
            }
            (Self::Items(count), Value::Array(items)) => items.len() == *count,
            (Self::OneOf(wants), given) => wants.iter().any(|want| want.is_met_by(given, resp3)),
            (Self::Spoken { resp3, want }, given) => want.is_met_by(given, *resp3),
            (Self::NotMaster(want), given) => want.is_met_by(given, resp3) && !says_master(given),
            (Self::Connected(most, want), given) => {
                want.is_met_by(given, resp3) && connected(given) <= *most
            }
            (Self::Anything, given) => !given.is_error(),
            _ => false,
        }
    }
}

/// Returns true if the items of a reply to HELLO name the protocol and the connection, and what
/// else belongs there.
fn greets(given: &[Value], protocol: i64, conn: u64) -> bool {
    const NAMES: [&[u8]; 7] = [
        b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules",
    ];
    let names = given.iter().step_by(2).map(Value::text);
    let is_named = given.len() == 2 * NAMES.len() && names.eq(NAMES.iter().map(|n| Some(*n)));
    let at = |place: usize| given.get(place).and_then(Value::number);
    is_named
        && given[1].text() == Some(b"redis")
        && at(5) == Some(protocol)
        && at(7) == i64::try_from(conn).ok()
        && matches!(&given[13], Value::Array(modules) if modules.is_empty())
}

/// Returns true if a reply to ROLE, HELLO or INFO says that the answering member is the master.
pub(crate) fn says_master(value: &Value) -> bool {
    const FIELD: &[u8] = b"role:master";
    match value {
        Value::Array(items) | Value::Map(items) => items.iter().any(says_master),
        Value::Bulk(text) | Value::Simple(text) | Value::Verbatim(text) => {
            text == b"master" || text.windows(FIELD.len()).any(|part| part == FIELD)
        }
        _ => false,
    }
}

/// How many members a reply to ROLE or INFO says to be connected.
pub(crate) fn connected(value: &Value) -> usize {
    const FIELD: &str = "connected_slaves:";
    match value {
        Value::Array(items) => match &items[..] {
            [_, Value::Integer(_), Value::Array(others)] => others.len(),
            _ => 0,
        },
        Value::Bulk(text) | Value::Verbatim(text) => {
            let text = String::from_utf8_lossy(text);
            let field = text.lines().find_map(|line| line.strip_prefix(FIELD));
            field.and_then(|count| count.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

fn differ<'a>(items: impl Iterator<Item = &'a Value>) -> bool {
    let mut texts: Vec<_> = items.map(Value::text).collect();
    texts.sort_unstable();
    texts.windows(2).all(|pair| pair[0] != pair[1])
}

fn same_texts(wanted: &[Vec<u8>], given: &[Value]) -> bool {
    let mut given: Vec<_> = given.iter().map(Value::text).collect();
    let mut wanted: Vec<_> = wanted.iter().map(|text| Some(&text[..])).collect();
    given.sort_unstable();
    wanted.sort_unstable();
    given == wanted
}

fn same_pairs(wanted: &[(Vec<u8>, Vec<u8>)], given: &[Value]) -> bool {
    let wanted = wanted.iter().map(|(n, v)| (Some(&n[..]), Some(&v[..])));
    let mut wanted: Vec<_> = wanted.collect();
    let pairs = given
        .chunks_exact(2)
        .map(|pair| (pair[0].text(), pair[1].text()));
    let mut found: Vec<_> = pairs.collect();
    wanted.sort_unstable();
    found.sort_unstable();
    given.len().is_multiple_of(2) && wanted == found
}

/// Members with their scores: one behind the other, or in RESP3 as arrays of two.
fn scored(given: &[Value], resp3: bool) -> Vec<(&Value, &Value)> {
    if resp3 {
        let pairs = given.iter().filter_map(Value::items);
        pairs
            .filter(|pair| pair.len() == 2)
            .map(|pair| (&pair[0], &pair[1]))
            .collect()
    } else {
        given
            .chunks_exact(2)
            .map(|pair| (&pair[0], &pair[1]))
            .collect()
    }
}

/// The items of a reply to SCAN, behind a cursor that is one.
fn scanned(given: &[Value]) -> Option<&[Value]> {
    let [Value::Bulk(cursor), Value::Array(items)] = given else {
        return None;
    };
    let _: u64 = std::str::from_utf8(cursor).ok()?.parse().ok()?;
    Some(items)
}

/// Texts for people.
pub(super) fn listed<'a>(texts: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| shown(text)).collect();
    texts.join(", ")
}

/// Members with their scores, for people.
pub(super) fn pairs_listed<'a>(
    pairs: impl IntoIterator<Item = (&'a Vec<u8>, &'a Score)>,
) -> String {
    let pair = |(member, score): (&Vec<u8>, &Score)| format!("{} {:?}", shown(member), score.0);
    let pairs: Vec<String> = pairs.into_iter().map(pair).collect();
    pairs.join(", ")
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(text) => write!(f, "+{text}"),
            Self::Error(text) => write!(f, "-{text}"),
            Self::ErrorCode(code) => write!(f, "-{code} …"),
            Self::Integer(number) => write!(f, ":{number}"),
            Self::Between(low, high) => write!(f, ":{low}..={high}"),
            Self::Bulk(text) => f.write_str(&shown(text)),
            Self::Null => f.write_str("null"),
            Self::NullArray => f.write_str("null array"),
            Self::Array(items) | Self::Pushed(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::OneOf(wants) => {
                f.write_str("one of")?;
                wants.iter().try_for_each(|want| write!(f, " {want}"))
            }
            Self::Spoken { want, .. } => want.fmt(f),
            Self::NotMaster(want) => write!(f, "{want}, and not from the master"),
            Self::Connected(most, want) => write!(f, "{want}, and at most {most} connected"),
            Self::Unordered(texts) | Self::UnorderedSet(texts) => {
                write!(f, "in any order [{}]", listed(texts))
            }
            Self::Scanned(texts) => write!(f, "a cursor and some of [{}]", listed(texts)),
            Self::Chosen {
                from,
                count,
                repeats,
            } => write!(f, "{count} of [{}], repeated: {repeats}", listed(from)),
            Self::Scored(pairs) => {
                write!(f, "[{}]", pairs_listed(pairs.iter().map(|(m, s)| (m, s))))
            }
            Self::ChosenScored {
                from,
                count,
                repeats,
            } => {
                let from = pairs_listed(from.iter().map(|(m, s)| (m, s)));
                write!(f, "{count} of [{from}], repeated: {repeats}")
            }
            Self::Anything => f.write_str("anything but an error"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_and_maps_differ_between_the_protocols() {
        assert!(Want::Null.is_met_by(&Value::NullBulk, false));
        assert!(!Want::Null.is_met_by(&Value::NullBulk, true));
        assert!(!Want::Null.is_met_by(&Value::NullArray, false));
        assert!(Want::NullArray.is_met_by(&Value::Null, true));
        let pairs = vec![Value::Bulk(b"f".to_vec()), Value::Bulk(b"v".to_vec())];
        let want = Want::UnorderedMap(vec![(b"f".to_vec(), b"v".to_vec())]);
        assert!(want.is_met_by(&Value::Map(pairs.clone()), true));
        assert!(!want.is_met_by(&Value::Map(pairs.clone()), false));
        assert!(want.is_met_by(&Value::Array(pairs), false));
    }

    #[test]
    fn a_choice_must_come_from_the_set_and_not_repeat() {
        let bulk = |text: &str| Value::Bulk(text.as_bytes().to_vec());
        let want = |repeats| Want::Chosen {
            from: vec![b"a".to_vec(), b"b".to_vec()],
            count: 2,
            repeats,
        };
        let twice = Value::Array(vec![bulk("a"), bulk("a")]);
        assert!(want(true).is_met_by(&twice, false));
        assert!(!want(false).is_met_by(&twice, false));
        assert!(want(false).is_met_by(&Value::Array(vec![bulk("b"), bulk("a")]), false));
        assert!(!want(true).is_met_by(&Value::Array(vec![bulk("a"), bulk("c")]), false));
    }
}
