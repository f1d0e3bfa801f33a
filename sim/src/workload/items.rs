//! The items, members, scores, bounds and indexes that collections are asked with: few texts that
//! come again and again, and numbers at the borders of what the forms of a collection hold.

use crate::draws::Dice;

/// Integers at whose side another form begins.
const BORDERS: [i64; 12] = [
    0,
    1 << 7,
    -(1 << 7),
    1 << 15,
    -(1 << 15),
    1 << 31,
    -(1 << 31),
    1 << 53,
    -(1 << 53),
    i64::MAX,
    i64::MIN,
    100,
];
/// Texts that look like integers.
const NEARLY_INTEGERS: [&str; 7] = ["01", "-0", "+1", " 1", "1.0", "9223372036854775808", ""];
/// Lengths at whose side another form begins: of a small value, of how a length is written, of an
/// item that stands by itself.
const LENGTHS: [u64; 9] = [0, 1, 64, 127, 250, 510, 1020, 2040, 4090];

/// The texts that are drawn for some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Pool {
    /// A handful, so that equal ones meet.
    #[default]
    Few,
    /// Integers, and now and then another text among them.
    Integers,
    /// Texts of the lengths at which forms change.
    Lengths,
    /// So many different ones.
    Numbered(u64),
    /// The same, each so long that few fill a block: what holds them has many.
    Padded(u64),
}

impl Pool {
    pub(super) fn draw(dice: &mut Dice, many: bool) -> Self {
        match dice.below(5) {
            0 => Self::Few,
            1 => Self::Integers,
            2 => Self::Lengths,
            _ if many => Self::Numbered(*dice.pick(&[140, 300, 700])),
            _ => Self::Numbered(*dice.pick(&[12, 40, 140])),
        }
    }

    /// A text of it, which has at most so many bytes.
    pub(super) fn text(self, bytes_max: u64, dice: &mut Dice) -> Vec<u8> {
        match self {
            Self::Few => dice.pick(&["a", "b", "ab", "1", ""]).as_bytes().to_vec(),
            Self::Integers if dice.permille(30) => dice.pick(&NEARLY_INTEGERS).as_bytes().to_vec(),
            Self::Integers => integer(dice).to_string().into_bytes(),
            Self::Lengths => {
                let near = dice.pick(&LENGTHS) + dice.below(6);
                let filler = *dice.pick(b"abc");
                vec![filler; near.min(bytes_max) as usize]
            }
            Self::Numbered(count) => format!("m{}", dice.below(count)).into_bytes(),
            Self::Padded(count) => format!("m{:0>90}", dice.below(count)).into_bytes(),
        }
    }
}

/// An integer near a border, a small one, or any.
fn integer(dice: &mut Dice) -> i64 {
    match dice.below(6) {
        0..=1 => dice
            .pick(&BORDERS)
            .saturating_add(dice.within(0, 3) as i64 - 2),
        2..=4 => dice.within(0, 700) as i64 - 350,
        _ => dice.draw() as i64 >> dice.below(64),
    }
}

/// An index, or a rank: near an end, in the middle, or far outside.
pub(super) fn index(dice: &mut Dice) -> Vec<u8> {
    let number = match dice.below(12) {
        0..=5 => dice.within(0, 6) as i64 - 3,
        6..=8 => dice.within(0, 60) as i64 - 30,
        9..=10 => dice.within(0, 500) as i64 - 250,
        _ => *dice.pick(&[i64::MAX, i64::MIN, i64::MIN + 1]),
    };
    text_or_junk(number, dice)
}

/// How many: few, more than there are, none, fewer than none.
pub(super) fn count(dice: &mut Dice) -> Vec<u8> {
    let number = match dice.below(12) {
        0..=5 => dice.within(0, 4) as i64 - 1,
        6..=7 => -(dice.within(1, 5) as i64),
        8..=9 => dice.within(5, 150) as i64,
        10 => -(dice.within(5, 150) as i64),
        _ => *dice.pick(&[i64::MAX, i64::MIN, 1 << 32]),
    };
    text_or_junk(number, dice)
}

/// How many, as most commands accept it.
pub(super) fn fair_count(dice: &mut Dice) -> Vec<u8> {
    match dice.below(10) {
        0 => count(dice),
        1..=2 => dice.within(10, 150).to_string().into_bytes(),
        _ => dice.within(0, 5).to_string().into_bytes(),
    }
}

fn text_or_junk(number: i64, dice: &mut Dice) -> Vec<u8> {
    if dice.permille(15) {
        return dice.pick(&["x", "", "1.5", "01"]).as_bytes().to_vec();
    }
    number.to_string().into_bytes()
}

/// A score: mostly one of a few, so that ties are met.
pub(super) fn score(dice: &mut Dice) -> Vec<u8> {
    const TIES: [&str; 8] = ["0", "1", "1", "2", "-1", "-0", "0.5", "1"];
    const RARE: [&str; 22] = [
        "inf",
        "-inf",
        "+inf",
        "Infinity",
        "1e308",
        "-1.7976931348623157e308",
        "5e-324",
        "2.2250738585072014e-308",
        "0.1",
        "3.14",
        "-2.5e-7",
        "1e17",
        "123456789012345678",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "4611686018427387904",
        "1e21",
        "1e-5",
        "32768",
        "-129",
        "+.5",
    ];
    const BAD: [&str; 6] = ["nan", "", " 1", "1e400", "1x", "(1"];
    match dice.below(40) {
        0..=19 => dice.pick(&TIES).as_bytes().to_vec(),
        20..=28 => dice.pick(&RARE).as_bytes().to_vec(),
        29..=36 => (dice.within(0, 200) as i64 - 100).to_string().into_bytes(),
        37..=38 => finite(dice),
        _ => dice.pick(&BAD).as_bytes().to_vec(),
    }
}

/// A score that is accepted, and one of a few.
pub(super) fn fair_score(dice: &mut Dice) -> Vec<u8> {
    if dice.permille(900) {
        return (dice.within(0, 90) as i64 - 45).to_string().into_bytes();
    }
    dice.pick(&["inf", "-inf", "-0", "1e17", "0.1", "5e-324"])
        .as_bytes()
        .to_vec()
}

/// Any number of 64 bits.
fn finite(dice: &mut Dice) -> Vec<u8> {
    let number = f64::from_bits(dice.draw());
    let number = if number.is_finite() { number } else { 1.0 };
    format!("{number:e}").into_bytes()
}

/// A bound of a range of scores.
pub(super) fn bound(dice: &mut Dice) -> Vec<u8> {
    let own = match dice.below(6) {
        0 => dice
            .pick(&["-inf", "+inf", "inf", " 1", ""])
            .as_bytes()
            .to_vec(),
        _ => score(dice),
    };
    if dice.permille(300) {
        return [b"(", &own[..]].concat();
    }
    own
}

/// A bound of a range of members.
pub(super) fn edge(pool: Pool, dice: &mut Dice) -> Vec<u8> {
    let start: &[u8] = match dice.below(12) {
        0..=1 => return b"-".to_vec(),
        2..=3 => return b"+".to_vec(),
        4..=7 => b"[",
        8..=10 => b"(",
        _ => b"",
    };
    [start, &pool.text(80, dice)].concat()
}
