//! The parts of a stack, as the platform and its tests rely on them: each right granted works, each other is refused.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod compose;
#[cfg(test)]
mod database;
#[cfg(test)]
mod demonstration;
#[cfg(test)]
mod events;
#[cfg(test)]
mod given;
#[cfg(test)]
mod partners;
#[cfg(test)]
mod services;
#[cfg(test)]
mod trust;
