//! Who may call, and for whom.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::Duration;
use tonic::Code;
use wathiq_chassis::{
    Clock, GrpcServer, KeyFetch, MethodRule, TokenError, TokenVerifier, UserRule,
    server::{ServeError, method_paths},
    status::reason,
    testing::{self, Pki},
};

use crate::probe::{self, NOBODY, PERSON, Probe, SEE, SEE_ALONE, SEE_ANYBODY, UNLISTED, World, see};

/// An Ed25519 key that is not the issuer's (RFC 8032, section 7.1, test 2), PKCS#8.
const FORGER: [u8; 48] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20, 0x4c,
    0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a,
    0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
];

#[tokio::test]
async fn a_process_calls_only_the_methods_it_is_listed_for() {
    let world = World::new().await;
    let token = world.token();
    let stranger = world
        .pki
        .channel("notification", "probe", world.server.address)
        .unwrap();
    for (channel, path) in [
        (&stranger, SEE),
        (&world.channel, NOBODY),
        (&world.channel, UNLISTED),
    ] {
        let status = see(channel, path, Some(&token)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{path}");
        assert_eq!(reason(&status).as_deref(), Some("CLIENT_NOT_ALLOWED"), "{path}");
    }
    assert_eq!(
        see(&world.channel, SEE, Some(&token)).await.unwrap().peer,
        "gateway"
    );
}

#[tokio::test]
async fn a_user_is_required_where_the_rule_says_so() {
    let world = World::new().await;
    let status = see(&world.channel, SEE, None).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_deref()),
        (Code::Unauthenticated, Some("TOKEN_MISSING"))
    );
    assert_eq!(see(&world.channel, SEE_ANYBODY, None).await.unwrap().person, None);

    let token = world.token();
    assert_eq!(
        see(&world.channel, SEE, Some(&token)).await.unwrap().person,
        Some(PERSON)
    );
    assert_eq!(
        see(&world.channel, SEE_ANYBODY, Some(&token))
            .await
            .unwrap()
            .person,
        Some(PERSON)
    );
    let alone = see(&world.channel, SEE_ALONE, Some(&token)).await.unwrap();
    assert_eq!((alone.person, alone.has_bearer), (None, false));
}

#[tokio::test]
async fn an_expired_token_is_refused_even_when_it_is_remembered() {
    let world = World::new().await;
    let token = world.token();
    see(&world.channel, SEE, Some(&token)).await.unwrap();
    world.clock.advance(Duration::seconds(300));
    for path in [SEE, SEE_ANYBODY] {
        let status = see(&world.channel, path, Some(&token)).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_deref()),
            (Code::Unauthenticated, Some("TOKEN_EXPIRED"))
        );
    }
}

#[tokio::test]
async fn forged_and_foreign_tokens_are_refused() {
    let world = World::new().await;
    let good = testing::claims(PERSON, world.now());
    let hour = wathiq_chassis::TokenClaims {
        exp: good.iat + 3600,
        ..good.clone()
    };
    let other_issuer = wathiq_chassis::TokenClaims {
        iss: "https://elsewhere.test".to_owned(),
        ..good.clone()
    };
    let other_audience = wathiq_chassis::TokenClaims {
        aud: "elsewhere".to_owned(),
        ..good.clone()
    };
    let of_tomorrow = wathiq_chassis::TokenClaims {
        iat: good.iat + 86_400,
        exp: good.exp + 86_400,
        ..good.clone()
    };
    let signed = testing::token(&good);
    let (head, signature) = signed.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let administrator = testing::token(&wathiq_chassis::TokenClaims {
        padm: true,
        ..good.clone()
    });
    let claims_of_another = administrator.split('.').nth(1).unwrap();
    let tokens = [
        testing::token_signed_by(&good, testing::KEY_ID, &FORGER),
        testing::token_signed_by(&good, "unknown", &FORGER),
        testing::token(&hour),
        testing::token(&other_issuer),
        testing::token(&other_audience),
        testing::token(&of_tomorrow),
        format!("{header}.{claims_of_another}.{signature}"),
        format!("{head}."),
        "no token at all".to_owned(),
    ];
    for token in tokens {
        let status = see(&world.channel, SEE, Some(&token)).await.unwrap_err();
        assert_eq!(reason(&status).as_deref(), Some("TOKEN_INVALID"), "{token}");
    }
}

