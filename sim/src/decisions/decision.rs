//! The decisions in a run: each fault that strikes, and each thing that a client does.

use seedis::disk::FileName;

use super::address::{Address, Files};
use crate::disk::Profile;
use crate::goals::Fault;
use crate::judge::End;
use crate::workload::Piece;

/// The effect of a process's end on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// The data that the loss of power takes.
    pub(crate) profile: Profile,
    /// The disk's own count of draws, from which it draws the rest.
    pub(crate) dice: u64,
    /// How many of the operations that were on their way arrive.
    pub(crate) arrive: usize,
    /// When the process begins anew, in nanoseconds.
    pub(crate) back: u64,
}

/// The content of a damaged place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    /// The same byte with one bit turned.
    Bit(u8),
    /// A sector of zeros.
    Zeros,
    /// Another sector of the file, by its number.
    Sector(u64),
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// A frame is lost.
    Lose,
    /// It arrives a second time, so long after it was sent.
    Copy { after: u64 },
    /// It arrives late, so long after it was sent.
    Delay { after: u64 },
    /// An operation takes so much longer.
    Stall { by: u64 },
    /// A sync fails; the disk draws from there what its cache shows then.
    FailSync { dice: u64 },
    /// Another operation fails with an error of this number; the disk draws from there what is done
    /// of it all the same. If that stays, the file can be read no more.
    FailOp { dice: u64, code: i32, stays: bool },
    /// A process ends.
    Crash { end: End, fate: Fate },
    /// A process is asked to stop.
    Stop,
    /// A process stands still between its inputs and its flush.
    Hold { length: u64 },
    /// A process stands still.
    Pause { length: u64 },
    /// And its clock with it.
    Freeze { length: u64 },
    /// A wall clock jumps, in microseconds.
    Jump { by_us: i64 },
    /// Clocks run faster, in millionths.
    Drift { ppm: i64 },
    /// A disk has so many bytes left for some time, and says why with an error of this number.
    Fill { space: u64, length: u64, code: i32 },
    /// Each sync of a disk takes so much longer for some time.
    Slow { by: u64, length: u64 },
    /// All that is asked of some files takes so much longer for some time.
    Stick { files: Files, by: u64, length: u64 },
    /// A member is cut off from the others.
    Cut {
        hears: bool,
        speaks: bool,
        length: u64,
    },
    /// A member hears the others so much later, and it may be mute meanwhile.
    Lag { by: u64, mute: bool, length: u64 },
    /// The group is parted: for each member those whom it hears, as bits; in turns of so long it
    /// is and is not.
    Part {
        hears: Vec<u64>,
        length: u64,
        turns: Option<u64>,
    },
    /// A bit flips.
    Flip { file: FileName, at: usize, bit: u8 },
    /// Synced data of a member is damaged, as far as its group can bear it.
    Damage { file: FileName, at: u64, harm: Harm },
    /// A disk is replaced by an empty one.
    Wipe,
    /// A disk is replaced by a copy of what it was behind an earlier life.
    Rewind { life: u64 },
    /// Members never come back, as bits.
    Abandon { members: u64 },
}

impl Strike {
    /// Its class, as it is counted.
    pub(crate) fn fault(&self) -> Option<Fault> {
        Some(match self {
            Self::Lose => Fault::Loss,
            Self::Copy { .. } => Fault::Twice,
            Self::Delay { .. } => Fault::Overdue,
            Self::Stall { .. } => Fault::Stall,
            Self::FailSync { .. } => Fault::SyncFails,
            Self::FailOp { .. } => Fault::OpFails,
            Self::Stick { .. } => Fault::Stuck,
            Self::Crash { end, .. } => match end {
                End::Power => Fault::Power,
                End::Process => Fault::Kill,
                End::Stop => Fault::Stop,
            },
            Self::Stop => Fault::Stop,
            Self::Hold { .. } => Fault::MidTurn,
            Self::Pause { .. } => Fault::Pause,
            Self::Freeze { .. } => Fault::Freeze,
            Self::Jump { .. } => Fault::Jump,
            Self::Drift { .. } => Fault::Drift,
            Self::Fill { .. } => Fault::Full,
            Self::Slow { .. } => Fault::SlowDisk,
            Self::Cut { .. } => Fault::Cut,
            Self::Lag { .. } => Fault::Lag,
            Self::Part { .. } => Fault::Partition,
            Self::Flip { .. } => Fault::Flip,
            Self::Damage { .. } => Fault::Damage,
            Self::Wipe => Fault::Wipe,
            // No seed draws it: see `World::rewind`.
            Self::Rewind { .. } | Self::Abandon { .. } => return None,
        })
    }
}

impl Strike {
    /// Returns true if it makes an operation take longer.
    pub(crate) fn stalls(&self) -> bool {
        matches!(self, Self::Stall { .. })
    }

    /// Returns true if it makes an operation fail.
    pub(crate) fn fails(&self) -> bool {
        matches!(self, Self::FailSync { .. } | Self::FailOp { .. })
    }
}

/// A fault and where it falls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) address: Address,
    pub(crate) strike: Strike,
}

/// How a client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It closes.
    End,
    /// It sends no more, and reads on until the end.
    Half,
    /// The connection is reset.
    Reset,
}

/// How slowly a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slowness {
    /// So many bytes may be on their way.
    pub(crate) window: usize,
    /// It takes so long over a piece, in nanoseconds.
    pub(crate) each: u64,
}

/// An action of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deal {
    /// It connects to a member, unless it is connected.
    Connect {
        member: usize,
        slow: Option<Slowness>,
    },
    /// It sends something.
    Ask(Piece),
    /// Its bytes go to two nodes on the side as well, cut by the dice of this number.
    Twins { dice: u64 },
    /// It goes away behind so many bytes of what it sends.
    Leave { cut: usize, how: Leave },
    /// It has waited for too long.
    GiveUp,
}

/// An action of a client, and its time. Actions of one moment are taken at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) client: usize,
    pub(crate) at: u64,
    pub(crate) deal: Deal,
}
