//! Places and distances in a reply.

use alloc::format;

use super::hash::Point;
use crate::resp::reply::Reply;

/// Answers a number with as many decimals as it has, at most so many.
fn answer_degrees(reply: &mut Reply<'_>, degrees: f64) {
    let text = format!("{degrees:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    reply.double_text(if text == "-0" { "0" } else { text });
}

/// Answers a place.
pub(super) fn answer_place(reply: &mut Reply<'_>, place: Point) {
    reply.array(2);
    answer_degrees(reply, place.longitude);
    answer_degrees(reply, place.latitude);
}

/// Answers a distance with four decimals.
pub(super) fn answer_distance(reply: &mut Reply<'_>, distance: f64) {
    let parts = libm::rint(distance * 10_000.0) as u64;
    let (whole, decimals) = (parts / 10_000, parts % 10_000);
    reply.bulk_fmt(format_args!("{whole}.{decimals:04}"));
}
