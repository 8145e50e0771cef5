//! Every method of the service, asked without a token, by another process, on another surface and by an official of another office.

use futures::stream;
use tonic::{Code, Request, Status};
use uuid::Uuid;
use wathiq_chassis::server::method_paths;
use wathiq_chassis::testing::{self, with_token};
use wathiq_chassis::{Surface, TokenClaims};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, Person, World, request_id};
use crate::sample::{date, keying, pdf, text};

const SERVICE: &str = "/wathiq.civil_registry_order.v1.ActService/";

/// Whoever asks, and how.
#[derive(Debug, Clone)]
struct Asking {
    process: &'static str,
    claims: Option<TokenClaims>,
}

impl Asking {
    fn request<T>(&self, message: T) -> Request<T> {
        match &self.claims {
            Some(claims) => with_token(message, &testing::token(claims)),
            None => Request::new(message),
        }
    }
}

/// An act and a keying of the office.
struct Things {
    act_id: Uuid,
    keying_id: String,
}

async fn ask(world: &World, asking: &Asking, things: &Things, method: &str) -> Result<(), Status> {
    let mut acts = world.acts_as(asking.process);
    let act_id = things.act_id.to_string();
    let office_id = OFFICE.to_string();
    match method {
        "SearchActs" => {
            let message = pb::SearchActsRequest {
                office_id,
                year: 1984,
                number: "1".to_owned(),
                ..Default::default()
            };
            acts.search_acts(asking.request(message)).await.map(drop)
        }
        "GetAct" => acts
            .get_act(asking.request(pb::GetActRequest { act_id }))
            .await
            .map(drop),
        "AddMarginalNote" => {
            let note = pb::MarginalNote {
                date: date(2020, 1, 2),
                kind: "notice".to_owned(),
                text: text("بيان", "mention"),
                ..Default::default()
            };
            let message = pb::AddMarginalNoteRequest {
                request_id: request_id(),
                act_id,
                note: Some(note),
            };
            acts.add_marginal_note(asking.request(message)).await.map(drop)
        }
        "KeyAct" => acts.key_act(asking.request(keying("77"))).await.map(drop),
        "ListKeyings" => {
            let message = pb::ListKeyingsRequest {
                office_id,
                ..Default::default()
            };
            acts.list_keyings(asking.request(message)).await.map(drop)
        }
        "GetKeyingDifferences" => {
            let message = pb::GetKeyingDifferencesRequest {
                keying_id: things.keying_id.clone(),
            };
            acts.get_keying_differences(asking.request(message))
                .await
                .map(drop)
        }
        "WithdrawKeying" => {
            let message = pb::WithdrawKeyingRequest {
                request_id: request_id(),
                keying_id: things.keying_id.clone(),
            };
            acts.withdraw_keying(asking.request(message)).await.map(drop)
        }
        "AttachScan" => {
            let header = pb::ScanHeader {
                request_id: request_id(),
                office_id,
                act_id,
                supersede: false,
            };
            let parts = [
                pb::attach_scan_request::Part::Header(header),
                pb::attach_scan_request::Part::Chunk(pdf(10)),
            ];
            let messages = parts.map(|part| pb::AttachScanRequest { part: Some(part) });
            acts.attach_scan(asking.request(stream::iter(messages)))
                .await
                .map(drop)
        }
        "DownloadScan" => {
            let key = Some(pb::download_scan_request::Key::KeyingId(things.keying_id.clone()));
            acts.download_scan(asking.request(pb::DownloadScanRequest { key }))
                .await
                .map(drop)
        }
        "ListKeyingProgress" => {
            let message = pb::ListKeyingProgressRequest {
                office_id,
                ..Default::default()
            };
            acts.list_keying_progress(asking.request(message)).await.map(drop)
        }
        "SetRegisterSize" => {
            let message = pb::SetRegisterSizeRequest {
                request_id: request_id(),
                office_id,
                kind: pb::RegisterKind::Birth.into(),
                year: 1984,
                acts_in_register: 5,
            };
            acts.set_register_size(asking.request(message)).await.map(drop)
        }
        other => panic!("{other} is not in the matrix"),
    }
}

#[tokio::test]
async fn nobody_reaches_the_acts_of_an_office_but_its_staff_through_the_gateway() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let first = world.agent();
    let keyed = world.key(first, keying("2")).await.unwrap();
    let things = Things {
        act_id,
        keying_id: keyed.keying_id,
    };
    let staff = |person: Person| Some(world.claims(person));
    let citizen = TokenClaims {
        surface: Surface::Citizen,
        ..world.claims(world.officer())
    };
    let callers = [
        ("gateway", None, Code::Unauthenticated, "TOKEN_MISSING"),
        (
            "notification",
            staff(world.officer()),
            Code::PermissionDenied,
            "CLIENT_NOT_ALLOWED",
        ),
        ("gateway", Some(citizen), Code::PermissionDenied, "WRONG_SURFACE"),
        (
            "gateway",
            staff(world.official_at(OTHER, "officer")),
            Code::NotFound,
            "_NOT_FOUND",
        ),
        (
            "gateway",
            staff(world.official_at(OFFICE, "administrator")),
            Code::NotFound,
            "_NOT_FOUND",
        ),
    ];
    let methods: Vec<String> = method_paths(wathiq_proto::FILE_DESCRIPTOR_SET)
        .unwrap()
        .into_iter()
        .filter_map(|path| path.strip_prefix(SERVICE).map(str::to_owned))
        .collect();
    assert_eq!(methods.len(), 11);
    for method in &methods {
        for (process, claims, code, reason) in &callers {
            let asking = Asking {
                process,
                claims: claims.clone(),
            };
            let refused = ask(&world, &asking, &things, method).await.unwrap_err();
            let found = wathiq_chassis::status::reason(&refused).unwrap_or_default();
            let expected = refused.code() == *code && found.ends_with(reason);
            assert!(expected, "{method} {process}: {refused:?}");
        }
        // The office's own officer is let in: whatever stands against it then is another matter.
        let asking = Asking {
            process: "gateway",
            claims: staff(world.officer()),
        };
        if let Err(refused) = ask(&world, &asking, &things, method).await {
            let expected = [
                ("GetKeyingDifferences", Code::FailedPrecondition),
                ("DownloadScan", Code::NotFound),
            ];
            assert!(
                expected.contains(&(method.as_str(), refused.code())),
                "{method}: {refused:?}"
            );
        }
    }
}
