//! The real parts, as `wathiq-local test` names them.

use std::sync::OnceLock;

use serde_json::Value;

/// What `WATHIQ_TEST_STACK` describes.
pub(crate) struct Stack(Value);

impl Stack {
    /// The stack of this test run.
    pub(crate) fn get() -> &'static Self {
        static STACK: OnceLock<Stack> = OnceLock::new();
        STACK.get_or_init(|| {
            let path =
                std::env::var("WATHIQ_TEST_STACK").expect("run through `wathiq-local test -- cargo test`");
            Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        })
    }

    /// A value by its JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0
            .pointer(pointer)
            .unwrap_or_else(|| panic!("the stack has no {pointer}"))
    }

    /// A text by its JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer)
            .as_str()
            .unwrap_or_else(|| panic!("{pointer} is no text"))
    }
}
