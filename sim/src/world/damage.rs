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
use crate::decisions::address::Address;
use crate::decisions::decision::{Decision, Harm, Strike};
use crate::disk::{FakeDisk, Profile};
use crate::draws::{Dice, Stream};
use crate::goals::Fault;
use crate::image::Image;
use crate::states::RareState;

/// The bytes that a disk reads and writes at once.
const SECTOR: u64 = 512;

/// So often a member is damaged at most before it is whole again.
const HARMS_MAX: usize = 3;

/// The original content of a damaged place, to be put back.
#[derive(Clone, Debug)]
pub(super) struct Harmed {
    file: FileName,
    offset: usize,
    bytes: Vec<u8>,
}

/// Bytes from the start of a file.
type Extent = (FileName, u64);

/// The extents of a disk that are known to be synced, the base and the log, file by file. The mark
/// that knows it is synced itself, so that no failure of the power takes the knowledge away.
fn known_synced(disk: &FakeDisk) -> Option<Vec<Extent>> {
    let mut without_power = disk.clone();
    without_power.crash(Profile::Lost);
    let durable = known_to_mark(without_power)?;
    let mut known = known_to_mark(disk.clone())?;
    known.retain_mut(|(file, end)| {
        let same = durable.iter().find(|(name, _)| name == file);
        *end = same.map_or(0, |(_, durable)| *durable.min(end));
        *end > 0
    });
    Some(known)
}

