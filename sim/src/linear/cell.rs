//! One value, and what may be done to it.

/// An operation on a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// GET, HGET.
    Get,
    /// SET.
    Set(Vec<u8>),
    /// GETSET.
    GetSet(Vec<u8>),
    /// DEL, HDEL.
    Delete,
    /// INCR, INCRBY, HINCRBY.
    Add(i64),
    /// HSET: says whether the cell was empty.
    Put(Vec<u8>),
}

/// The meaning of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// OK.
    Done,
    /// There is nothing.
    Nothing,
    /// A value.
    Value(Vec<u8>),
    /// A number.
    Number(i64),
}

impl Action {
    /// Returns true if it changes nothing.
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::Get)
    }

    /// Does it; what the answer is. Nothing where it cannot be done to what is there.
    pub(super) fn run(&self, cell: &mut Option<Vec<u8>>) -> Option<Reply> {
        let before = |cell: &Option<Vec<u8>>| cell.clone().map_or(Reply::Nothing, Reply::Value);
        Some(match self {
            Self::Get => before(cell),
            Self::Set(value) => {
                *cell = Some(value.clone());
                Reply::Done
            }
            Self::GetSet(value) => {
                let reply = before(cell);
                *cell = Some(value.clone());
                reply
            }
            Self::Delete => Reply::Number(i64::from(cell.take().is_some())),
            Self::Add(by) => {
                let text = cell.as_deref().unwrap_or(b"0");
                let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
                let sum = number.checked_add(*by)?;
                *cell = Some(sum.to_string().into_bytes());
                Reply::Number(sum)
            }
            Self::Put(value) => {
                let is_new = cell.is_none();
                *cell = Some(value.clone());
                Reply::Number(i64::from(is_new))
            }
        })
    }
}
