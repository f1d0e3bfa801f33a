//! Data directories that no server has open: backup, restore and inspection.

pub mod backup;
pub mod inspect;
pub mod restore;
