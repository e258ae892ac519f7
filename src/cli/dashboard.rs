//! Appearance and behavior of the dashboard.

use std::time::Duration;

use clap::Args;

use super::counting::duration;
use crate::tui::{graphics::GraphicsChoice, theme::ColorChoice};

/// Appearance and behavior of the dashboard.
#[derive(Debug, Clone, Args)]
pub struct DashboardArgs {
    /// Colors of the dashboard: auto, never, 16, 256 or true
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = ColorChoice::parse_cli,
          help_heading = "Dashboard")]
    pub color: ColorChoice,
    /// Graphics protocol of previews: auto, none (half blocks), kitty, iterm2 or sixel
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = GraphicsChoice::parse_cli,
          help_heading = "Dashboard")]
    pub graphics: GraphicsChoice,
    /// Draw with ASCII characters only
    #[arg(long, help_heading = "Dashboard")]
    pub ascii: bool,
    /// Time between two updates of the counts, such as 1s on a slow connection
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Dashboard")]
    pub tick: Option<Duration>,
    /// Read-only: no key changes a source, a worker or a file
    #[arg(long, help_heading = "Dashboard")]
    pub read_only: bool,
}
