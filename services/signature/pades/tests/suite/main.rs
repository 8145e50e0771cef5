//! Tests against independent tools: qpdf, pdfsig, pyHanko, certomancer and reportlab. A tool that is missing
//! fails the test that needs it.

mod build;
mod intake;
mod matrix;
mod seal;
mod support;
mod verify;
