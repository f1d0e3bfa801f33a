//! Places on Earth as one number: the bits of longitude and latitude, in turn.
//!
//! A hash of `step` bits of each names an area; one of 26 is kept as the score of a member, since a
//! float holds 52 bits exactly. Latitudes end where the web's maps do.

/// The bits of longitude, and of latitude, of a member.
pub(super) const STEP_MAX: u32 = 26;
/// The easternmost longitude; the westernmost is its negative.
pub(super) const LONGITUDE_MAX: f64 = 180.0;
/// The northernmost latitude; the southernmost is its negative.
pub(super) const LATITUDE_MAX: f64 = 85.051_128_78;

/// A place: longitude and latitude in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::command) struct Point {
    pub(in crate::command) longitude: f64,
    pub(in crate::command) latitude: f64,
}

/// The hash of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash {
    pub(super) bits: u64,
    pub(super) step: u32,
}

/// The borders of an area.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) south: f64,
    pub(super) north: f64,
}

/// The bits of a number at every second place.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Every second bit of a number.
fn gathered(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// The bits of a place, if latitudes end at `latitude_max`.
fn encoded(place: Point, latitude_max: f64, step: u32) -> u64 {
    let cells = (1_u64 << step) as f64;
    let part = |at: f64, most: f64| (at + most) / (most + most) * cells;
    let latitude = part(place.latitude, latitude_max);
    let longitude = part(place.longitude, LONGITUDE_MAX);
    // At the very end there is one cell more than there should be, as in Redis.
    spread(latitude as u32) | spread(longitude as u32) << 1
}

impl Hash {
    /// The hash of a place, with so many bits of each coordinate.
    pub(super) fn of(place: Point, step: u32) -> Self {
        Self {
            bits: encoded(place, LATITUDE_MAX, step),
            step,
        }
    }

    /// The area that it names.
    pub(super) fn area(self) -> Area {
        let cells = (1_u64 << self.step) as f64;
        let at = |cell: u32, most: f64| -most + (f64::from(cell) / cells) * (most + most);
        let (latitude, longitude) = (gathered(self.bits), gathered(self.bits >> 1));
        Area {
            west: at(longitude, LONGITUDE_MAX),
            east: at(longitude.wrapping_add(1), LONGITUDE_MAX),
            south: at(latitude, LATITUDE_MAX),
            north: at(latitude.wrapping_add(1), LATITUDE_MAX),
        }
    }

    /// The area that lies so many areas further east and north: -1, 0 or 1.
    pub(super) fn neighbor(self, east: i32, north: i32) -> Self {
        let last = (1 << self.step) - 1;
        let moved = |cell: u32, by: i32| match by {
            // Where there is one cell more than there should be, it stays.
            0 => cell,
            _ => cell.wrapping_add_signed(by) & last,
        };
        let latitude = moved(gathered(self.bits), north);
        let longitude = moved(gathered(self.bits >> 1), east);
        Self {
            bits: spread(latitude) | spread(longitude) << 1,
            step: self.step,
        }
    }

    /// The scores of the members in the area: from the first to before the second.
    pub(super) fn scores(self) -> (f64, f64) {
        let unused = 2 * (STEP_MAX - self.step);
        let scores = [self.bits, self.bits + 1].map(|bits| (bits << unused) as f64);
        (scores[0], scores[1])
    }
}

/// The score of a member at a place.
pub(super) fn score(place: Point) -> f64 {
    Hash::of(place, STEP_MAX).bits as f64
}

/// The place of a member with this score. Any other number is cut as the machines cut it that
/// Redis runs on.
pub(super) fn place(score: f64) -> Point {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let bits = if score < HALF {
        score as i64 as u64
    } else if score < 2.0 * HALF {
        score as u64
    } else {
        0
    };
    let hash = Hash {
        bits,
        step: STEP_MAX,
    };
    let area = hash.area();
    let middle = |one: f64, other: f64, most: f64| f64::midpoint(one, other).clamp(-most, most);
    Point {
        longitude: middle(area.west, area.east, LONGITUDE_MAX),
        latitude: middle(area.south, area.north, LATITUDE_MAX),
    }
}

/// A score as WITHHASH shows it.
pub(super) fn shown(score: f64) -> i64 {
    if score < i64::MAX as f64 {
        score as i64
    } else {
        i64::MIN
    }
}

/// The eleven letters of a place, as others write geohashes: with latitudes up to the poles.
pub(super) fn letters(place: Point) -> [u8; 11] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let bits = encoded(place, 90.0, STEP_MAX);
    let mut out = [LETTERS[0]; 11];
    // 52 bits are ten letters; the last one is always the first of all.
    for (nth, letter) in out[..10].iter_mut().enumerate() {
        *letter = LETTERS[(bits >> (47 - 5 * nth)) as usize & 31];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_those_of_redis() {
        let palermo = Point {
            longitude: 13.361_389,
            latitude: 38.115_556,
        };
        assert_eq!(score(palermo) as u64, 3_479_099_956_230_698);
        assert_eq!(&letters(place(score(palermo))), b"sqc8b49rny0");
    }

    #[test]
    fn the_world_goes_round() {
        let hash = Hash { bits: 0, step: 2 };
        assert_eq!(hash.neighbor(-1, 0).neighbor(1, 0), hash);
        assert_eq!(hash.neighbor(0, -1).bits, 0b0101);
        assert_eq!(hash.neighbor(-1, 0).bits, 0b1010);
    }

    proptest! {
        #[test]
        fn a_place_is_in_its_area(
            longitude in -180.0..180.0,
            latitude in -85.0..85.0,
            step in 1_u32..=26,
        ) {
            let area = Hash::of(Point { longitude, latitude }, step).area();
            prop_assert!(area.west <= longitude && longitude <= area.east);
            prop_assert!(area.south <= latitude && latitude <= area.north);
        }

        #[test]
        fn any_score_is_some_place(bits: u64) {
            let found = place(f64::from_bits(bits));
            prop_assert!(found.longitude.abs() <= LONGITUDE_MAX);
            prop_assert!(found.latitude.abs() <= LATITUDE_MAX);
        }
    }
}
