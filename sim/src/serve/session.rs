//! A session as a file: at which event what came from outside.
//!
//! Each line says after which event and when something came, the digest of the world before it,
//! and what: so that a session which is played again is compared at each step.

use std::fmt;
use std::str::FromStr;

use crate::scenario::Profile;

/// The first line; its number changes with the format.
pub(super) const HEAD: &str = "sim session 1";

/// An input from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A client.
    Comes(u64),
    /// Bytes of a client, faults that it asks for included.
    Sends(u64, Vec<u8>),
    /// The end of a client.
    Goes(u64),
}

/// The world in which a session takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) seed: u64,
    pub(super) profile: Profile,
    pub(super) members: usize,
    /// The member to which clients are connected, if not to the one that leads.
    pub(super) member: Option<usize>,
    /// Drawn clients and drawn faults are there too.
    pub(super) wild: bool,
}

/// Something that came, or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) events: u64,
    pub(super) time: u64,
    pub(super) digest: String,
    /// Nothing: the session has ended here.
    pub(super) given: Option<Given>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, profile) = (self.seed, self.profile.name());
        let member = self
            .member
            .map_or("-".to_owned(), |member| member.to_string());
        let kind = if self.wild { "wild" } else { "calm" };
        write!(f, "world {seed} {profile} {} {member} {kind}", self.members)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.events, self.time, self.digest)?;
        match &self.given {
            Some(Given::Comes(guest)) => write!(f, "comes {guest}"),
            Some(Given::Sends(guest, bytes)) => {
                write!(f, "sends {guest} \"{}\"", bytes.escape_ascii())
            }
            Some(Given::Goes(guest)) => write!(f, "goes {guest}"),
            None => f.write_str("ends"),
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split(' ').collect();
        let ["world", seed, profile, members, member, kind] = words[..] else {
            return Err("the second line must name the world".to_owned());
        };
        let profile = <Profile as clap::ValueEnum>::from_str(profile, false)?;
        Ok(Self {
            seed: number(seed)?,
            profile,
            members: number(members)?,
            member: if member == "-" {
                None
            } else {
                Some(number(member)?)
            },
            wild: kind == "wild",
        })
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.splitn(6, ' ').collect();
        let (head, what) = words.split_at_checked(3).ok_or("the line is too short")?;
        let given = match what {
            ["comes", guest] => Some(Given::Comes(number(guest)?)),
            ["goes", guest] => Some(Given::Goes(number(guest)?)),
            ["sends", guest, bytes] => Some(Given::Sends(number(guest)?, quoted(bytes)?)),
            ["ends"] => None,
            _ => return Err(format!("unknown line `{line}`")),
        };
        Ok(Self {
            events: number(head[0])?,
            time: number(head[1])?,
            digest: head[2].to_owned(),
            given,
        })
    }
}

/// A session out of its file; a last line that was cut off is no part of it.
pub(super) fn parse(text: &str) -> Result<(Origin, Vec<Line>), String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.lines();
    if lines.next() != Some(HEAD) {
        return Err(format!("it does not begin with `{HEAD}`"));
    }
    let place = lines.next().unwrap_or_default().parse()?;
    let lines = lines.map(str::parse).collect::<Result<_, _>>()?;
    Ok((place, lines))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number"))
}

fn quoted(text: &str) -> Result<Vec<u8>, String> {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let inner = inner.ok_or("bytes must be in quotes")?;
    crate::linear::unescaped(inner.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_comes_back_and_a_torn_line_does_not() {
        let place = Origin {
            seed: 7,
            profile: Profile::Raft,
            members: 3,
            member: Some(1),
            wild: true,
        };
        let line = |events, given| Line {
            events,
            time: events * 10,
            digest: "ab".to_owned(),
            given,
        };
        let lines = vec![
            line(1, Some(Given::Comes(1))),
            line(2, Some(Given::Sends(1, b"*1\r\n \"\\ \xff\0".to_vec()))),
            line(3, Some(Given::Goes(1))),
            line(4, None),
        ];
        let written: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let text = format!("{HEAD}\n{place}\n{}\n", written.join("\n"));
        assert_eq!(parse(&text), Ok((place.clone(), lines.clone())), "{text}");
        let torn = &text[..text.len() - 3];
        assert_eq!(parse(torn), Ok((place, lines[..3].to_vec())));
        assert!(parse("sim session 9\n").is_err());
    }
}
