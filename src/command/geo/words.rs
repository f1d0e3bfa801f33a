//! The words of the commands that search a part of Earth, read one after the other.

use alloc::format;
use alloc::string::String;

use super::hash::{self, LATITUDE_MAX, LONGITUDE_MAX, Point};
use super::shape::Form;
use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::pace::Pace;
use crate::command::searching::{Order, Words};
use crate::command::zset::score;
use crate::store::Zset;

/// A command of this family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// GEORADIUS, which may store.
    Radius,
    /// GEORADIUS_RO.
    RadiusReads,
    /// GEORADIUSBYMEMBER, which may store.
    Member,
    /// GEORADIUSBYMEMBER_RO.
    MemberReads,
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    Store,
}

impl Which {
    /// The command of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "georadius" => Self::Radius,
            "georadius_ro" => Self::RadiusReads,
            "georadiusbymember" => Self::Member,
            "georadiusbymember_ro" => Self::MemberReads,
            "geosearch" => Self::Search,
            "geosearchstore" => Self::Store,
            _ => return None,
        })
    }

    /// Returns true if all is said by words, in any order.
    fn is_search(self) -> bool {
        matches!(self, Self::Search | Self::Store)
    }

    /// Returns true if it takes a key behind STORE or STOREDIST.
    fn takes_target(self) -> bool {
        matches!(self, Self::Radius | Self::Member)
    }

    /// The place of the key that it searches.
    pub(super) fn source(self) -> usize {
        if self == Self::Store { 2 } else { 1 }
    }
}

/// The place that two arguments name.
pub(super) fn read_place(args: Args<'_>, at: usize) -> Result<Point, Error> {
    let longitude = score::read(args.at(at), Error::NOT_A_FLOAT)?;
    let latitude = score::read(args.at(at + 1), Error::NOT_A_FLOAT)?;
    if longitude.abs() > LONGITUDE_MAX || latitude.abs() > LATITUDE_MAX {
        return Err(Error::text(format!(
            "ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}"
        )));
    }
    Ok(Point {
        longitude,
        latitude,
    })
}

/// The meters of the unit that an argument names.
pub(super) fn read_unit(args: Args<'_>, at: usize) -> Result<f64, Error> {
    match () {
        () if args.is(at, "m") => Ok(1.0),
        () if args.is(at, "km") => Ok(1000.0),
        () if args.is(at, "ft") => Ok(0.3048),
        () if args.is(at, "mi") => Ok(1609.34),
        () => Err(Error::UNIT),
    }
}

fn read_member(zset: Zset<'_>, member: &[u8]) -> Result<Point, Error> {
    let found = zset.score(member).ok_or(Error::MEMBER_WITHOUT_PLACE)?;
    Ok(hash::place(found))
}

impl Words {
    /// Reads all words; those that were read before are left out. `zset` is the set that is
    /// searched, if there is one.
    pub(super) fn read(
        &mut self,
        pace: &mut Pace,
        args: Args<'_>,
        which: Which,
        zset: Option<Zset<'_>>,
    ) -> Outcome {
        if self.next == 0 {
            self.begin(args, which, zset)?;
        }
        while self.next < args.len() {
            pace.step(0, 1)?;
            self.next += self.read_word(args, which, zset)?;
        }
        self.check(args, which)
    }

    /// Reads what stands in front of the words.
    fn begin(&mut self, args: Args<'_>, which: Which, zset: Option<Zset<'_>>) -> Outcome {
        match which {
            Which::Radius | Which::RadiusReads => {
                self.shape.center = read_place(args, 2)?;
                self.read_circle(args, 4)?;
                self.next = 6;
            }
            Which::Member | Which::MemberReads => {
                // Without a set, nobody looks at the circle.
                if let Some(zset) = zset {
                    self.shape.center = read_member(zset, args.at(2))?;
                    self.read_circle(args, 3)?;
                }
                self.next = 5;
            }
            Which::Search => self.next = 2,
            Which::Store => {
                self.target = Some(1);
                self.next = 3;
            }
        }
        Ok(())
    }