fn counted(fetches: &Arc<AtomicUsize>) -> KeyFetch {
    let fetches = Arc::clone(fetches);
    Arc::new(move || {
        fetches.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(vec![testing::verification_key()]) })
    })
}

#[tokio::test]
async fn an_unknown_key_name_fetches_at_most_each_ten_seconds() {
    let clock = probe::clock();
    let fetches = Arc::new(AtomicUsize::new(0));
    let verifier = TokenVerifier::new(clock.clone(), testing::ISSUER, counted(&fetches));
    let claims = testing::claims(PERSON, clock.now());
    let unknown = testing::token_signed_by(&claims, "unknown", &FORGER);
    for _ in 0..3 {
        assert!(matches!(
            verifier.verify(&unknown).await,
            Err(TokenError::Invalid)
        ));
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    clock.advance(Duration::seconds(10));
    assert!(matches!(
        verifier.verify(&unknown).await,
        Err(TokenError::Invalid)
    ));
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
    assert_eq!(
        verifier.verify(&testing::token(&claims)).await.unwrap(),
        testing::caller(&claims)
    );
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_withdrawn_key_ends_its_tokens() {
    let clock = probe::clock();
    let withdrawn = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let fetch: KeyFetch = {
        let withdrawn = Arc::clone(&withdrawn);
        Arc::new(move || {
            let keys = if withdrawn.load(Ordering::SeqCst) {
                vec![]
            } else {
                vec![testing::verification_key()]
            };
            Box::pin(async move { Ok(keys) })
        })
    };
    let verifier = TokenVerifier::new(clock.clone(), testing::ISSUER, fetch);
    let token = testing::token(&wathiq_chassis::TokenClaims {
        exp: clock.now().timestamp() + 600,
        ..testing::claims(PERSON, clock.now())
    });
    verifier.verify(&token).await.unwrap();
    withdrawn.store(true, Ordering::SeqCst);
    clock.advance(Duration::minutes(5));
    let refused = async {
        while verifier.verify(&token).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    probe::soon(refused).await;
}

#[tokio::test]
async fn without_keys_the_answer_is_unavailable_not_refused() {
    let pki = Pki::new();
    let clock = probe::clock();
    let down: KeyFetch = Arc::new(|| Box::pin(async { Err("the issuer is down".into()) }));
    let verifier = TokenVerifier::new(clock.clone(), testing::ISSUER, down);
    let server = probe::start(&pki.process("probe"), Probe::new("probe"), verifier).await;
    let channel = pki.channel("gateway", "probe", server.address).unwrap();
    let token = testing::token(&testing::claims(PERSON, clock.now()));
    for _ in 0..2 {
        let status = see(&channel, SEE, Some(&token)).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_deref()),
            (Code::Unavailable, Some("KEYS_UNAVAILABLE"))
        );
    }
}

async fn start_error(rules: &'static [MethodRule], verifier: Option<TokenVerifier>) -> ServeError {
    let pki = Pki::new();
    let descriptor = tonic_health::pb::FILE_DESCRIPTOR_SET;
    let server = GrpcServer::new(&pki.process("probe"), rules, verifier)
        .unwrap()
        .descriptor(descriptor);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    server
        .serve(listener, tokio_util::sync::CancellationToken::new())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_server_with_senseless_rules_does_not_start() {
    const CHECK: &str = "/grpc.health.v1.Health/Check";
    assert!(
        method_paths(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .unwrap()
            .contains(&CHECK.to_owned())
    );
    static MISSPELT: &[MethodRule] = &[MethodRule {
        path: "/grpc.health.v1.Health/Chek",
        clients: &[],
        user: UserRule::None,
    }];
    assert!(matches!(
        start_error(MISSPELT, None).await,
        ServeError::UnknownMethod(_)
    ));
    static TWICE: &[MethodRule] = &[
        MethodRule {
            path: CHECK,
            clients: &[],
            user: UserRule::None,
        },
        MethodRule {
            path: CHECK,
            clients: &["gateway"],
            user: UserRule::None,
        },
    ];
    assert!(matches!(
        start_error(TWICE, None).await,
        ServeError::DuplicateRule(CHECK)
    ));
    static USER: &[MethodRule] = &[MethodRule {
        path: CHECK,
        clients: &[],
        user: UserRule::Optional,
    }];
    assert!(matches!(
        start_error(USER, None).await,
        ServeError::NoVerifier(CHECK)
    ));
}
