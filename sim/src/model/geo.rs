//! Places on Earth, by looking at every member.

use super::want::Score;
use super::zsets::{self, Members};
use super::{Answer, Call, SYNTAX, Want};

const NOT_A_FLOAT: &str = "ERR value is not a valid float";
const NO_MEMBER: &str = "ERR could not decode requested zset member";
const EARTH_M: f64 = 6_372_797.560_856;
const NORTH: f64 = 85.051_128_78;
/// A coordinate has so many cells.
const CELLS: f64 = 67_108_864.0;

/// Longitude and latitude.
type Place = (f64, f64);

fn float(call: &Call<'_>, at: usize, error: &str) -> Result<f64, String> {
    zsets::float(&call.arg(at)).ok_or_else(|| error.to_owned())
}

fn place(call: &Call<'_>, at: usize) -> Result<Place, String> {
    let longitude = float(call, at, NOT_A_FLOAT)?;
    let latitude = float(call, at + 1, NOT_A_FLOAT)?;
    if longitude.abs() > 180.0 || latitude.abs() > NORTH {
        return Err(format!(
            "ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}"
        ));
    }
    Ok((longitude, latitude))
}

/// The cell of a coordinate among so many.
fn cell(at: f64, most: f64, cells: f64) -> u64 {
    ((at + most) / (2.0 * most) * cells) as u64
}

/// The border in front of a cell.
fn border(cell: u64, most: f64, cells: f64) -> f64 {
    -most + (cell as f64 / cells) * (2.0 * most)
}

/// The bits of two cells in turn, that of longitude first.
fn woven(longitude: u64, latitude: u64) -> u64 {
    let mut number = 0;
    for bit in (0..32).rev() {
        number = number << 2 | (longitude >> bit & 1) << 1 | latitude >> bit & 1;
    }
    number
}

/// The number of a place.
fn number((longitude, latitude): Place, north: f64) -> u64 {
    woven(cell(longitude, 180.0, CELLS), cell(latitude, north, CELLS))
}

/// The middle of the cell of a score. A number beyond 64 bits, or below zero, is some cell as well.
fn decoded(score: f64) -> Place {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let bits = match score {
        _ if score >= 2.0 * HALF => 0,
        _ if score >= HALF => score as u64,
        _ => (score as i64).cast_unsigned(),
    };
    let (mut longitude, mut latitude) = (0_u64, 0_u64);
    for bit in (0..32).rev() {
        longitude = longitude << 1 | bits >> (2 * bit + 1) & 1;
        latitude = latitude << 1 | bits >> (2 * bit) & 1;
    }
    let middle = |cell: u64, most: f64| {
        let next = (cell + 1) % (1 << 32);
        let middle = f64::midpoint(border(cell, most, CELLS), border(next, most, CELLS));
        middle.max(-most).min(most)
    };
    (middle(longitude, 180.0), middle(latitude, NORTH))
}

fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

/// The way between two places in meters (the haversine formula), bit for bit: it is stored.
fn way(one: Place, other: Place) -> f64 {
    let [(west, south), (east, north)] = [one, other].map(|(x, y)| (radians(x), radians(y)));
    let across = libm::sin((east - west) / 2.0);
    if across == 0.0 {
        return EARTH_M * (north - south).abs();
    }
    let along = libm::sin((north - south) / 2.0);
    let part = along * along + libm::cos(south) * libm::cos(north) * across * across;
    2.0 * EARTH_M * libm::asin(libm::sqrt(part))
}

fn unit(word: &str) -> Result<f64, String> {
    match word {
        "m" => Ok(1.0),
        "km" => Ok(1000.0),
        "ft" => Ok(0.3048),
        "mi" => Ok(1609.34),
        _ => Err("ERR unsupported unit provided. please use M, KM, FT, MI".to_owned()),
    }
}

pub(super) fn geoadd(call: &mut Call<'_>) -> Answer {
    let mut words = vec![b"ZADD".to_vec(), call.arg(1)];
    let mut at = 2;
    while let word @ ("nx" | "xx" | "ch") = &call.word(at)[..] {
        words.push(word.as_bytes().to_vec());
        at += 1;
    }
    let both = words.contains(&b"nx".to_vec()) && words.contains(&b"xx".to_vec());
    if !(call.args.len() - at).is_multiple_of(3) || at == call.args.len() || both {
        return Err(SYNTAX.to_owned());
    }
    while at < call.args.len() {
        let number = number(place(call, at)?, NORTH);
        words.push(number.to_string().into_bytes());
        words.push(call.arg(at + 2));
        at += 3;
    }
    // It is ZADD of these numbers.
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    zsets::zadd(&mut Call {
        model: &mut *call.model,
        args: &words,
        ..*call
    })
}

