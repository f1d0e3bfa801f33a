//! Agreement: knows bytes and indexes, not Redis.
