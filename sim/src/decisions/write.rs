//! A script as a `.sim` file.

use std::fmt;

use super::address::Address;
use super::decision::{Act, Deal, Decision, Fate, Harm, Leave, Strike};
use super::script::Script;
use super::words::{time, word};
use crate::disk::{NO_SPACE, Profile};
use crate::judge::End;
use crate::workload::Piece;

/// The names of what a crash does to a disk.
pub(super) const PROFILES: [(Profile, &str); 5] = [
    (Profile::OrderedPrefix, "prefix"),
    (Profile::AnySubset, "subset"),
    (Profile::SizeFirst, "size-first"),
    (Profile::Torn, "torn"),
    (Profile::Lost, "lost"),
];

/// The names of how a process ends.
pub(super) const ENDS: [(End, &str); 3] = [
    (End::Power, "power"),
    (End::Process, "process"),
    (End::Stop, "stop"),
];

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "# {remark}")?;
        }
        writeln!(f, "fires {}", self.fires)?;
        writeln!(f, "from {} {}", self.profile.name(), self.seed)?;
        if self.steady {
            writeln!(f, "steady")?;
        }
        for (key, value) in &self.settings {
            writeln!(f, "set {key} {value}")?;
        }
        if !self.decisions.is_empty() {
            writeln!(f)?;
        }
        for decision in &self.decisions {
            writeln!(f, "{decision}")?;
        }
        if !self.acts.is_empty() {
            writeln!(f)?;
        }
        for act in &self.acts {
            writeln!(f, "{act}")?;
        }
        Ok(())
    }
}

/// 1st, 2nd, 3rd, 4th.
fn nth(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { member, at } => match member {
                Some(member) => write!(f, "n{} at {}", member + 1, time(*at)),
                None => write!(f, "all at {}", time(*at)),
            },
            Self::Frame { term, nth, .. } => self.place(f, *nth, &format!("in term {term}")),
            Self::Point { life, nth, .. } | Self::Deed { life, nth, .. } => {
                self.place(f, *nth, &format!("in life {life}"))
            }
            Self::Since { place, at, nth } => {
                place.place(f, *nth, &format!("from {} on", time(*at)))
            }
            Self::Down { member, life } => write!(f, "n{} down after life {life}", member + 1),
            Self::End => f.write_str("all at the end"),
        }
    }
}

impl Address {
    /// A place that is passed again and again, which time of them, and counted from when on.
    fn place(&self, f: &mut fmt::Formatter<'_>, times: u64, scope: &str) -> fmt::Result {
        let n = nth(times);
        match self {
            Self::Frame { kind, from, to, .. } => {
                let (kind, from, to) = (kind.name(), from + 1, to + 1);
                write!(f, "{n} {kind} n{from}>n{to} {scope}")
            }
            Self::Point { member, point, .. } => {
                write!(f, "n{} behind {n} {} {scope}", member + 1, point.name())
            }
            Self::Deed { member, deed, .. } => {
                write!(f, "{n} {} of n{} {scope}", deed.name(), member + 1)
            }
            Self::Time { .. } | Self::Down { .. } | Self::End | Self::Since { .. } => {
                f.write_str(scope)
            }
        }
    }
}

/// The members of a set of bits.
fn names(members: u64) -> String {
    let named = (0..64).filter(|m| members >> m & 1 == 1);
    let named: Vec<String> = named.map(|m| format!("n{}", m + 1)).collect();
    named.join(" ")
}

fn fate(fate: &Fate) -> String {
    let profile = PROFILES
        .iter()
        .find(|(profile, _)| *profile == fate.profile);
    let profile = profile.map_or("", |(_, name)| name);
    let Fate {
        dice, arrive, back, ..
    } = fate;
    let back = time(*back);
    format!("{profile}, dice {dice}, {arrive} arrive, back in {back}")
}

