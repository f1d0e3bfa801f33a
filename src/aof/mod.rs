//! Durability: records, segments, bases and the manifest; knows bytes and files, not what they mean.
