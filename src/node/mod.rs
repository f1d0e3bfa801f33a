//! The one server: inputs in, effects out.
