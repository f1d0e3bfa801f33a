//! The agreement, held against models, figures and storms.

mod log;
mod membership;
mod sole;
mod wire;
