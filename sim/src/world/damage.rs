//! Damage at rest in a group: bits flip, a sector reads as zeros, or as another one, or a disk is
//! replaced by an empty one.
//!
//! An atlas of who is harmed keeps it within what a group can bear: of n voters at most
//! ⌊(n−1)/2⌋ lack anything at a time, whatever it is, and only what a later record knows to be
//! synced is harmed. A lone server keeps what it has acknowledged.

use seedis::disk::{FileKind, FileName};
use seedis::node::Node;
use seedis::node::inspect::Inspection;
use seedis::raft::{Membership, Raft};

use super::World;
use super::member::Member;
use crate::disk::FakeDisk;
use crate::draws::{Dice, Stream};
use crate::goals::Fault;
use crate::image::Image;

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
    let mut disk = disk.clone();
    let (mut inspection, mut asked) = Inspection::new();
    while let Some((ticket, op)) = asked {
        asked = inspection.completed(ticket, disk.perform(op));
    }
    let found = inspection.found();
    let (last, end) = found.synced.filter(|_| found.refused.is_none())?;
    let bases = disk
        .files()
        .filter(|(file, _)| file.kind() == FileKind::Base);
    // One that does not count may still be there.
    let counts = found.base.is_some() && bases.count() == 1;
    let extent = |(file, image): (FileName, &Image)| {
        let length = image.written().len() as u64;
        let extent = match file.kind() {
            FileKind::Base if counts => length,
            FileKind::Log if file < last => length,
            FileKind::Log if file == last => length.min(end),
            _ => 0,
        };
        (extent > 0).then_some((file, extent))
    };
    Some(disk.files().filter_map(extent).collect())
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

    /// Whether the group can bear that a member, too, lacks something.
    fn can_bear_more(&self, number: usize) -> bool {
        let lacks = |member: &Member| member.harm.is_some() || member.lost;
        let lacking = self.members.iter().filter(|member| lacks(member)).count();
        !lacks(&self.members[number]) && lacking < self.bearable()
    }

    /// The disk of a member that is down is replaced by an empty one, where the group can bear it:
    /// the member is another from now on, and must be removed and added again.
    pub(super) fn wipe(&mut self, number: usize) {
        let (key, life) = (1 << 32 | number as u64, self.members[number].life);
        let mut dice = self.dice(Stream::DAMAGE, key, life);
        if self.healed || !dice.permille(self.scenario.wipes) || !self.can_bear_more(number) {
            return;
        }
        let member = &mut self.members[number];
        self.agreement.departs(number, member.incarnation());
        member.wipe(&self.scenario);
        self.fired(Fault::Wipe);
        self.tell(|| format!("member {number}: its disk is wiped"));
        self.plan_wish(number);
    }

    /// Something of what a member that is down has synced is damaged, where the group can bear it.
    pub(super) fn damage(&mut self, number: usize) {
        let life = self.members[number].life;
        let mut dice = self.dice(Stream::DAMAGE, number as u64, life);
        if self.healed || !dice.permille(self.scenario.damage) {
            return;
        }
        if !self.can_bear_more(number) {
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

    /// Members that cannot vote now, since they are under repair or no members any more, as bits.
    pub(super) fn lacking(&self) -> u64 {
        let lost = self.members.iter().filter(|member| member.lost);
        let lost: u64 = lost.map(|member| 1 << member.number).sum();
        lost | self.under_repair()
    }

    /// Members that are under repair, as bits.
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
