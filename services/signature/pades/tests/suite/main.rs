//! Tests against independent tools: qpdf, pdfsig, pyHanko, certomancer and reportlab. A tool that is missing
//! fails the test that needs it.

mod build;
mod changes;
mod drawing;
mod intake;
mod judge;
mod locks;
mod matrix;
mod mesh;
mod producers;
mod robust;
mod seal;
mod standing;
mod support;
mod verify;
mod wild;
