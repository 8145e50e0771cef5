//! Mail about legalisation requests.

use uuid::Uuid;
use wathiq_notification::clients::signature::FileKind;
use wathiq_notification::domain::language::Language;
use wathiq_outbox::Record;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::doubles::Known;
use crate::harness::{World, text, with_world, with_world_of};

/// A request of a person who reads mail in this language.
fn request(world: &World, language: Language, wants_attachments: bool) -> Uuid {
    let (request, person) = (Uuid::now_v7(), Uuid::now_v7());
    world.signature.state().applicants.insert(request, person);
    let known = Known {
        email: world.email.clone(),
        phone: String::new(),
        language,
        wants_attachments,
    };
    world.identity.state().people.insert(person, known);
    request
}

fn delivered(world: &World, request: Uuid) -> Record {
    world.record(
        request,
        &signature::LegalisationDelivered {
            legalisation_request_id: request.to_string(),
        },
    )
}

/// Bytes that no encoding on the way leaves alone by chance.
fn pdf(size: usize) -> Vec<u8> {
    let noise = (0..size).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap());
    b"%PDF-1.7\n".iter().copied().chain(noise).collect()
}

fn sealed(world: &World, sizes: &[(FileKind, &str, usize)]) {
    world.signature.state().files = sizes
        .iter()
        .map(|(kind, name, size)| (*kind, (*name).to_owned(), pdf(*size)))
        .collect();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sealed_files_come_attached_byte_for_byte() {
    with_world(async |world| {
        let request = request(world, Language::Arabic, true);
        let files = [
            (FileKind::Document, "عقد كراء.pdf", 60_000),
            (FileKind::LegalisationPage, "legalisation-page.pdf", 9_000),
        ];
        sealed(world, &files);
        let record = delivered(world, request);
        world.deliver(&record).await;
        world.send_due().await;
        assert_eq!(world.message(&record).await.state, "sent");
        let mails = world.mails().await;
        let mail = &mails[0];
        let attachments = mail["attachments"].as_array().unwrap();
        assert_eq!(attachments.len(), 2, "{attachments:?}");
        for (attachment, (_, name, size)) in attachments.iter().zip(files) {
            assert_eq!(attachment["fileName"], name);
            assert_eq!(attachment["contentType"], "application/pdf");
            let stored = attachment["generatedFileName"].as_str().unwrap();
            assert_eq!(world.attachment(mail, stored).await, pdf(size));
        }
        let text = text(mail);
        assert!(text.contains("السلام عليكم أمينة الإدريسي،"), "{text}");
        assert!(
            text.contains("تجدون الوثيقة رفقته: عقد كراء.pdf، legalisation-page.pdf"),
            "{text}"
        );
        assert!(text.contains("https://wathiq.example/v/7K2M-9QXF-4TRB"), "{text}");
        assert!(!text.contains("/d/"), "no link beside an attachment: {text}");
        assert!(text.contains("رقم التقييد في السجل: 17/2026"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_prefers_a_link_gets_a_link() {
    with_world(async |world| {
        let request = request(world, Language::French, false);
        sealed(world, &[(FileKind::Document, "bail.pdf", 60_000)]);
        world.deliver(&delivered(world, request)).await;
        world.send_due().await;
        let mails = world.mails().await;
        assert!(mails[0]["attachments"].as_array().is_none_or(Vec::is_empty));
        let text = text(&mails[0]);
        assert!(
            text.contains("pendant 90 jours à cette adresse :\nhttps://wathiq.example/d/token-of-256-bits"),
            "{text}"
        );
        assert!(
            !text.contains("trop volumineux") && !text.contains("pièce jointe"),
            "{text}"
        );
        let html = mails[0]["html"].as_str().unwrap();
        assert!(
            html.contains("href=\"https://wathiq.example/d/token-of-256-bits\""),
            "{html}"
        );
        assert_eq!(world.signature.state().downloads, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_together_goes_by_link() {
    let small = |settings: &mut wathiq_notification::Settings| settings.mail.attachment_limit_bytes = 64_000;
    with_world_of(small, async |world| {
        let request = request(world, Language::English, true);
        sealed(
            world,
            &[
                (FileKind::Document, "lease.pdf", 60_000),
                (FileKind::LegalisationPage, "legalisation-page.pdf", 9_000),
            ],
        );
        world.deliver(&delivered(world, request)).await;
        world.send_due().await;
        let mails = world.mails().await;
        let text = text(&mails[0]);
        assert!(text.contains("too large to be attached"), "{text}");
        assert!(
            text.contains("https://wathiq.example/d/token-of-256-bits"),
            "{text}"
        );
        assert_eq!(world.signature.state().downloads, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_gives_the_reason_and_what_can_be_done() {
    with_world(async |world| {
        let request = request(world, Language::French, true);
        let event = signature::LegalisationRequestRefused {
            legalisation_request_id: request.to_string(),
            reason_code: "signature_differs".into(),
            level: "agent".into(),
        };
        let record = world.record(request, &event);
        world.deliver(&record).await;
        world.send_due().await;
        assert_eq!(world.message(&record).await.template, "legalisation.refused");
        let mails = world.mails().await;
        let (text, html) = (text(&mails[0]), mails[0]["html"].as_str().unwrap());
        assert!(
            text.contains("Motif : La signature ne correspond pas au spécimen déposé."),
            "{text}"
        );
        assert!(
            text.contains("Merci de signer comme sur le spécimen <script>"),
            "{text}"
        );
        assert!(text.contains("gratuitement"), "{text}");
        assert!(!html.contains("<script>"), "{html}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_signature_is_down_its_mail_waits_and_no_other() {
    with_world(async |world| {
        let request = request(world, Language::French, true);
        let record = delivered(world, request);
        world.deliver(&record).await;
        world.signature.state().down = true;
        world.send_due().await;
        let row = world.message(&record).await;
        assert_eq!(
            (row.state.as_str(), row.failure_code.as_deref()),
            ("queued", Some("SIGNATURE_UNAVAILABLE"))
        );
        world.signature.state().down = false;
        world.clock.advance(chrono::TimeDelta::seconds(2));
        world.send_due().await;
        assert_eq!(world.message(&record).await.state, "sent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_names_nobody_fails_with_a_reason() {
    with_world(async |world| {
        let unknown = delivered(world, Uuid::now_v7());
        let nobody = request(world, Language::French, true);
        world.identity.state().people.clear();
        let nobody = delivered(world, nobody);
        let addressless = request(world, Language::French, true);
        world
            .identity
            .state()
            .people
            .values_mut()
            .for_each(|known| known.email.clear());
        let addressless = delivered(world, addressless);
        for record in [&unknown, &nobody, &addressless] {
            world.deliver(record).await;
        }
        world.send_due().await;
        let mut codes = Vec::new();
        for record in [&unknown, &nobody, &addressless] {
            let row = world.message(record).await;
            assert_eq!(row.state, "failed");
            codes.push(row.failure_code.unwrap());
        }
        assert_eq!(codes, ["REQUEST_NOT_FOUND", "PERSON_NOT_FOUND", "NO_ADDRESS"]);
    })
    .await;
}
