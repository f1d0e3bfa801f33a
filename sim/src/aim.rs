//! The messages that are rare, and the fates that are kept for them.

use seedis::raft::entry::EntryKind;
use seedis::raft::message::Message;

use crate::draws::Dice;

/// The fate of a rare message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    Lose,
    /// It comes so long after it was sent.
    Late(u64),
    /// It comes once more, so long after it was sent.
    Again(u64),
    /// The member that sends it is struck, or the one that hears it.
    Sender,
    Receiver,
}

impl Aim {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let after = dice.within(300_000_000, 4_000_000_000);
        match dice.below(8) {
            0 => Self::Lose,
            1 | 2 => Self::Late(after),
            3 => Self::Again(after),
            4 | 5 => Self::Sender,
            _ => Self::Receiver,
        }
    }
}

/// Returns true if a message says that leadership or members change, or that a state comes.
pub(crate) fn is_rare(message: &Message) -> bool {
    match message {
        Message::TimeoutNow | Message::SnapshotOffer { .. } => true,
        Message::Append(append) => {
            let mut entries = append.entries.iter();
            entries.any(|entry| entry.kind == EntryKind::Membership)
        }
        _ => false,
    }
}
