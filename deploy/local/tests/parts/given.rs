//! The stack that the tests run on.

use wathiq_local::description::Description;

pub(crate) fn stack() -> Description {
    Description::from_environment().unwrap()
}
