mod harness;
mod officers;
mod pdf_worker;
mod sample;
mod seal;
mod tools;
