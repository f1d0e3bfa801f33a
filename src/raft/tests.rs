//! The agreement, held against models, figures and storms.

mod membership;
mod sole;
mod wire;
