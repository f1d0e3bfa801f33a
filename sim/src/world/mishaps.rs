//! Faults that somebody asks for by name, instead of drawing them.

use std::fmt;
use std::str::FromStr;

use super::World;
use crate::decisions::decision::Strike;
use crate::disk::NO_SPACE;
use crate::judge::End;

/// The faults that can be asked for, and their words.
pub(crate) const MISHAPS: [(&str, &str); 9] = [
    (
        "CRASH n",
        "the power of member n fails; it restarts by itself",
    ),
    (
        "KILL n",
        "the process of member n dies; it restarts by itself",
    ),
    ("STOP n", "member n is shut down; it restarts by itself"),
    ("PAUSE n ms", "member n stands still for ms milliseconds"),
    ("CUT n", "member n is cut off from the others, until HEAL"),
    (
        "PARTITION n...",
        "these members are parted from the others, until HEAL",
    ),
    (
        "JUMP n ms",
        "the wall clock of member n jumps by ms milliseconds; backwards if negative",
    ),
    ("FULL n", "the disk of member n has no space, until HEAL"),
    ("HEAL", "end all faults that last"),
];

/// The length of a fault that somebody has asked for: it lasts until HEAL.
const UNTIL_HEALED: u64 = u64::MAX;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    Crash(usize),
    Kill(usize),
    Stop(usize),
    Pause(usize, u64),
    Cut(usize),
    Partition(Vec<usize>),
    Jump(usize, i64),
    Full(usize),
    Heal,
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(member) => write!(f, "CRASH {member}"),
            Self::Kill(member) => write!(f, "KILL {member}"),
            Self::Stop(member) => write!(f, "STOP {member}"),
            Self::Pause(member, ms) => write!(f, "PAUSE {member} {ms}"),
            Self::Cut(member) => write!(f, "CUT {member}"),
            Self::Partition(members) => {
                f.write_str("PARTITION")?;
                members.iter().try_for_each(|member| write!(f, " {member}"))
            }
            Self::Jump(member, ms) => write!(f, "JUMP {member} {ms}"),
            Self::Full(member) => write!(f, "FULL {member}"),
            Self::Heal => f.write_str("HEAL"),
        }
    }
}

impl FromStr for Mishap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        fn number<T: FromStr>(word: &str) -> Result<T, String> {
            word.parse().map_err(|_| format!("{word} is not a number"))
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let name = words.first().map(|name| name.to_ascii_uppercase());
        let name = name.unwrap_or_default();
        Ok(match (&name[..], words.get(1..).unwrap_or_default()) {
            ("CRASH", [member]) => Self::Crash(number(member)?),
            ("KILL", [member]) => Self::Kill(number(member)?),
            ("STOP", [member]) => Self::Stop(number(member)?),
            ("PAUSE", [member, ms]) => Self::Pause(number(member)?, number(ms)?),
            ("CUT", [member]) => Self::Cut(number(member)?),
            ("PARTITION", members @ [_, ..]) => {
                let members = members.iter().map(|member| number(member));
                Self::Partition(members.collect::<Result<_, _>>()?)
            }
            ("JUMP", [member, ms]) => Self::Jump(number(member)?, number(ms)?),
            ("FULL", [member]) => Self::Full(number(member)?),
            ("HEAL", []) => Self::Heal,
            _ => return Err(format!("unknown: {text}")),
        })
    }
}

