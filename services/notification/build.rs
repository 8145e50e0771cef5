//! Refuses to build with a catalogue of texts that lacks a text or names a value that nobody fills in, and makes cargo rebuild
//! the crate when a migration is added: the macro that embeds them sees only files it already knows.

#[expect(
    unreachable_pub,
    reason = "the module belongs to the library, where it is reached"
)]
#[path = "src/catalogue/shape.rs"]
mod shape;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=locales");
    println!("cargo:rerun-if-changed=src/catalogue/shape.rs");
    for language in ["ar", "fr", "en"] {
        let text = read(language)?;
        let catalogue: shape::Catalogue =
            toml::from_str(&text).map_err(|error| format!("locales/{language}.toml: {error}"))?;
        catalogue
            .check()
            .map_err(|fault| format!("locales/{language}.toml: {fault}"))?;
    }
    let reviewed: shape::Reviewed =
        toml::from_str(&read("zgh")?).map_err(|error| format!("locales/zgh.toml: {error}"))?;
    reviewed
        .check()
        .map_err(|fault| format!("locales/zgh.toml: {fault}"))?;
    Ok(())
}

fn read(language: &str) -> Result<String, std::io::Error> {
    std::fs::read_to_string(format!("locales/{language}.toml"))
}
