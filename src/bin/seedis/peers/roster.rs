//! The file `members` of the data directory: who this member is, and where its peers are reached,
//! so that starting it again needs no more than the directory.
//!
//! ```text
//! own 1 9f3a60c2d1b7e845 :16379 member
//! member 2 10.0.0.2:16379
//! ```
//!
//! It is a help for connecting, not a part of the group's state: who is a member stands in the log.
#![expect(
    clippy::disallowed_types,
    reason = "this file is the shell's own, and no part of what the core keeps"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use seedis::ids::{Incarnation, NodeId};

use crate::replace::replace;

const NAME: &str = "members";
const TITLE: &str = "# Written by seedis: this member, and where it reaches the others.\n";

/// How far a member has come into its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is forming the group with others.
    Forming,
    /// It wants to be taken in.
    Joining,
    /// It is one of it, or was.
    Member,
    /// It was one of it, and knows that it was removed.
    Removed,
}

/// The facts that a member keeps about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) id: NodeId,
    /// The life of its disk, until the log knows it.
    pub(crate) incarnation: Incarnation,
    /// The address at which its peers reach it; without a host, at whatever host they see.
    pub(crate) address: String,
    pub(crate) progress: Progress,
}

/// The file and what stands in it.
#[derive(Debug)]
pub(crate) struct Roster {
    directory: PathBuf,
    pub(crate) own: Option<Own>,
    /// The member that it asks to be taken in.
    pub(crate) door: Option<String>,
    /// The other members, by what peers said last.
    pub(crate) contacts: BTreeMap<NodeId, String>,
}

impl Roster {
    /// Reads the file of a data directory; empty where there is none.
    pub(crate) fn load(directory: &Path) -> Result<Self, String> {
        let mut roster = Self {
            directory: directory.to_path_buf(),
            own: None,
            door: None,
            contacts: BTreeMap::new(),
        };
        let path = directory.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(roster),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        for (number, line) in text.lines().enumerate() {
            roster.take(line).ok_or_else(|| {
                let (path, number) = (path.display(), number + 1);
                format!("{path}: line {number} is not understood by this version: {line}")
            })?;
        }
        Ok(roster)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["own", id, incarnation, address, progress] => {
                self.own = Some(Own {
                    id: NodeId(id.parse().ok()?),
                    incarnation: Incarnation(u64::from_str_radix(incarnation, 16).ok()?),
                    address: address.to_owned(),
                    progress: match progress {
                        "forming" => Progress::Forming,
                        "joining" => Progress::Joining,
                        "member" => Progress::Member,
                        "removed" => Progress::Removed,
                        _ => return None,
                    },
                });
            }
            ["door", address] => self.door = Some(address.to_owned()),
            ["member", id, address] => {
                let id = NodeId(id.parse().ok()?);
                self.contacts.insert(id, address.to_owned());
            }
            _ => return None,
        }
        Some(())
    }

    fn text(&self) -> String {
        let mut text = String::from(TITLE);
        if let Some(own) = &self.own {
            let progress = match own.progress {
                Progress::Forming => "forming",
                Progress::Joining => "joining",
                Progress::Member => "member",
                Progress::Removed => "removed",
            };
            let (id, incarnation, address) = (own.id.0, own.incarnation.0, &own.address);
            let _ = writeln!(text, "own {id} {incarnation:016x} {address} {progress}");
        }
        if let Some(door) = &self.door {
            let _ = writeln!(text, "door {door}");
        }
        for (id, address) in &self.contacts {
            let _ = writeln!(text, "member {} {address}", id.0);
        }
        text
    }

    /// Writes the file, durably: what it says of this member is said to others next.
    ///
    /// A file that says the same already is left: a member starts on a full disk too.
    pub(crate) fn save(&self) -> Result<(), String> {
        let path = self.directory.join(NAME);
        let new = self.directory.join(format!("{NAME}.new"));
        let text = self.text();
        if fs::read_to_string(&path).is_ok_and(|there| there == text)
            && File::open(&path).and_then(|file| file.sync_all()).is_ok()
        {
            return Ok(());
        }
        let write = || {
            fs::create_dir_all(&self.directory)?;
            replace(&path, &new, text.as_bytes())
        };
        write().map_err(|error: io::Error| {
            // A part of a file would stand in the way of nothing, and puzzle whoever sees it.
            let _ = fs::remove_file(&new);
            format!("cannot write {}: {error}", path.display())
        })
    }

    /// Returns true if the file names this member as it is, whatever it says of others.
    pub(crate) fn knows_itself(&self) -> bool {
        Self::load(&self.directory).is_ok_and(|there| there.own.is_some() && there.own == self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_is_refused() {
        let mut roster = Roster {
            directory: PathBuf::from("nowhere"),
            own: Some(Own {
                id: NodeId(3),
                incarnation: Incarnation(0xabc),
                address: ":16379".into(),
                progress: Progress::Joining,
            }),
            door: Some("here:1".into()),
            contacts: BTreeMap::from([(NodeId(1), "10.0.0.1:16379".to_owned())]),
        };
        let text = roster.text();
        let mut read = Roster {
            directory: PathBuf::new(),
            own: None,
            door: None,
            contacts: BTreeMap::new(),
        };
        assert!(text.lines().all(|line| read.take(line).is_some()));
        assert_eq!(read.text(), text);
        assert_eq!(roster.take("own 1 2 3"), None);
        assert_eq!(roster.take("member x 10.0.0.1:1"), None);
    }

    #[test]
    fn a_file_that_says_the_same_is_not_written_again() {
        let name = format!("seedis-roster-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let mut roster = Roster::load(&directory).unwrap();
        roster.own = Some(Own {
            id: NodeId(3),
            incarnation: Incarnation(0xabc),
            address: ":16379".into(),
            progress: Progress::Member,
        });
        assert!(!roster.knows_itself());
        roster.save().unwrap();
        // Nothing can be created under this name any more.
        fs::create_dir(directory.join("members.new")).unwrap();
        roster.save().unwrap();
        roster.contacts.insert(NodeId(1), "10.0.0.1:16379".into());
        assert!(roster.save().is_err());
        assert!(roster.knows_itself());
        roster.own = None;
        assert!(!roster.knows_itself());
        fs::remove_dir_all(&directory).unwrap();
    }
}
