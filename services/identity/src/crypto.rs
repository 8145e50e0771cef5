//! Keys and what is done with them: sealing what must be read back, hashing what must not, signing what others verify.

pub mod jws;
pub mod keyed_hash;
pub mod password_hash;
pub mod sealer;
pub mod tagged_secret;
