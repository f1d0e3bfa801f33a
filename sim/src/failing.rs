//! The operations of a disk that are to fail, and with which errors.

use crate::decisions::address::{Deed, Part, Verb};
use crate::disk::{BROKEN, NO_SPACE};
use crate::draws::Dice;

/// "Too many open files".
const TOO_MANY: i32 = 24;

/// The next operation of a kind is to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) deed: Deed,
    pub(crate) code: i32,
    /// A base is bad from then on.
    pub(crate) stays: bool,
}

/// The kinds of operations that fail beside the sync of a file, each as often as any other, and
/// with which errors. Writes for which there is no space are another fault.
const KINDS: [(Verb, Part, &[i32]); 20] = [
    (Verb::Write, Part::Log, &[BROKEN]),
    (Verb::Write, Part::NewBase, &[BROKEN]),
    (Verb::Write, Part::NewManifest, &[BROKEN]),
    (Verb::Create, Part::Log, &[BROKEN, NO_SPACE, TOO_MANY]),
    (Verb::Create, Part::NewBase, &[BROKEN, NO_SPACE, TOO_MANY]),
    (Verb::Create, Part::NewManifest, &[BROKEN, NO_SPACE]),
    (Verb::Rename, Part::Base, &[BROKEN, NO_SPACE]),
    (Verb::Rename, Part::Manifest, &[BROKEN, NO_SPACE]),
    (Verb::Remove, Part::Log, &[BROKEN]),
    (Verb::Remove, Part::Base, &[BROKEN]),
    (Verb::Remove, Part::NewBase, &[BROKEN]),
    (Verb::Sync, Part::Directory, &[BROKEN, NO_SPACE, TOO_MANY]),
    (Verb::Sync, Part::Directory, &[BROKEN]),
    (Verb::Read, Part::Log, &[BROKEN, TOO_MANY]),
    (Verb::Read, Part::Base, &[BROKEN, TOO_MANY]),
    (Verb::Read, Part::Base, &[BROKEN]),
    (Verb::Rename, Part::Base, &[BROKEN]),
    (Verb::Read, Part::Manifest, &[BROKEN, TOO_MANY]),
    (Verb::Truncate, Part::Log, &[BROKEN, TOO_MANY]),
    (Verb::List, Part::Directory, &[BROKEN, TOO_MANY]),
];

impl Failing {
    /// In a group two in five are reads of the base, of which states are sent.
    pub(crate) fn draw(dice: &mut Dice, is_grouped: bool) -> Self {
        let (mut verb, mut part, mut codes) = *dice.pick(&KINDS);
        if is_grouped && dice.permille(400) {
            (verb, part, codes) = (Verb::Read, Part::Base, &[BROKEN]);
        }
        let deed = Deed { verb, part };
        let code = *dice.pick(codes);
        let is_base = (verb, part, code) == (Verb::Read, Part::Base, BROKEN);
        Self {
            deed,
            code,
            stays: is_base && dice.coin(),
        }
    }
}
