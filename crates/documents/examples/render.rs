use std::{fs, time::Instant};
use wathiq_documents::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let source: &'static str = Box::leak(fs::read_to_string(&a[1]).unwrap().into_boxed_str());
    let data: serde_json::Value = serde_json::from_slice(&fs::read(&a[2]).unwrap()).unwrap();
    let qr = qr_svg("https://verification.example.ma/v/K7QP3M9TXW4R").unwrap();
    let t = Instant::now();
    let e = Engine::new();
    eprintln!("new {:?}", t.elapsed());
    for _ in 0..2 {
        let t = Instant::now();
        let r = e.render(&Template { name: "legalisation-page.typ", source }, &data, &[("qr.svg", qr.as_bytes())], Standard::A2a,
            "2026-11-22T10:00:00Z".parse().unwrap(), "x");
        match r { Ok(p) => { eprintln!("{:?} {}", t.elapsed(), p.len()); fs::write(&a[3], p).unwrap(); } Err(e) => { eprintln!("{e}"); std::process::exit(1); } }
    }
}