/// Degrees, of which all digits count.
fn degrees((longitude, latitude): Place) -> Want {
    Want::Array(
        [longitude, latitude]
            .map(|at| Want::Degrees(Score(at)))
            .to_vec(),
    )
}

pub(super) fn geopos(call: &mut Call<'_>) -> Answer {
    let members = call.zset(&call.arg(1))?;
    let found = call.args[2..].iter().map(|member| {
        let score = members.get(*member);
        score.map_or(Want::NullArray, |score| degrees(decoded(score.0)))
    });
    Ok(Want::Array(found.collect()))
}

pub(super) fn geohash(call: &mut Call<'_>) -> Answer {
    const LETTERS: &[u8] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let members = call.zset(&call.arg(1))?;
    let found = call.args[2..].iter().map(|member| {
        let Some(score) = members.get(*member) else {
            return Want::Null;
        };
        let bits = number(decoded(score.0), 90.0);
        let letter = |nth: u64| LETTERS[(bits >> (47 - 5 * nth) & 31) as usize];
        let mut letters: Vec<u8> = (0..10).map(letter).collect();
        letters.push(b'0');
        Want::Bulk(letters)
    });
    Ok(Want::Array(found.collect()))
}

/// A distance with four decimals.
pub(super) fn distance(meters: f64, unit_m: f64) -> Vec<u8> {
    let parts = libm::rint(meters / unit_m * 10_000.0);
    format!("{}.{:04}", (parts / 10_000.0) as u64, parts as u64 % 10_000).into_bytes()
}

pub(super) fn geodist(call: &mut Call<'_>) -> Answer {
    let unit_m = match call.args.len() {
        4 => 1.0,
        5 => unit(&call.word(4))?,
        _ => return Err(SYNTAX.to_owned()),
    };
    let members = call.zset(&call.arg(1))?;
    let score = |at: usize| members.get(&call.arg(at)).map(|score| decoded(score.0));
    let Some((one, other)) = score(2).zip(score(3)) else {
        return Ok(Want::Null);
    };
    Ok(Want::Bulk(distance(way(one, other), unit_m)))
}

#[derive(Clone, Copy)]
enum Shape {
    Circle(f64),
    Box(f64, f64),
}

/// The search that a request asks for.
#[derive(Default)]
struct Search {
    center: Place,
    /// It is said where the center is: at a member, or at a place.
    from: Option<&'static str>,
    shape: Option<Shape>,
    unit_m: f64,
    descends: Option<bool>,
    count: usize,
    any: bool,
    /// Distance, number, place.
    shows: [bool; 3],
    target: Option<Vec<u8>>,
    stores_distance: bool,
}

impl Search {
    fn circle(&mut self, call: &Call<'_>, at: usize) -> Result<(), String> {
        let radius = float(call, at, "ERR need numeric radius")?;
        if radius < 0.0 {
            return Err("ERR radius cannot be negative".to_owned());
        }
        self.shape = Some(Shape::Circle(radius));
        self.unit_m = unit(&call.word(at + 1))?;
        Ok(())
    }

    fn rectangle(&mut self, call: &Call<'_>, at: usize) -> Result<(), String> {
        let width = float(call, at, "ERR need numeric width")?;
        let height = float(call, at + 1, "ERR need numeric height")?;
        if width < 0.0 || height < 0.0 {
            return Err("ERR height or width cannot be negative".to_owned());
        }
        self.shape = Some(Shape::Box(width, height));
        self.unit_m = unit(&call.word(at + 2))?;
        Ok(())
    }

    fn at_member(&mut self, members: &Members, member: &[u8]) -> Result<(), String> {
        let score = members.get(member).ok_or_else(|| NO_MEMBER.to_owned())?;
        self.center = decoded(score.0);
        Ok(())
    }

    /// The distance of a place in meters, if it is in the shape.
    fn finds(&self, place: Place) -> Option<f64> {
        let distance = way(self.center, place);
        let is_in = match self.shape? {
            Shape::Circle(radius) => distance <= radius * self.unit_m,
            Shape::Box(width, height) => {
                let beside = way(place, (self.center.0, place.1));
                let above = EARTH_M * (radians(self.center.1) - radians(place.1)).abs();
                above <= height * self.unit_m / 2.0 && beside <= width * self.unit_m / 2.0
            }
        };
        is_in.then_some(distance)
    }

