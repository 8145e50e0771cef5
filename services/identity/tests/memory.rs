//! The memory of password hashes goes back to the system. A test of its own process, in which nothing else runs.

use wathiq_chassis::Ambient;
use wathiq_identity::crypto::password_hash::PasswordHasher;

/// Anonymous memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of its processes");
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .expect("the anonymous memory is a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_many_hashes_at_once_their_memory_is_free() {
    let (hasher, ambient) = (PasswordHasher::default(), Ambient::system());
    let before = resident();
    for _ in 0..3 {
        let hashes = (0..16).map(|_| hasher.hash(&ambient, "une phrase secrète"));
        for hash in futures::future::join_all(hashes).await {
            hash.unwrap();
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB are still held");
}
