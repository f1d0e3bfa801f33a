//! Damage at rest in a group: bits flip, a sector reads as zeros, or as another one.
//!
//! An atlas of who is harmed keeps it within what a group can bear: of n voters at most
//! ⌊(n−1)/2⌋ lack anything at a time, whatever it is, and only what a later record knows to be
//! synced is harmed. A lone server keeps what it has acknowledged.

use seedis::aof::manifest::Manifest;
use seedis::aof::record::{self, Found, Head, Place};
use seedis::disk::{FileKind, FileName};
use seedis::node::Node;
use seedis::raft::{Membership, Raft};

use super::World;
use super::member::Member;
use crate::disk::FakeDisk;
use crate::draws::{Dice, Stream};
use crate::goals::Fault;

/// What a disk reads and writes at once, in bytes.
const SECTOR: u64 = 512;

/// What stood in the place of damage, to be put back.
#[derive(Clone, Debug)]
pub(super) struct Harm {
    file: FileName,
    offset: usize,
    bytes: Vec<u8>,
}

/// Bytes from the start of a file.
type Extent = (FileName, u64);

/// What of a disk its last mark knows to be synced: the base and the log, file by file.
fn known_synced(disk: &FakeDisk) -> Option<Vec<Extent>> {
    let image = |name: FileName| {
        let found = disk.files().find(|(file, _)| *file == name);
        found.map(|(_, image)| image.read(0, image.len()))
    };
    let manifest = Manifest::decode(&image(FileName::MANIFEST)?)?;
    let (mut predecessor, mut synced) = (manifest.predecessor, Place::default());
    let mut ends = Vec::new();
    let mut segment = manifest.first_segment;
    while let Some(bytes) = image(FileName::new(FileKind::Log, segment)) {
        let mut offset = 0;
        while let Found::Record {
            payload,
            sum,
            length,
        } = record::find(&bytes[offset as usize..], Place { segment, offset })
        {
            let Some((head, _)) =
                Head::decode(payload).filter(|(h, _)| h.predecessor == predecessor)
            else {
                break;
            };
            synced = synced.max(head.synced);
            predecessor = sum;
            offset += length as u64;
        }
        if offset == 0 {
            break;
        }
        ends.push((segment, offset));
        segment += 1;
    }
    // The base counts only once the record behind it is synced.
    let base = FileName::new(FileKind::Base, manifest.base);
    let base = image(base)
        .filter(|_| manifest.base > 0 && !ends.is_empty())
        .map(|bytes| (base, bytes.len() as u64));
    let logs = ends.into_iter().filter_map(|(segment, end)| {
        let end = match segment.cmp(&synced.segment) {
            std::cmp::Ordering::Less => end,
            std::cmp::Ordering::Equal => end.min(synced.offset),
            std::cmp::Ordering::Greater => 0,
        };
        (end > 0).then_some((FileName::new(FileKind::Log, segment), end))
    });
    Some(logs.chain(base).collect())
}

/// The voters of the smaller half.
fn voters(membership: &Membership) -> usize {
    match membership {
        Membership::Stable { voters, .. } => voters.len(),
        Membership::Joint { old, new, .. } => old.len().min(new.len()),
    }
}

impl World {
    /// How many members may lack something, as far as anybody who is up knows.
    fn bearable(&self) -> usize {
        let rafts = self
            .members
            .iter()
            .filter_map(|member| member.node.as_ref());
        let rafts = rafts.filter_map(Node::raft);
        let sizes = rafts.flat_map(|raft| [voters(raft.in_force()), voters(raft.membership())]);
        sizes.min().map_or(0, |least| least.saturating_sub(1) / 2)
    }

    /// Something of what a member that is down has synced is damaged, where the group can bear it.
    pub(super) fn damage(&mut self, number: usize) {
        let life = self.members[number].life;
        let mut dice = self.dice(Stream::DAMAGE, number as u64, life);
        if self.healed || !dice.permille(self.scenario.damage) {
            return;
        }
        let harmed = self.members.iter().filter(|m| m.harm.is_some()).count();
        if self.members[number].harm.is_some() || harmed >= self.bearable() {
            return;
        }
        let member = &mut self.members[number];
        let extents = known_synced(&member.disk).unwrap_or_default();
        if extents.is_empty() {
            return;
        }
        let (file, end) = *dice.pick(&extents);
        let (at, how) = (dice.below(end), dice.below(3));
        let Some(harm) = strike(member, file, end, at, how, &mut dice) else {
            return;
        };
        let (offset, length) = (harm.offset, harm.bytes.len());
        member.harm = Some(harm);
        member.harms += 1;
        self.fired(Fault::Damage);
        self.tell(|| format!("member {number}: {length} bytes at {offset} of {file} are damaged"));
    }

    /// What was damaged is put back, as from a copy.
    pub(super) fn mend(&mut self, number: usize) {
        let member = &mut self.members[number];
        if let Some(Harm {
            file,
            offset,
            bytes,
        }) = member.harm.take()
        {
            member.disk.overwrite(file, offset, &bytes);
        }
    }

    /// Members that lack something, as bits.
    pub(super) fn under_repair(&self) -> u64 {
        let lacks = |member: &&Member| {
            let raft = member.node.as_ref().and_then(Node::raft);
            raft.is_some_and(Raft::is_repairing)
        };
        let members = self.members.iter().filter(lacks);
        members.map(|member| 1 << member.number).sum()
    }
}

/// Damages a file in front of `end`; gives what stood there, or nothing where that is the same.
fn strike(
    member: &mut Member,
    file: FileName,
    end: u64,
    at: u64,
    how: u64,
    dice: &mut Dice,
) -> Option<Harm> {
    let disk = &mut member.disk;
    let (_, image) = disk.files().find(|(name, _)| *name == file)?;
    let start = at / SECTOR * SECTOR;
    let stop = (start + SECTOR).min(end);
    let (offset, before) = if how == 0 {
        (at, image.read(at as usize, at as usize + 1))
    } else {
        (start, image.read(start as usize, stop as usize))
    };
    let after = match how {
        0 => vec![before[0] ^ 1 << dice.below(8)],
        1 => vec![0; before.len()],
        _ => {
            let other = dice.below(end / SECTOR + 1) * SECTOR;
            let mut other = image.read(other as usize, other as usize + before.len());
            other.resize(before.len(), 0);
            other
        }
    };
    let offset = offset as usize;
    (after != before).then(|| {
        disk.overwrite(file, offset, &after);
        let bytes = before;
        Harm {
            file,
            offset,
            bytes,
        }
    })
}
