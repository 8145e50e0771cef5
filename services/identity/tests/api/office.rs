//! Offices, services, memberships, administrations.

use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, violations, with_token};

fn import(csv: &str) -> ImportOfficesRequest {
    ImportOfficesRequest {
        request_id: request_id(),
        csv: csv.as_bytes().to_vec(),
    }
}

const CSV: &str = "code,parent_code,kind,name_ar,name_fr,hcp_code\n\
    ANF-1,ANF,annexe,ملحقة 1,Annexe 1,06.141.01.01\n\
    ANF,,commune,أنفا,Anfa,06.141.01\n\
    ANF-2,ANF,annexe,ملحقة 2,Annexe 2,\n";

#[tokio::test]
async fn many_offices_are_opened_at_once_or_none() {
    let app = TestApp::start().await;
    let administrator = app.administrator().await;
    app.drain().await;
    let mut offices = app.gateway.offices.clone();
    let bad = format!("{CSV}ANF-1,NONE,villa,x,ملحقة,\n");
    let found = violations(
        offices
            .import_offices(with_token(import(&bad), &administrator.token))
            .await,
    );
    let expected = [
        ("csv.line[5].name_ar", "NOT_ARABIC_SCRIPT"),
        ("csv.line[5].name_fr", "NOT_LATIN_SCRIPT"),
        ("csv.line[5].kind", "OFFICE_KIND_UNKNOWN"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    assert_eq!(app.count("SELECT count(*) FROM office").await, 0);
    let opened = offices
        .import_offices(with_token(import(CSV), &administrator.token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(opened.offices.len(), 3);
    assert_eq!(app.drain().await.len(), 3);
    let below = ListOfficesRequest {
        parent_office_id: opened.offices[0].office_id.clone(),
        ..Default::default()
    };
    let listed = offices.list_offices(below).await.unwrap().into_inner().offices;
    assert_eq!(
        listed
            .iter()
            .map(|office| office.code.as_str())
            .collect::<Vec<_>>(),
        ["ANF-1", "ANF-2"]
    );
    let again = violations(
        offices
            .import_offices(with_token(import(CSV), &administrator.token))
            .await,
    );
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|(_, reason)| reason == "OFFICE_CODE_TAKEN"));
    app.finish().await;
}

#[tokio::test]
async fn two_thousand_offices_are_imported_in_one_call() {
    let app = TestApp::start().await;
    let administrator = app.administrator().await;
    let rows: String = (0..2_000)
        .map(|n| format!("A-{n},,annexe,ملحقة {n},Annexe {n},\n"))
        .collect();
    let csv = format!("code,parent_code,kind,name_ar,name_fr,hcp_code\n{rows}");
    let request = with_token(import(&csv), &administrator.token);
    let opened = app
        .gateway
        .offices
        .clone()
        .import_offices(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(opened.offices.len(), 2_000);
    let mut listed = 0;
    let mut page_token = String::new();
    loop {
        let request = ListOfficesRequest {
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = app
            .gateway
            .offices
            .clone()
            .list_offices(request)
            .await
            .unwrap()
            .into_inner();
        listed += page.offices.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, 2_000);
    app.finish().await;
}

#[tokio::test]
async fn only_what_is_open_today_is_offered() {
    let app = TestApp::start().await;
    let administrator = app.administrator().await;
    let office = app.create_office(&administrator, "ANF-1", "").await;
    let mut offices = app.gateway.offices.clone();
    let set = |from: i64, to: Option<i64>| {
        let period = OfficeServicePeriod {
            service: OfferedService::Legalisation.into(),
            from: Some(app.date_in(from)),
            to: to.map(|to| app.date_in(to)),
        };
        let office_id = office.office_id.clone();
        let request = SetOfficeServiceRequest {
            request_id: request_id(),
            office_id,
            period: Some(period),
        };
        with_token(request, &administrator.token)
    };
    let offering = || ListOfficesRequest {
        offering: OfferedService::Legalisation.into(),
        ..Default::default()
    };
    offices.set_office_service(set(1, Some(2))).await.unwrap();
    assert!(
        offices
            .list_offices(offering())
            .await
            .unwrap()
            .into_inner()
            .offices
            .is_empty()
    );
    assert_eq!(
        reason(offices.set_office_service(set(2, None)).await),
        "SERVICE_PERIOD_OVERLAPS"
    );
    assert_eq!(
        reason(offices.set_office_service(set(-1, None)).await),
        "SERVICE_PERIOD_PAST"
    );
    offices.set_office_service(set(0, Some(0))).await.unwrap();
    let listed = offices
        .list_offices(offering())
        .await
        .unwrap()
        .into_inner()
        .offices;
    assert_eq!(listed[0].services.len(), 2);
    assert_eq!(listed[0].etag, "v3");
    let unknown = GetOfficeRequest {
        office_id: uuid::Uuid::new_v4().to_string(),
    };
    assert_eq!(reason(offices.get_office(unknown).await), "OFFICE_NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn codes_are_unique_and_kinds_stand_in_order() {
    let app = TestApp::start().await;
    let administrator = app.administrator().await;
    let commune = app.create_office(&administrator, "ANF", "").await;
    let create = |code: &str, kind: OfficeKind, parent: &str| {
        let request = CreateOfficeRequest {
            request_id: request_id(),
            code: code.to_owned(),
            parent_office_id: parent.to_owned(),
            kind: kind.into(),
            name_ar: "ملحقة".to_owned(),
            name_fr: "Annexe".to_owned(),
            hcp_code: String::new(),
        };
        with_token(request, &administrator.token)
    };
    let mut offices = app.gateway.offices.clone();
    assert_eq!(
        reason(offices.create_office(create("ANF", OfficeKind::Annexe, "")).await),
        "OFFICE_CODE_TAKEN"
    );
    let inverted = offices.create_office(create("R", OfficeKind::Region, "")).await;
    assert_eq!(violations(inverted)[0].0, "code");
    let inverted = offices
        .create_office(create("R-1", OfficeKind::Region, &commune.office_id))
        .await;
    assert_eq!(
        violations(inverted),
        [("kind".to_owned(), "PARENT_KIND".to_owned())]
    );
    let nowhere = uuid::Uuid::new_v4().to_string();
    assert_eq!(
        reason(
            offices
                .create_office(create("A-1", OfficeKind::Annexe, &nowhere))
                .await
        ),
        "OFFICE_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn an_administrator_governs_the_offices_below_and_no_other() {
    let app = TestApp::start().await;
    let (root, counter) = app.counter().await;
    let commune = app.create_office(&root, "C-1", "").await;
    let annexe = app.create_office(&root, "C-1-A", &commune.office_id).await;
    let local = app.member(&root, &counter.office_id, OfficeRole::Agent).await;
    app.grant(&root, &commune.office_id, &local.id, OfficeRole::Administrator)
        .await;
    let other = app.proved_citizen(&root, &counter.office_id).await;
    app.grant(&local, &annexe.office_id, &other.id, OfficeRole::Officer)
        .await;
    app.create_office(&local, "C-1-B", &commune.office_id).await;
    let mut offices = app.gateway.offices.clone();
    let elsewhere = app.grant_request(&counter.office_id, &other.id, OfficeRole::Agent);
    assert_eq!(
        reason(
            offices
                .grant_membership(with_token(elsewhere, &local.token))
                .await
        ),
        "ROLE_REQUIRED"
    );
    let list = ListMembershipsRequest {
        office_id: annexe.office_id.clone(),
        ..Default::default()
    };
    let listed = offices
        .list_memberships(with_token(list, &local.token))
        .await
        .unwrap()
        .into_inner()
        .memberships;
    assert_eq!(
        (listed.len(), listed[0].display_name.as_str()),
        (1, "Amina El Idrissi")
    );
    // Of an office where they have a role they see who works there, of others nothing.
    let strange = app.create_office(&root, "D-1", "").await;
    for (office_id, seen) in [(counter.office_id, ""), (strange.office_id, "ROLE_REQUIRED")] {
        let list = ListMembershipsRequest {
            office_id,
            ..Default::default()
        };
        let listed = offices.list_memberships(with_token(list, &local.token)).await;
        let refused = listed
            .err()
            .and_then(|status| wathiq_chassis::status::reason(&status));
        assert_eq!(refused.unwrap_or_default(), seen);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_role_ends_at_once() {
    let app = TestApp::start().await;
    let (root, office) = app.counter().await;
    let mut member = app.proved_citizen(&root, &office.office_id).await;
    let membership = app
        .grant(&root, &office.office_id, &member.id, OfficeRole::Administrator)
        .await;
    app.sign_in(&mut member, SessionSurface::Staff).await;
    let list = || ListMembershipsRequest {
        office_id: office.office_id.clone(),
        ..Default::default()
    };
    let mut offices = app.gateway.offices.clone();
    offices
        .list_memberships(with_token(list(), &member.token))
        .await
        .unwrap();
    let end = || EndMembershipRequest {
        request_id: request_id(),
        membership_id: membership.membership_id.clone(),
    };
    offices
        .end_membership(with_token(end(), &root.token))
        .await
        .unwrap();
    // The token still says the role; the service does not believe it.
    assert_eq!(
        reason(offices.list_memberships(with_token(list(), &member.token)).await),
        "ROLE_REQUIRED"
    );
    assert_eq!(
        reason(offices.end_membership(with_token(end(), &root.token)).await),
        "MEMBERSHIP_ENDED"
    );
    assert_eq!(
        reason(offices.end_membership(with_token(end(), &member.token)).await),
        "MEMBERSHIP_NOT_FOUND"
    );
    app.grant(&root, &office.office_id, &member.id, OfficeRole::Administrator)
        .await;
    app.finish().await;
}

#[tokio::test]
async fn roles_are_for_proved_people_once_and_deputies_have_dates() {
    let app = TestApp::start().await;
    let (root, office) = app.counter().await;
    let claimed = app.citizen().await;
    let mut offices = app.gateway.offices.clone();
    let request = app.grant_request(&office.office_id, &claimed.id, OfficeRole::Agent);
    assert_eq!(
        reason(offices.grant_membership(with_token(request, &root.token)).await),
        "PERSON_NOT_PROVED"
    );
    let officer = app.proved_citizen(&root, &office.office_id).await;
    let deputy = app.proved_citizen(&root, &office.office_id).await;
    let membership = app
        .grant(&root, &office.office_id, &officer.id, OfficeRole::Officer)
        .await;
    let again = app.grant_request(&office.office_id, &officer.id, OfficeRole::Officer);
    assert_eq!(
        reason(offices.grant_membership(with_token(again, &root.token)).await),
        "MEMBERSHIP_EXISTS"
    );
    let stand_in = || GrantMembershipRequest {
        deputy_for_membership_id: membership.membership_id.clone(),
        person: Some(grant_membership_request::Person::Email(
            deputy.email.to_uppercase(),
        )),
        to: Some(app.date_in(10)),
        ..app.grant_request(&office.office_id, "", OfficeRole::Officer)
    };
    let open_ended = GrantMembershipRequest {
        to: None,
        ..stand_in()
    };
    let found = violations(
        offices
            .grant_membership(with_token(open_ended, &root.token))
            .await,
    );
    assert_eq!(found, [("to".to_owned(), "REQUIRED".to_owned())]);
    let other_role = GrantMembershipRequest {
        role: OfficeRole::Agent.into(),
        ..stand_in()
    };
    assert_eq!(
        reason(
            offices
                .grant_membership(with_token(other_role, &root.token))
                .await
        ),
        "DEPUTY_MISMATCH"
    );
    let granted = offices
        .grant_membership(with_token(stand_in(), &root.token))
        .await
        .unwrap()
        .into_inner();
    let granted = granted.membership.unwrap();
    assert_eq!(granted.deputy_for_membership_id, membership.membership_id);
    let nobody = app.grant_request(
        &office.office_id,
        &uuid::Uuid::new_v4().to_string(),
        OfficeRole::Agent,
    );
    assert_eq!(
        reason(offices.grant_membership(with_token(nobody, &root.token)).await),
        "PERSON_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn administrations_are_enrolled_from_a_date_to_a_date() {
    let app = TestApp::start().await;
    let root = app.administrator().await;
    let mut offices = app.gateway.offices.clone();
    let enrol = |from: i64, to: Option<i64>| {
        let request = EnrolAdministrationRequest {
            request_id: request_id(),
            name_ar: "المحافظة العقارية".to_owned(),
            name_fr: "Conservation foncière".to_owned(),
            enrolled_from: Some(app.date_in(from)),
            enrolled_to: to.map(|to| app.date_in(to)),
        };
        with_token(request, &root.token)
    };
    let found = violations(offices.enrol_administration(enrol(3, Some(1))).await);
    assert_eq!(found, [("enrolled_to".to_owned(), "BEFORE_BEGINNING".to_owned())]);
    let later = offices
        .enrol_administration(enrol(1, None))
        .await
        .unwrap()
        .into_inner()
        .administration
        .unwrap();
    let now = offices
        .enrol_administration(enrol(0, None))
        .await
        .unwrap()
        .into_inner()
        .administration
        .unwrap();
    let listed = offices
        .list_administrations(ListAdministrationsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.administrations, std::slice::from_ref(&now));
    let ask = |id: &str| GetAdministrationRequest {
        administration_id: id.to_owned(),
    };
    let mut directory = app.signature.directory.clone();
    assert!(
        !directory
            .get_administration(ask(&later.administration_id))
            .await
            .unwrap()
            .into_inner()
            .enrolled_today
    );
    assert!(
        directory
            .get_administration(ask(&now.administration_id))
            .await
            .unwrap()
            .into_inner()
            .enrolled_today
    );
    let update = |etag: &str| {
        let request = UpdateAdministrationRequest {
            request_id: request_id(),
            administration_id: now.administration_id.clone(),
            name_ar: String::new(),
            name_fr: "Conservation foncière de Casablanca".to_owned(),
            enrolled_to: Some(app.today()),
            etag: etag.to_owned(),
        };
        with_token(request, &root.token)
    };
    let changed = offices
        .update_administration(update("v1"))
        .await
        .unwrap()
        .into_inner()
        .administration
        .unwrap();
    assert_eq!(
        (changed.name_ar.as_str(), changed.etag.as_str()),
        (now.name_ar.as_str(), "v2")
    );
    assert_eq!(
        reason(offices.update_administration(update("v1")).await),
        "ETAG_STALE"
    );
    app.advance(chrono::TimeDelta::days(1));
    let listed = offices
        .list_administrations(ListAdministrationsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.administrations, [later]);
    app.finish().await;
}
