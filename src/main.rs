//! The `pcount-tui` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    pcount::main()
}