impl World {
    /// A mishap befalls the world. An error says why it cannot.
    pub(crate) fn befall(&mut self, mishap: &Mishap) -> Result<(), String> {
        let count = self.members.len();
        let there = |member: &usize| {
            let missing = format!("there are the members 0 to {}", count - 1);
            if *member < count {
                Ok(*member)
            } else {
                Err(missing)
            }
        };
        match mishap {
            Mishap::Crash(member) => self.ends(there(member)?, End::Power)?,
            Mishap::Kill(member) => self.ends(there(member)?, End::Process)?,
            Mishap::Stop(member) => self.asked(there(member)?, &Strike::Stop)?,
            Mishap::Pause(member, ms) => {
                let length = ms.saturating_mul(1_000_000);
                self.asked(there(member)?, &Strike::Pause { length })?;
            }
            Mishap::Cut(member) => {
                let cut = Strike::Cut {
                    hears: false,
                    speaks: false,
                    length: UNTIL_HEALED,
                };
                self.asked(there(member)?, &cut)?;
            }
            Mishap::Partition(members) => {
                let mut side = 0_u64;
                for member in members {
                    side |= 1 << there(member)?;
                }
                let all = (1 << count) - 1;
                let hears = |member: usize| {
                    if side >> member & 1 == 1 {
                        side
                    } else {
                        all & !side
                    }
                };
                let part = Strike::Part {
                    hears: (0..count).map(hears).collect(),
                    length: UNTIL_HEALED,
                    turns: None,
                };
                // It takes the place of another one.
                self.partition = None;
                self.asked(0, &part)?;
            }
            Mishap::Jump(member, ms) => {
                let by_us = ms.saturating_mul(1000);
                self.asked(there(member)?, &Strike::Jump { by_us })?;
            }
            Mishap::Full(member) => {
                let fill = Strike::Fill {
                    space: 0,
                    length: UNTIL_HEALED,
                    code: NO_SPACE,
                };
                self.asked(there(member)?, &fill)?;
            }
            Mishap::Heal => (0..count).for_each(|member| self.heal_member(member)),
        }
        self.tell(|| format!("asked for: {mishap}"));
        Ok(())
    }

    /// Lets a fault strike that lasts until it is healed, or has no length.
    fn asked(&mut self, member: usize, strike: &Strike) -> Result<(), String> {
        let struck = self.effect(member, strike);
        struck
            .map(|_| ())
            .ok_or_else(|| format!("member {member} cannot be struck so now"))
    }

    fn ends(&mut self, member: usize, end: End) -> Result<(), String> {
        if !self.members[member].is_up() {
            return Err(format!("member {member} is down"));
        }
        self.end(member, end);
        // One end was asked for, and no other behind it.
        self.members[member].doom = None;
        Ok(())
    }

    /// The member that leads, or the only one.
    pub(crate) fn leading(&self) -> Option<usize> {
        let leads = |member: usize| {
            let node = self.members[member].node.as_ref();
            node.is_some_and(|node| node.leads().is_some())
        };
        match self.members.len() {
            1 => self.members[0].is_up().then_some(0),
            count => (0..count).find(|member| leads(*member)),
        }
    }

    /// How all is, a line for each member.
    pub(crate) fn condition(&self) -> String {
        let (seconds, events) = (self.time as f64 / 1e9, self.events);
        let mut lines = vec![format!("{seconds:.6} s, {events} events, {}", self.digest)];
        lines.extend(self.members.iter().map(|member| {
            let cut = if member.cut.is_some() {
                ", cut off"
            } else {
                ""
            };
            let full = if member.disk.space.is_some() {
                ", disk full"
            } else {
                ""
            };
            let still = if member.paused_until > self.time {
                ", stands still"
            } else {
                ""
            };
            format!("{}{cut}{full}{still}", member.condition())
        }));
        if self.partition.is_some() {
            lines.push("the group is parted".to_owned());
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mishaps_are_read_as_they_are_written() {
        for text in [
            "CRASH 0",
            "KILL 1",
            "STOP 2",
            "PAUSE 1 200",
            "CUT 1",
            "PARTITION 0 2",
            "JUMP 2 -500",
            "FULL 0",
            "HEAL",
        ] {
            let mishap: Mishap = text.parse().expect(text);
            assert_eq!(mishap.to_string(), text);
            assert_eq!(text.to_ascii_lowercase().parse(), Ok(mishap));
        }
        for wrong in [
            "",
            "CRASH",
            "CRASH x",
            "PAUSE 1",
            "PARTITION",
            "HEAL 1",
            "BURN 1",
        ] {
            assert!(wrong.parse::<Mishap>().is_err(), "{wrong}");
        }
        assert_eq!(MISHAPS.len(), 9);
    }
}
