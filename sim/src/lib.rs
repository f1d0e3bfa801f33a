//! What of the simulator others may use: the judge that knows nothing but what clients have seen.

pub mod linear;
