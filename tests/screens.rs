//! Every screen in every state: what it looks like, what each key does, and that no size breaks it.

#[path = "screens/fake.rs"]
mod fake;
#[path = "screens/keys.rs"]
mod keys;
#[path = "screens/looks.rs"]
mod looks;
#[path = "screens/sizes.rs"]
mod sizes;
#[path = "screens/stage.rs"]
mod stage;