/// The extents that the last mark knows to be synced.
fn known_to_mark(mut disk: FakeDisk) -> Option<Vec<Extent>> {
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

impl Member {
    /// Returns true if its disk was damaged, and it is not known to be whole again.
    pub(super) fn is_harmed(&self) -> bool {
        !self.harm.is_empty()
    }

    /// How many voters decide, as its node knows, or knew when it was last up: who leads alone is
    /// at times the only one who knows that.
    fn deciding(&self) -> Option<usize> {
        let raft = self.node.as_ref().and_then(Node::raft);
        let known = raft.map(|raft| voters(raft.in_force()).min(voters(raft.membership())));
        known.or(self.decided)
    }

    /// Keeps that beyond the end of its node.
    pub(super) fn keep_deciding(&mut self) {
        self.decided = self.deciding();
    }
}

impl World {
    /// How many members may lack something, as far as anybody knows or knew.
    fn bearable(&self) -> usize {
        let sizes = self.members.iter().filter_map(Member::deciding);
        sizes.min().map_or(0, |least| least.saturating_sub(1) / 2)
    }

    /// Returns true if the group can bear that this member, too, lacks something.
    fn can_bear_more(&self, number: usize) -> bool {
        let lacks = |member: &Member| member.is_harmed() || member.lost;
        let lacking = self.members.iter().filter(|member| lacks(member)).count();
        !lacks(&self.members[number]) && lacking < self.bearable()
    }

    /// Returns true if something of what this member has synced may be damaged. One that lacks
    /// something already, and is under repair, may lose more.
    fn may_be_damaged(&self, number: usize) -> bool {
        let member = &self.members[number];
        let again = !member.lost && (1..HARMS_MAX).contains(&member.harm.len());
        again || self.can_bear_more(number)
    }

    /// A member that has gone down may find its disk damaged or replaced when it comes back.
    pub(super) fn harm_disk(&mut self, number: usize) {
        if self.healed || self.decisions.are_scripted() {
            return;
        }
        let life = self.members[number].life;
        let down = Address::Down {
            member: number,
            life: life - 1,
        };
        let mut dice = self.dice(Stream::DAMAGE, number as u64, life);
        if dice.permille(self.scenario.damage)
            && self.may_be_damaged(number)
            && let Some((file, at, harm)) = self.draw_damage(number, &mut dice)
            && self.damage(number, file, at, harm)
        {
            self.record(Some(down.clone()), || Strike::Damage { file, at, harm });
        }
        let mut dice = self.dice(Stream::DAMAGE, 1 << 32 | number as u64, life);
        if dice.permille(self.scenario.wipes) && self.wipe(number) {
            self.record(Some(down), || Strike::Wipe);
        }
    }

    fn draw_damage(&self, number: usize, dice: &mut Dice) -> Option<(FileName, u64, Harm)> {
        let extents = known_synced(&self.members[number].disk).filter(|all| !all.is_empty())?;
        let (file, end) = *dice.pick(&extents);
        let (at, how) = (dice.below(end), dice.below(3));
        let harm = match how {
            0 => Harm::Bit(dice.below(8) as u8),
            1 => Harm::Zeros,
            _ => Harm::Sector(dice.below(end / SECTOR + 1)),
        };
        Some((file, at, harm))
    }

    /// The disk of a member that is down is replaced by an empty one, where the group can bear it:
    /// the member is another from now on, and must be removed and added again.
    pub(super) fn wipe(&mut self, number: usize) -> bool {
        if !self.can_bear_more(number) || !self.is_formed_without(number) {
            return false;
        }
        let member = &mut self.members[number];
        self.agreement.departs(number, member.incarnation());
        member.wipe(&self.scenario);
        self.fired(Fault::Wipe);
        self.tell(|| format!("member {number}: its disk is wiped"));
        self.plan_wish(number);
        true
    }

    /// Something of what a member that is down has synced is damaged, where the group can bear it.
    pub(super) fn damage(&mut self, number: usize, file: FileName, at: u64, harm: Harm) -> bool {
        if !self.may_be_damaged(number) {
            return false;
        }
        let member = &mut self.members[number];
        let extents = known_synced(&member.disk).unwrap_or_default();
        let known = extents.iter().find(|(name, _)| *name == file);
        let Some((_, end)) = known.filter(|(_, end)| at < *end) else {
            return false;
        };
        let Some(harmed) = strike(member, file, *end, at, harm) else {
            return false;
        };
        let (offset, length) = (harmed.offset, harmed.bytes.len());
        let is_first = member.harm.is_empty();
        member.harm.push(harmed);
        member.harms += 1;
        self.fired(Fault::Damage);
        if !is_first {
            self.judge.goals.met(RareState::DamagedAgain);
        }
        self.tell(|| format!("member {number}: {length} bytes at {offset} of {file} are damaged"));
        true
    }

    /// Keeps a copy of the disk of a member that has gone down, where a script wants it back.
    pub(super) fn keep_copy(&mut self, number: usize, life: u64) {
        let is_wanted = |decision: &Decision| {
            matches!(decision.address, Address::Down { member, .. } if member == number)
                && matches!(decision.strike, Strike::Rewind { life: wanted } if wanted == life)
        };
        if self.decisions.are_scripted() && self.decisions.all().iter().any(is_wanted) {
            let member = &mut self.members[number];
            member.copies.insert(life, member.disk.clone());
        }
    }

    /// The disk of a member that is down is replaced by an older copy of itself.
    ///
    /// Scripts alone do that. Promises of that time hold as long as a leader leads that knows what
    /// the member has forgotten, and in the same term (docs/RAFT.md): a script sees to it that one
    /// does until the member has heard it. A seed could not, and would break what nobody holds.
    pub(super) fn rewind(&mut self, number: usize, life: u64) -> bool {
        let member = &mut self.members[number];
        let Some(copy) = member.copies.get(&life) else {
            return false;
        };
        member.disk = copy.clone();
        member.unsynced.clear();
        member.rewound = true;
        member.harms += 1;
        self.tell(|| format!("member {number}: its disk is again what it was after life {life}"));
        true
    }

    /// Puts damaged data back, as from a copy.
    pub(super) fn mend(&mut self, number: usize) {
        let member = &mut self.members[number];
        while let Some(Harmed {
            file,
            offset,
            bytes,
        }) = member.harm.pop()
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
fn strike(member: &mut Member, file: FileName, end: u64, at: u64, harm: Harm) -> Option<Harmed> {
    let disk = &mut member.disk;
    let (_, image) = disk.files().find(|(name, _)| *name == file)?;
    let start = at / SECTOR * SECTOR;
    let stop = (start + SECTOR).min(end);
    let (offset, before) = match harm {
        Harm::Bit(_) => (at, image.read(at as usize, at as usize + 1)),
        Harm::Zeros | Harm::Sector(_) => (start, image.read(start as usize, stop as usize)),
    };
    let after = match harm {
        Harm::Bit(bit) => vec![before[0] ^ 1 << bit],
        Harm::Zeros => vec![0; before.len()],
        Harm::Sector(sector) => {
            let other = sector.saturating_mul(SECTOR).min(end) as usize;
            let mut other = image.read(other, other + before.len());
            other.resize(before.len(), 0);
            other
        }
    };
    let offset = offset as usize;
    (after != before).then(|| {
        disk.overwrite(file, offset, &after);
        let bytes = before;
        Harmed {
            file,
            offset,
            bytes,
        }
    })
}
