//! Who sees who works at an office: agents assign work to a colleague and name the officer who signed.

use std::collections::HashMap;

use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{Clients, TestApp, reason, request_id, with_token};
use crate::people::Someone;

async fn listed(
    peer: &Clients,
    office_id: &str,
    by: &Someone,
) -> Result<tonic::Response<ListMembershipsResponse>, tonic::Status> {
    let list = ListMembershipsRequest {
        office_id: office_id.to_owned(),
        ..Default::default()
    };
    peer.offices
        .clone()
        .list_memberships(with_token(list, &by.token))
        .await
}

#[tokio::test]
async fn a_member_sees_colleagues_through_each_service_that_works_for_an_office() {
    let app = TestApp::start().await;
    let (root, counter) = app.counter().await;
    let bureau = app.create_office(&root, "BEC-1", "").await.office_id;
    let agent = app.member(&root, &counter.office_id, OfficeRole::Agent).await;
    let officer = app.proved_citizen(&root, &counter.office_id).await;
    app.grant(&root, &bureau, &officer.id, OfficeRole::Officer).await;
    for peer in ["gateway", "signature", "civil-registry-order"] {
        let peer = app.clients(peer);
        assert_eq!(reason(listed(&peer, &bureau, &agent).await), "ROLE_REQUIRED");
    }
    let membership = app.grant(&root, &bureau, &agent.id, OfficeRole::Agent).await;
    for peer in ["gateway", "signature", "civil-registry-order"] {
        let answer = listed(&app.clients(peer), &bureau, &agent).await.unwrap();
        let seen: HashMap<_, _> = answer
            .into_inner()
            .memberships
            .into_iter()
            .map(|member| (member.person_id.clone(), member.role()))
            .collect();
        let expected = [
            (officer.id.clone(), OfficeRole::Officer),
            (agent.id.clone(), OfficeRole::Agent),
        ];
        assert_eq!(seen, HashMap::from(expected), "{peer}");
    }
    // In their citizen session the officer is a citizen, and who has left the office no longer sees it.
    let citizen = listed(&app.gateway, &bureau, &officer).await;
    assert_eq!(reason(citizen), "WRONG_SURFACE");
    let end = EndMembershipRequest {
        request_id: request_id(),
        membership_id: membership.membership_id,
    };
    let mut offices = app.gateway.offices.clone();
    offices
        .end_membership(with_token(end, &root.token))
        .await
        .unwrap();
    assert_eq!(
        reason(listed(&app.clients("civil-registry-order"), &bureau, &agent).await),
        "ROLE_REQUIRED"
    );
    app.finish().await;
}
