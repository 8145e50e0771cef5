//! One trace covers gateway, services, Kafka and notification.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use wathiq_local::journey::legalisation;
use wathiq_local::stack::Options;
use wathiq_local::wait;

use crate::collector::{Collector, Span, lineage};
use crate::stage;

/// The officer's call that seals, and the mail with the sealed document.
const SEAL: (&str, &str) = ("POST /v1/office/seals", "send legalisation.delivered");
/// The citizen's call that submits the request, and the mail with the receipt.
const CONFIRM: (&str, &str) = (
    "POST /v1/legalisation-requests/{legalisation_request_id}/confirm",
    "send legalisation.submitted",
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_the_officers_call_to_the_citizens_mail() {
    let (collector, endpoint) = Collector::start().await.unwrap();
    let environment = ["gateway", "identity", "signature", "notification"]
        .into_iter()
        .flat_map(|service| {
            [
                (
                    service,
                    "WATHIQ__PROCESS__OTLP_ENDPOINT".to_owned(),
                    endpoint.clone(),
                ),
                // Milliseconds between two exports, so that the test does not wait for the usual five seconds.
                (service, "OTEL_BSP_SCHEDULE_DELAY".to_owned(), "200".to_owned()),
            ]
        });
    let options = Options {
        environment: environment.collect(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    let id = stage.accepted().await.unwrap();
    let intents = legalisation::authorise(&stage.cast.officer_session, &[&id])
        .await
        .unwrap();
    stage.seal(&intents).await.unwrap();

    for (call, calls) in [
        (
            CONFIRM,
            "wathiq.signature.v1.LegalisationService/ConfirmLegalisationRequest",
        ),
        (SEAL, "wathiq.signature.v1.OfficeService/Seal"),
    ] {
        wait::until("the whole trace", Duration::from_secs(20), async || {
            whole(&collector, call, calls)
        })
        .await
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();
    }
}

/// The trace of a call has its mail, no span misses its parent, and the ways that it must have taken are there. Spans are
/// exported when they end, each process's at its own time, so that only all of this together says that it is whole.
fn whole(collector: &Collector, (call, mail): (&str, &str), calls: &str) -> Result<()> {
    let trace = collector.trace_of("gateway", call)?;
    let ids: HashSet<&[u8]> = trace.iter().map(|span| span.id.as_slice()).collect();
    let orphans: Vec<&Span> = trace
        .iter()
        .filter(|span| !span.parent.is_empty() && !ids.contains(span.parent.as_slice()))
        .collect();
    ensure!(orphans.is_empty(), "without their parents: {orphans:?}");
    let roots: Vec<&Span> = trace.iter().filter(|span| span.parent.is_empty()).collect();
    ensure!(roots.len() == 1, "{roots:?}");
    let lines: BTreeSet<String> = trace
        .iter()
        .map(|span| lineage(&trace, span).join(" > "))
        .collect();
    let served = format!("gateway: {call} > gateway: {calls} > signature: {calls}");
    let sent =
        format!("{served} > notification: process wathiq.signature.legalisation.v1 > notification: {mail}");
    let redeemed = "wathiq.identity.v1.ConfirmationService/RedeemConfirmation";
    let recipient = "wathiq.identity.v1.DirectoryService/GetPersonForService";
    let facts = "wathiq.signature.v1.MessageFactsService/GetMessageFacts";
    for way in [
        // The call itself: gateway, signature, and identity asked by signature.
        format!("{served} > signature: {redeemed} > identity: {redeemed}"),
        // What follows over Kafka, and what notification asks before it sends.
        format!("{sent} > notification: {recipient} > identity: {recipient}"),
        format!("{sent} > notification: {facts} > signature: {facts}"),
    ] {
        ensure!(lines.contains(&way), "no span at {way} in {lines:#?}");
    }
    Ok(())
}
