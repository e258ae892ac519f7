//! Every screen in every state: what it looks like, what each key does, and that no size breaks it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "screens/adding.rs"]
mod adding;
#[path = "screens/alerts.rs"]
mod alerts;
#[path = "screens/attached.rs"]
mod attached;
#[path = "screens/bandwidth.rs"]
mod bandwidth;
#[path = "screens/commands.rs"]
mod commands;
#[path = "screens/crossings.rs"]
mod crossings;
#[path = "screens/fake.rs"]
mod fake;
#[path = "screens/fleet.rs"]
mod fleet;
#[path = "screens/keys.rs"]
mod keys;
#[path = "screens/looks.rs"]
mod looks;
#[path = "screens/outcomes.rs"]
mod outcomes;
#[path = "screens/settings.rs"]
mod settings;
#[path = "screens/sizes.rs"]
mod sizes;
#[path = "screens/stage.rs"]
mod stage;
#[path = "screens/truths.rs"]
mod truths;