    /// The scores between which Redis looks for members, one range after the other: those of the
    /// area of the center and of the eight about it.
    fn ranges(&self) -> Vec<(f64, f64)> {
        let (reach, wide, high) = match self.shape {
            Some(Shape::Circle(radius)) => (radius, radius, radius),
            Some(Shape::Box(width, height)) => {
                let (width, height) = (width / 2.0, height / 2.0);
                (libm::sqrt(width * width + height * height), width, height)
            }
            None => (0.0, 0.0, 0.0),
        };
        let (longitude, latitude) = self.center;
        let degrees = |radians: f64| radians / (std::f64::consts::PI / 180.0);
        let high = degrees(self.unit_m * high / EARTH_M);
        let edge = if latitude < 0.0 {
            latitude - high
        } else {
            latitude + high
        };
        let wide = degrees(self.unit_m * wide / EARTH_M / libm::cos(radians(edge)));

        let mut reach = reach * self.unit_m;
        let mut step = if reach == 0.0 { 26 } else { -1 };
        if step < 0 {
            while reach < 20_037_726.37 {
                reach *= 2.0;
                step += 1;
            }
            let north = latitude.abs();
            step -= i32::from(north > 66.0) + i32::from(north > 80.0);
        }
        let mut step = step.clamp(1, 26);
        let cells = |step: i32| f64::from(1 << step);
        let own = |step: i32| {
            let longitude = cell(longitude, 180.0, cells(step));
            (longitude, cell(latitude, NORTH, cells(step)))
        };
        let moved = |cell: u64, by: i64, step: i32| match by {
            0 => cell,
            _ => (cell as i64 + by).rem_euclid(1 << step) as u64,
        };
        let (x, y) = own(step);
        let ends_before =
            |cell: u64, most: f64, edge: f64| border(cell + 1, most, cells(step)) < edge;
        let begins_behind =
            |cell: u64, most: f64, edge: f64| border(cell, most, cells(step)) > edge;
        let is_short = ends_before(moved(y, 1, step), NORTH, latitude + high)
            || begins_behind(moved(y, -1, step), NORTH, latitude - high)
            || ends_before(moved(x, 1, step), 180.0, longitude + wide)
            || begins_behind(moved(x, -1, step), 180.0, longitude - wide);
        step -= i32::from(is_short && step > 1);
        let (x, y) = own(step);
        let border = |cell: u64, most: f64| border(cell, most, cells(step));
        let useless = [
            (-1, 0, border(x, 180.0) < longitude - wide),
            (1, 0, border(x + 1, 180.0) > longitude + wide),
            (0, -1, border(y, NORTH) < latitude - high),
            (0, 1, border(y + 1, NORTH) > latitude + high),
        ];
        let useless = |east: i64, north: i64| {
            let is_that = |(x, y, is): &(i64, i64, bool)| {
                *is && (*x != 0 && *x == east || *y != 0 && *y == north)
            };
            step > 1 && useless.iter().any(is_that)
        };
        let mut ranges: Vec<(f64, f64)> = Vec::new();
        let (mut last, unused) = (None, 2 * (26 - step));
        for (east, north) in [
            (0, 0),
            (0, 1),
            (0, -1),
            (1, 0),
            (-1, 0),
            (1, 1),
            (-1, 1),
            (1, -1),
            (-1, -1),
        ] {
            let own = woven(moved(x, east, step), moved(y, north, step));
            if useless(east, north) || last == Some(own) {
                continue;
            }
            if (east, north) != (0, 0) {
                last = Some(own);
            }
            ranges.push(((own << unused) as f64, ((own + 1) << unused) as f64));
        }
        ranges
    }

    /// Reads the words from `at` on.
    fn words(&mut self, call: &Call<'_>, mut at: usize, members: &Members) -> Result<(), String> {
        let name = call.name();
        let searches = name.starts_with("geosearch");
        let has_target = matches!(&name[..], "georadius" | "georadiusbymember");
        while at < call.args.len() {
            let left = call.args.len() - at - 1;
            let words = match (&call.word(at)[..], left) {
                ("withdist", _) => set(&mut self.shows[0]),
                ("withhash", _) => set(&mut self.shows[1]),
                ("withcoord", _) => set(&mut self.shows[2]),
                ("any", _) => set(&mut self.any),
                ("asc", _) => {
                    self.descends = Some(false);
                    1
                }
                ("desc", _) => {
                    self.descends = Some(true);
                    1
                }
                ("count", 1..) => {
                    let count = call.integer(at + 1)?;
                    if count <= 0 {
                        return Err("ERR COUNT must be > 0".to_owned());
                    }
                    self.count = count as usize;
                    2
                }
                (word @ ("store" | "storedist"), 1..) if has_target => {
                    self.stores_distance = word == "storedist";
                    self.target = Some(call.arg(at + 1));
                    2
                }
                ("storedist", _) if name == "geosearchstore" => set(&mut self.stores_distance),
                ("frommember", 1..) if searches && self.from != Some("place") => {
                    // Without a set, nobody asks where the member is.
                    if call.get(&call.arg(source(call))).is_some() {
                        self.at_member(members, &call.arg(at + 1))?;
                    }
                    self.from = Some("member");
                    2
                }
                ("fromlonlat", 2..) if searches && self.from != Some("member") => {
                    self.center = place(call, at + 1)?;
                    self.from = Some("place");
                    3
                }
                ("byradius", 2..) if searches && !matches!(self.shape, Some(Shape::Box(..))) => {
                    self.circle(call, at + 1)?;
                    3
                }
                ("bybox", 3..) if searches && !matches!(self.shape, Some(Shape::Circle(_))) => {
                    self.rectangle(call, at + 1)?;
                    4
                }
                _ => return Err(SYNTAX.to_owned()),
            };
            at += words;
        }
        Ok(())
    }

