//! Journeys through every real layer: gateway, services, PostgreSQL, Kafka, PKCS#11, time-stamps, mail.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod legalisation;
mod replicas;
mod sealing_faults;
mod stage;
mod trace;
