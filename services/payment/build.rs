//! Makes cargo rebuild the crate when a migration is added: the macro that embeds them sees only files it already knows.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
