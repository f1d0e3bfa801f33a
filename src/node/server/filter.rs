//! The clients that CLIENT KILL and CLIENT LIST mean.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::args::{Args, parse_integer};
use crate::command::error::Error;
use crate::session::Session;
use crate::time::Mono;

/// A class of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Subscriber,
    /// A server that replicates, of which there is none here.
    Server,
}

/// Clients that fit everything that is named.
#[derive(Debug, Default)]
pub(super) struct Filter {
    ids: Option<Vec<i64>>,
    address: Option<Vec<u8>>,
    local: Option<Vec<u8>>,
    age_s: Option<u64>,
    kind: Option<Kind>,
    /// The client that asks is meant too.
    itself: bool,
}

impl Filter {
    /// Reads the arguments of CLIENT KILL, in either of its forms.
    pub(super) fn of_kill(args: Args<'_>) -> Result<Self, Error> {
        let mut filter = Self::default();
        if args.len() == 3 {
            filter.address = Some(args.at(2).to_vec());
            filter.itself = true;
            return Ok(filter);
        }
        let mut at = 2;
        while at < args.len() {
            let Some(value) = args.get(at + 1) else {
                return Err(Error::SYNTAX);
            };
            if args.is(at, "id") {
                let id = parse_integer(value).filter(|id| *id > 0);
                let id =
                    id.ok_or_else(|| Error::text("ERR client-id should be greater than 0".into()))?;
                filter.ids = Some(alloc::vec![id]);
            } else if args.is(at, "type") {
                filter.kind = Some(kind_of(value)?);
            } else if args.is(at, "addr") {
                filter.address = Some(value.to_vec());
            } else if args.is(at, "laddr") {
                filter.local = Some(value.to_vec());
            } else if args.is(at, "user") {
                if value != b"default" {
                    let name = String::from_utf8_lossy(value);
                    return Err(Error::text(format!("ERR No such user '{name}'")));
                }
            } else if args.is(at, "maxage") {
                let age = parse_integer(value).and_then(|age| u64::try_from(age).ok());
                filter.age_s = Some(age.ok_or(Error::NOT_AN_INTEGER)?);
            } else if args.is(at, "skipme") {
                filter.itself = match value {
                    _ if value.eq_ignore_ascii_case(b"yes") => false,
                    _ if value.eq_ignore_ascii_case(b"no") => true,
                    _ => return Err(Error::SYNTAX),
                };
            } else {
                return Err(Error::SYNTAX);
            }
            at += 2;
        }
        Ok(filter)
    }

    /// Reads the arguments of CLIENT LIST.
    pub(super) fn of_list(args: Args<'_>) -> Result<Self, Error> {
        let mut filter = Self {
            itself: true,
            ..Self::default()
        };
        if args.len() > 3 && args.is(2, "id") {
            let ids = args.from(3);
            let ids: Option<Vec<i64>> = ids.iter().map(parse_integer).collect();
            filter.ids = Some(ids.ok_or_else(|| Error::text("ERR Invalid client ID".into()))?);
        } else if args.len() == 4 && args.is(2, "type") {
            filter.kind = Some(kind_of(args.at(3))?);
        } else if args.len() > 2 {
            return Err(Error::SYNTAX);
        }
        Ok(filter)
    }

    /// Returns true if a client is meant, by one that is or is not the same.
    pub(super) fn means(&self, session: &Session, is_asking: bool, now: Mono) -> bool {
        let is = |wanted: &Option<Vec<u8>>, address: &str| {
            wanted.as_ref().is_none_or(|w| w == address.as_bytes())
        };
        let id = session.conn.0 as i64;
        let kind = if session.is_subscriber() {
            Kind::Subscriber
        } else {
            Kind::Normal
        };
        self.kind.is_none_or(|wanted| wanted == kind)
            && !session.killed
            && (self.itself || !is_asking)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && is(&self.address, &session.address)
            && is(&self.local, &session.local)
            && self
                .age_s
                .is_none_or(|age| now.since(session.since).as_secs() >= age)
    }
}

fn kind_of(name: &[u8]) -> Result<Kind, Error> {
    match &name.to_ascii_lowercase()[..] {
        b"normal" => Ok(Kind::Normal),
        b"pubsub" => Ok(Kind::Subscriber),
        b"master" | b"replica" | b"slave" => Ok(Kind::Server),
        _ => Err(Error::text(format!(
            "ERR Unknown client type '{}'",
            String::from_utf8_lossy(name)
        ))),
    }
}
