//! The whole platform on one machine, without containers: PostgreSQL, Kafka, a PKCS#11 token store, a trust service,
//! a mail catcher, the partner sandbox, and our own services as processes.
//!
//! Two ways of life share this code. The *demonstration* stands on fixed ports with its state under `.local/` and
//! outlives the command that started it. A *test stack* stands on ports and state of its own, beside a running
//! demonstration, and ends with the process that started it.
//!
//! Entry points: [`demo::Demo`] for the first, [`test_stack::TestStack`] for the second, [`stack::Stack`] for tests that
//! run our own services as processes on a test stack.

pub mod bench;
pub mod commands;
pub mod demo;
pub mod description;
pub mod http;
pub mod journey;
pub mod layout;
pub mod link;
pub mod parts;
pub mod pki;
pub mod ports;
pub mod process;
pub mod records;
pub mod secrets;
pub mod services;
pub mod stack;
pub mod stack_file;
pub mod test_stack;
pub mod topics;
pub mod wait;
