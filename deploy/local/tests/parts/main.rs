//! The parts of a stack, as the platform and its tests rely on them: each right granted works, each other is refused.

mod commands;
mod database;
mod events;
mod partners;
mod trust;

use wathiq_local::description::Description;

fn stack() -> Description {
    Description::from_environment().unwrap()
}
