//! Circles and boxes on a sphere, and the areas in which their members stand.
//!
//! All of it is arithmetic of 64 bits and the functions of `libm`: it has the same bits on every
//! machine.

use libm::{asin, cos, sin, sqrt};

use super::hash::{Hash, Point, STEP_MAX};

/// The radius of Earth in meters.
const RADIUS_M: f64 = 6_372_797.560_856;
/// Half of the way round the equator, in meters, as the web's maps have it.
const MERCATOR_MAX_M: f64 = 20_037_726.37;
/// A degree.
const DEGREE: f64 = core::f64::consts::PI / 180.0;

/// The form of what is searched, in units.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) enum Form {
    /// A circle with this radius.
    Circle(f64),
    /// A box with this width and height.
    Box(f64, f64),
}

/// A part of Earth.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) struct Shape {
    pub(in crate::command) center: Point,
    pub(in crate::command) form: Form,
    /// How many meters a unit has.
    pub(in crate::command) unit_m: f64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            center: Point::default(),
            form: Form::Circle(0.0),
            unit_m: 1.0,
        }
    }
}

/// The distance of two latitudes in meters.
fn distance_of_latitudes(one: f64, other: f64) -> f64 {
    RADIUS_M * (other * DEGREE - one * DEGREE).abs()
}

/// The distance of two places in meters, over the sphere.
pub(super) fn distance(one: Point, other: Point) -> f64 {
    let across = sin((other.longitude * DEGREE - one.longitude * DEGREE) / 2.0);
    if across == 0.0 {
        return distance_of_latitudes(one.latitude, other.latitude);
    }
    let (from, to) = (one.latitude * DEGREE, other.latitude * DEGREE);
    let along = sin((to - from) / 2.0);
    let part = along * along + cos(from) * cos(to) * across * across;
    2.0 * RADIUS_M * asin(sqrt(part))
}

impl Shape {
    /// The distance of a place from the center in meters, if it is within.
    pub(super) fn distance(&self, place: Point) -> Option<f64> {
        let Point {
            longitude,
            latitude,
        } = self.center;
        match self.form {
            Form::Circle(radius) => {
                let distance = distance(self.center, place);
                (distance <= radius * self.unit_m || distance.is_nan()).then_some(distance)
            }
            Form::Box(width, height) => {
                let (width, height) = (width * self.unit_m, height * self.unit_m);
                let beside = Point {
                    longitude,
                    latitude: place.latitude,
                };
                let is_beyond = distance_of_latitudes(place.latitude, latitude) > height / 2.0
                    || distance(place, beside) > width / 2.0;
                (!is_beyond).then(|| distance(self.center, place))
            }
        }
    }

    /// Half of its width and of its height in meters.
    fn halves(&self) -> (f64, f64) {
        match self.form {
            Form::Circle(radius) => (self.unit_m * radius, self.unit_m * radius),
            Form::Box(width, height) => (self.unit_m * (width / 2.0), self.unit_m * (height / 2.0)),
        }
    }

    /// The way from its center to the place furthest from it, in meters.
    fn reach(&self) -> f64 {
        let reach = match self.form {
            Form::Circle(radius) => radius,
            Form::Box(width, height) => {
                sqrt(width / 2.0 * (width / 2.0) + height / 2.0 * (height / 2.0))
            }
        };
        reach * self.unit_m
    }

    /// The bits of areas of which nine cover it.
    fn step(&self) -> u32 {
        let mut reach = self.reach();
        if reach == 0.0 {
            return STEP_MAX;
        }
        let mut step = 1;
        while reach < MERCATOR_MAX_M {
            reach *= 2.0;
            step += 1;
        }
        step -= 2;
        // Towards the poles degrees of longitude are short.
        let latitude = self.center.latitude.abs();
        step -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        step.clamp(1, STEP_MAX as i32) as u32
    }

    /// The areas that cover it, in the order in which Redis looks into them.
    pub(super) fn areas(&self) -> [Option<Hash>; 9] {
        let Point {
            longitude,
            latitude,
        } = self.center;
        let (width, height) = self.halves();
        let high = height / RADIUS_M / DEGREE;
        let wide = |latitude: f64| width / RADIUS_M / cos(latitude * DEGREE) / DEGREE;
        // The way to the border that is nearer to the equator has more degrees.
        let wide = if latitude < 0.0 {
            wide(latitude - high)
        } else {
            wide(latitude + high)
        };
        let (west, east) = (longitude - wide, longitude + wide);
        let (south, north) = (latitude - high, latitude + high);

        let mut step = self.step();
        let mut own = Hash::of(self.center, step);
        let is_short = own.neighbor(0, 1).area().north < north
            || own.neighbor(0, -1).area().south > south
            || own.neighbor(1, 0).area().east < east
            || own.neighbor(-1, 0).area().west > west;
        if step > 1 && is_short {
            step -= 1;
            own = Hash::of(self.center, step);
        }
        let area = own.area();
        let needs = |east_by: i32, north_by: i32| {
            step < 2
                || !(north_by < 0 && area.south < south
                    || north_by > 0 && area.north > north
                    || east_by < 0 && area.west < west
                    || east_by > 0 && area.east > east)
        };
        let places = [
            (0, 0),
            (0, 1),
            (0, -1),
            (1, 0),
            (-1, 0),
            (1, 1),
            (-1, 1),
            (1, -1),
            (-1, -1),
        ];
        let mut areas =
            places.map(|(east, north)| needs(east, north).then(|| own.neighbor(east, north)));
        // A large one may have the same area on both sides.
        let mut last = None;
        for area in &mut areas[1..] {
            match *area {
                Some(own) if last == Some(own) => *area = None,
                Some(own) => last = Some(own),
                None => {}
            }
        }
        areas
    }
}
