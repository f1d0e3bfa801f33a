//! The load generator: one thread, sockets that never block, requests that are built beforehand.

pub mod closed;
mod connection;
mod measured;
pub mod open;
pub mod replies;
pub mod requests;

use std::time::Duration;

pub use measured::Measured;

use crate::failure::Failure;

/// A server that owes replies and gives none for so long ends a load with an error, if the load
/// says nothing else.
pub const PATIENCE: Duration = Duration::from_secs(10);

fn silent(patience: Duration) -> Failure {
    let seconds = patience.as_secs_f64();
    Failure::new(format!(
        "the server has answered nothing for {seconds} seconds"
    ))
}