impl Strike {
    /// Its verb, and what is said of it.
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::Lose => ("lose", String::new()),
            Self::Copy { after } => ("copy", time(*after)),
            Self::Delay { after } => ("delay", time(*after)),
            Self::Stall { by } => ("stall", time(*by)),
            Self::FailSync { dice } => ("fail", format!("dice {dice}")),
            Self::FailOp { dice, code, stays } => {
                let stays = if *stays { ", for good" } else { "" };
                ("fail", format!("dice {dice}, error {code}{stays}"))
            }
            Self::Stick { files, by, length } => {
                let (by, length) = (time(*by), time(*length));
                ("stick", format!("{}, {by} more, {length}", files.name()))
            }
            Self::Crash { end, fate: what } => {
                let known = ENDS.iter().find(|(known, _)| known == end);
                let end = known.map_or("", |(_, name)| name);
                ("crash", format!("{end}, {}", fate(what)))
            }
            Self::Stop => ("stop", String::new()),
            Self::Hold { length } => ("hold", time(*length)),
            Self::Pause { length } => ("pause", time(*length)),
            Self::Freeze { length } => ("freeze", time(*length)),
            Self::Jump { by_us } => {
                let sign = if *by_us < 0 { "-" } else { "+" };
                let by = time(by_us.unsigned_abs().saturating_mul(1000));
                ("jump", format!("{sign}{by}"))
            }
            Self::Drift { ppm } => ("drift", format!("{ppm} ppm")),
            Self::Fill {
                space,
                length,
                code,
            } => {
                let why = match *code {
                    NO_SPACE => String::new(),
                    code => format!(", error {code}"),
                };
                (
                    "fill",
                    format!("{space} bytes left, {}{why}", time(*length)),
                )
            }
            Self::Slow { by, length } => ("slow", format!("{} more, {}", time(*by), time(*length))),
            Self::Cut {
                hears,
                speaks,
                length,
            } => {
                let how = match (hears, speaks) {
                    (false, false) => "deaf and mute",
                    (false, true) => "deaf",
                    (true, false) => "mute",
                    (true, true) => "whole",
                };
                ("cut", format!("{how}, {}", time(*length)))
            }
            Self::Lag { by, mute, length } => {
                let mute = if *mute { "mute, " } else { "" };
                let (by, length) = (time(*by), time(*length));
                ("lag", format!("{by} late, {mute}{length}"))
            }
            Self::Part {
                hears,
                length,
                turns,
            } => {
                let each = (1..).zip(hears);
                let each = each.map(|(m, heard)| format!("n{m} hears {}, ", names(*heard)));
                let turns = turns.map_or_else(String::new, |t| format!(" in turns of {}", time(t)));
                let (each, length) = (each.collect::<String>(), time(*length));
                ("part", format!("{each}{length}{turns}"))
            }
            Self::Flip { file, at, bit } => ("flip", format!("bit {bit} of byte {at} of {file}")),
            Self::Damage { file, at, harm } => {
                let harm = match harm {
                    Harm::Bit(bit) => format!("bit {bit}"),
                    Harm::Zeros => "zeros".to_owned(),
                    Harm::Sector(sector) => format!("sector {sector}"),
                };
                ("damage", format!("{harm} at {at} of {file}"))
            }
            Self::Wipe => ("wipe", String::new()),
            Self::Rewind { life } => ("rewind", format!("to what it was after life {life}")),
            Self::Abandon { members } => ("abandon", names(*members)),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, what) = self.strike.words();
        write!(f, "{verb} {}", self.address)?;
        if what.is_empty() {
            return Ok(());
        }
        write!(f, ": {what}")
    }
}

fn joined(words: &[Vec<u8>]) -> String {
    let words: Vec<String> = words.iter().map(|bytes| word(bytes)).collect();
    words.join(" ")
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {} at {} ", self.client + 1, time(self.at))?;
        match &self.deal {
            Deal::Connect { member, slow } => {
                write!(f, "connects n{}", member + 1)?;
                match slow {
                    None => Ok(()),
                    Some(slow) => write!(f, " window {} each {}", slow.window, time(slow.each)),
                }
            }
            Deal::Ask(Piece::Request(words)) => write!(f, "asks {}", joined(words)),
            Deal::Ask(Piece::Inline(words)) => write!(f, "types {}", joined(words)),
            Deal::Ask(Piece::Behind(words)) => write!(f, "adds {}", joined(words)),
            Deal::Ask(Piece::Mangled(bytes)) => write!(f, "says {}", word(bytes)),
            Deal::Ask(Piece::Garbage {
                bytes,
                complaint,
                limit,
            }) => {
                let limit = if *limit { " at-the-limit" } else { "" };
                let complaint = word(complaint.as_bytes());
                write!(f, "errs {} complaint {complaint}{limit}", word(bytes))
            }
            Deal::Twins { dice } => write!(f, "tries twins {dice}"),
            Deal::Leave { cut, how } => match how {
                Leave::End => write!(f, "closes behind {cut} bytes"),
                Leave::Half => write!(f, "ends behind {cut} bytes"),
                Leave::Reset => write!(f, "resets behind {cut} bytes"),
            },
            Deal::GiveUp => f.write_str("gives up"),
        }
    }
}
