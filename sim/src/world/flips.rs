//! Bits that flip in the files of a server of its own while it is down.

use seedis::disk::FileName;

use super::World;
use crate::decisions::address::Address;
use crate::decisions::decision::Strike;
use crate::draws::Dice;
use crate::goals::Fault;
use crate::image::Image;

impl World {
    /// A bit of one of a member's files flips.
    pub(super) fn flip(&mut self, number: usize, dice: &mut Dice) {
        let member = &mut self.members[number];
        let files = member.disk.files();
        let files = files.map(|(file, image)| (file, image.written().len()));
        let files: Vec<(FileName, usize)> = files.filter(|(_, len)| *len > 0).collect();
        if files.is_empty() || member.flipped.is_some() {
            return;
        }
        let (file, len) = *dice.pick(&files);
        let (at, bit) = (dice.below(len as u64) as usize, dice.below(8) as u8);
        let life = member.life - 1;
        if self.flip_bit(number, file, at, bit) {
            let down = Address::Down {
                member: number,
                life,
            };
            self.record(Some(down), || Strike::Flip { file, at, bit });
        }
    }

    /// A certain bit flips, if it is there.
    pub(super) fn flip_bit(&mut self, number: usize, file: FileName, at: usize, bit: u8) -> bool {
        let member = &mut self.members[number];
        let is_there =
            |(name, image): (FileName, &Image)| name == file && at < image.written().len();
        let flips = member.flipped.is_none() && member.disk.files().any(is_there);
        if flips {
            member.disk.flip(file, at, bit);
            member.flipped = Some((file, at, bit));
            self.judge.flipped(number, true);
            self.fired(Fault::Flip);
            self.tell(|| format!("member {number}: bit {bit} of byte {at} of {file} flips"));
        }
        flips
    }

    /// Puts flipped bits right, as from a copy.
    pub(super) fn repair(&mut self, number: usize) {
        if let Some((file, at, bit)) = self.members[number].flipped.take() {
            self.members[number].disk.flip(file, at, bit);
            self.judge.flipped(number, false);
        }
    }
}
