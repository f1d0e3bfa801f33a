//! Any bytes as a frame: an answer, and what is understood is encoded to the same bytes again.

use bytes::Bytes as Frame;
use seedis::raft::wire::{self, WireError};

use crate::bytes::Bytes;
use crate::frames::{self, Near};

/// Takes `data` for a frame; as it is, with a right checksum at its front, or as the description of
/// a message, whose frame must say the same and must not survive any damage.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    match bytes.below(4) {
        0 => understood(bytes.0),
        1 => understood(&summed(bytes.0)),
        _ => described(&mut bytes),
    }
}

fn understood(bytes: &[u8]) {
    let frame = Frame::copy_from_slice(bytes);
    if let Ok((envelope, message)) = wire::decode(&frame) {
        let again = wire::encode(&envelope, &message);
        assert_eq!(again, bytes, "what is encoded is what was decoded");
    }
}

/// The bytes behind the version and the checksum that makes a frame of them: no fuzzer would ever
/// guess one. An append's checksum ends before its entries.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 8];
    frame.push(wire::WIRE_VERSION);
    frame.extend_from_slice(bytes);
    let summed = match bytes.first() {
        Some(5) => frame.len().min(94),
        _ => frame.len(),
    };
    let mut digest = crc64fast::Digest::new();
    digest.write(&frame[8..summed]);
    frame[..8].copy_from_slice(&digest.sum64().to_le_bytes());
    frame
}

fn described(bytes: &mut Bytes<'_>) {
    let near = Near::default();
    let envelope = frames::envelope(bytes, frames::member(1), near);
    let message = frames::message(bytes, near);
    let frame = wire::encode(&envelope, &message);
    let taken = wire::decode(&Frame::copy_from_slice(&frame));
    match taken {
        Ok(taken) => assert_eq!(taken, (envelope, message), "what was decoded was encoded"),
        // Entries are drawn with falling terms and indexes beyond the last.
        Err(error) => assert_eq!(error, WireError::Corrupt),
    }
    let at = bytes.wide() % frame.len();
    let cut = Frame::copy_from_slice(&frame[..at]);
    assert!(wire::decode(&cut).is_err(), "cut at {at}");
    let mut damaged = frame;
    damaged[at] ^= bytes.byte().max(1);
    let damaged = Frame::from(damaged);
    assert!(wire::decode(&damaged).is_err(), "damaged at {at}");
}
