//! How the dashboard looks and behaves.

use std::time::Duration;

use clap::Args;

use super::counting::duration;
use crate::tui::{graphics::GraphicsChoice, theme::ColorChoice};

/// How the dashboard looks and behaves.
#[derive(Debug, Clone, Args)]
pub struct DashboardArgs {
    /// Colours of the dashboard: auto, never, 16, 256 or true
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = ColorChoice::parse_cli,
          help_heading = "Dashboard")]
    pub color: ColorChoice,
    /// Pictures of the dashboard: auto, none (half blocks), kitty, iterm2 or sixel
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = GraphicsChoice::parse_cli,
          help_heading = "Dashboard")]
    pub graphics: GraphicsChoice,
    /// Draw with ASCII characters only
    #[arg(long, help_heading = "Dashboard")]
    pub ascii: bool,
    /// Time between two looks at the counts, such as 1s on a slow connection
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Dashboard")]
    pub tick: Option<Duration>,
    /// Only look: no key changes a source, a worker or a file
    #[arg(long, help_heading = "Dashboard")]
    pub read_only: bool,
}
