//! Tests against independent tools: qpdf, pdfsig, pyHanko, certomancer and reportlab. A tool that is missing
//! fails the test that needs it.

mod matrix;
mod seal;
mod support;