    fn check(&self, call: &Call<'_>) -> Result<(), String> {
        let name = call.name();
        let searches = name.starts_with("geosearch");
        if self.target.is_some() && self.shows.contains(&true) {
            let who = if searches {
                "GEOSEARCHSTORE"
            } else {
                "STORE option in GEORADIUS"
            };
            return Err(format!(
                "ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            ));
        }
        let missing = match (self.from, self.shape) {
            (None, _) if searches => "FROMMEMBER or FROMLONLAT",
            (_, None) if searches => "BYRADIUS and BYBOX",
            _ if self.any && self.count == 0 => {
                return Err("ERR the ANY argument requires COUNT argument".to_owned());
            }
            _ => return Ok(()),
        };
        let given = call.arg(0);
        let given = String::from_utf8_lossy(&given);
        Err(format!(
            "ERR exactly one of {missing} can be specified for {given}"
        ))
    }
}

/// A word that stands alone.
fn set(flag: &mut bool) -> usize {
    *flag = true;
    1
}

/// The place of the key that is searched.
fn source(call: &Call<'_>) -> usize {
    if call.name() == "geosearchstore" {
        2
    } else {
        1
    }
}

pub(super) fn search(call: &mut Call<'_>) -> Answer {
    let key = call.arg(source(call));
    let members = call.zset(&key)?;
    let mut search = Search {
        unit_m: 1.0,
        ..Search::default()
    };
    let first = match &call.name()[..] {
        "georadius" | "georadius_ro" => {
            search.center = place(call, 2)?;
            search.circle(call, 4)?;
            6
        }
        "geosearch" => 2,
        "geosearchstore" => {
            search.target = Some(call.arg(1));
            3
        }
        _ => {
            // Without a set, nobody reads the circle.
            if call.get(&key).is_some() {
                search.at_member(&members, &call.arg(2))?;
                search.circle(call, 3)?;
            }
            5
        }
    };
    search.words(call, first, &members)?;
    search.check(call)?;
    let mut order: Vec<(&Vec<u8>, &Score)> = members.iter().collect();
    order.sort_by(|one, other| {
        let scores = one.1.0.partial_cmp(&other.1.0);
        scores.expect("numbers").then(one.0.cmp(other.0))
    });
    let mut hits = Vec::new();
    if !members.is_empty() {
        for (from, to) in search.ranges() {
            for (member, score) in &order {
                let place = decoded(score.0);
                if (from..to).contains(&score.0)
                    && let Some(meters) = search.finds(place)
                {
                    hits.push((*member, score.0, place, meters));
                }
            }
        }
    }
    if search.any {
        hits.truncate(search.count);
    }
    if search.count > 0 && search.descends.is_none() && !search.any {
        search.descends = Some(false);
    }
    // Those that are as far stay as they were found.
    match search.descends {
        Some(false) => hits.sort_by(|one, other| one.3.total_cmp(&other.3)),
        Some(true) => hits.sort_by(|one, other| other.3.total_cmp(&one.3)),
        None => {}
    }
    if search.count > 0 {
        hits.truncate(search.count);
    }
    let unit_m = search.unit_m;
    if let Some(target) = search.target {
        let pairs = hits.into_iter().map(|(member, score, _, meters)| {
            let score = if search.stores_distance {
                meters / unit_m
            } else {
                score
            };
            (member.clone(), score)
        });
        let pairs = pairs.collect();
        return Ok(call.store_zset(&target, pairs));
    }
    let shown = hits.into_iter().map(|(member, score, place, meters)| {
        let mut shown = vec![Want::Bulk(member.clone())];
        if search.shows[0] {
            shown.push(Want::Bulk(distance(meters, unit_m)));
        }
        if search.shows[1] {
            let is_large = score >= i64::MAX as f64;
            let cut = if is_large { i64::MIN } else { score as i64 };
            shown.push(Want::Integer(cut));
        }
        if search.shows[2] {
            shown.push(degrees(place));
        }
        match shown.len() {
            1 => Want::Bulk(member.clone()),
            _ => Want::Array(shown),
        }
    });
    Ok(Want::Array(shown.collect()))
}
