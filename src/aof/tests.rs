//! The log against a disk that forgets.
