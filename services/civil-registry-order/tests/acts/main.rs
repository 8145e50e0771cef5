//! Acts as their callers see them: real PostgreSQL, real gRPC channels with mTLS, files on the disk. Identity is a double that speaks its
//! contract.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod bulk;
mod custody;
mod harness;
mod hijri;
mod import;
mod import_refusals;
mod keying;
mod killed;
mod matrix;
mod notes;
mod sample;
mod scans;
mod search;
