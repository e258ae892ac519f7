//! The `pcount-tui` command.

fn main() {}