    fn read_circle(&mut self, args: Args<'_>, at: usize) -> Outcome {
        let radius = score::read(args.at(at), Error::RADIUS_NOT_A_FLOAT)?;
        if radius < 0.0 {
            return Err(Error::RADIUS_NEGATIVE);
        }
        self.shape.form = Form::Circle(radius);
        self.shape.unit_m = read_unit(args, at + 1)?;
        Ok(())
    }

    fn read_box(&mut self, args: Args<'_>, at: usize) -> Outcome {
        let width = score::read(args.at(at), Error::WIDTH_NOT_A_FLOAT)?;
        let height = score::read(args.at(at + 1), Error::HEIGHT_NOT_A_FLOAT)?;
        if width < 0.0 || height < 0.0 {
            return Err(Error::BOX_NEGATIVE);
        }
        self.shape.form = Form::Box(width, height);
        self.shape.unit_m = read_unit(args, at + 2)?;
        Ok(())
    }

    /// Reads the next word with what belongs to it; how many words these are.
    fn read_word(
        &mut self,
        args: Args<'_>,
        which: Which,
        zset: Option<Zset<'_>>,
    ) -> Result<usize, Error> {
        let at = self.next;
        let behind = args.len() - at - 1;
        let is = |word: &str| args.is(at, word);
        let searches = which.is_search();
        match () {
            () if is("withdist") => self.with_distance = true,
            () if is("withhash") => self.with_hash = true,
            () if is("withcoord") => self.with_place = true,
            () if is("any") => self.any = true,
            () if is("asc") => self.order = Some(Order::Nearest),
            () if is("desc") => self.order = Some(Order::Furthest),
            () if is("count") && behind >= 1 => {
                let count = args.integer(at + 1)?;
                self.count = u64::try_from(count).unwrap_or(0);
                if self.count == 0 {
                    return Err(Error::GEO_COUNT);
                }
                return Ok(2);
            }
            () if is("store") && behind >= 1 && which.takes_target() => {
                (self.target, self.stores_distance) = (Some(at + 1), false);
                return Ok(2);
            }
            () if is("storedist") && behind >= 1 && which.takes_target() => {
                (self.target, self.stores_distance) = (Some(at + 1), true);
                return Ok(2);
            }
            () if is("storedist") && which == Which::Store => self.stores_distance = true,
            () if searches && is("frommember") && behind >= 1 && !self.from_place => {
                if let Some(zset) = zset {
                    self.shape.center = read_member(zset, args.at(at + 1))?;
                }
                self.from_member = true;
                return Ok(2);
            }
            () if searches && is("fromlonlat") && behind >= 2 && !self.from_member => {
                self.shape.center = read_place(args, at + 1)?;
                self.from_place = true;
                return Ok(3);
            }
            () if searches && is("byradius") && behind >= 2 && !self.by_box => {
                self.read_circle(args, at + 1)?;
                self.by_radius = true;
                return Ok(3);
            }
            () if searches && is("bybox") && behind >= 3 && !self.by_radius => {
                self.read_box(args, at + 1)?;
                self.by_box = true;
                return Ok(4);
            }
            () => return Err(Error::SYNTAX),
        }
        Ok(1)
    }

    /// Refuses words that do not go together.
    fn check(&mut self, args: Args<'_>, which: Which) -> Outcome {
        let shows = self.with_distance || self.with_hash || self.with_place;
        if self.target.is_some() && shows {
            return Err(if which == Which::Store {
                Error::SEARCH_STORES_MEMBERS
            } else {
                Error::RADIUS_STORES_MEMBERS
            });
        }
        let missing = |what: &str| {
            let name = String::from_utf8_lossy(args.name());
            Err(Error::text(format!(
                "ERR exactly one of {what} can be specified for {name}"
            )))
        };
        if which.is_search() && !(self.from_member || self.from_place) {
            return missing("FROMMEMBER or FROMLONLAT");
        }
        if which.is_search() && !(self.by_radius || self.by_box) {
            return missing("BYRADIUS and BYBOX");
        }
        if self.any && self.count == 0 {
            return Err(Error::ANY_WITHOUT_COUNT);
        }
        // The first few mean nothing without an order, unless any will do.
        if self.count > 0 && !self.any && self.order.is_none() {
            self.order = Some(Order::Nearest);
        }
        Ok(())
    }
}
