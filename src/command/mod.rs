//! What Redis means: a row in a table and a function for each command.
