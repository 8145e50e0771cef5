//! Money, documents and parcels balance, and each kind of difference is found.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use uuid::Uuid;
use wathiq_civil_registry_order::app::audit_books::{Books, Report, audit_books};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::digitised::{digitise, prepare};
use crate::harness::{World, line, peers, request_id};

async fn audit(world: &World) -> Report {
    let app = &world.app;
    let books = Books {
        pool: &app.pool,
        payment: &app.payment,
        postal: &app.postal,
        signature: &app.signature,
    };
    audit_books(&books, Duration::ZERO).await.unwrap()
}

async fn codes(world: &World) -> Vec<&'static str> {
    let report = audit(world).await;
    let mut codes: Vec<&str> = report.differences.iter().map(|one| one.code).collect();
    codes.sort_unstable();
    codes
}

/// A world with one of everything.
struct Shop {
    world: World,
    /// Produced on paper and posted; its second line refused and refunded.
    posted: pb::Order,
    unpaid: pb::Order,
    /// Sealed, in a parcel at the office.
    sealed: pb::Order,
    /// Waiting for the officer.
    deposited: pb::Order,
}

impl Shop {
    async fn open() -> Self {
        let world = World::start().await;
        let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
        let posted = world.place(citizen, vec![line("1"), line("2")]).await;
        world.pay(&posted).await;
        world.batch_sheet(agent, &[&posted.lines[0]]).await;
        world.produce(agent, officer, &posted.lines[0]).await.unwrap();
        let refuse = pb::RefuseLineRequest {
            request_id: request_id(),
            line_id: posted.lines[1].line_id.clone(),
            reason_code: "NOT_ENTITLED".to_owned(),
            text: String::new(),
        };
        world
            .office()
            .refuse_line(world.staff(agent, refuse))
            .await
            .unwrap();
        world.drive().await;
        world.give_back(&posted, &posted.lines[1]).await;
        let posted = world.get(citizen, &posted).await;
        world
            .track(&posted.parcels[0], 5, postal::ShipmentState::InTransit)
            .await;
        let unpaid = world.place(citizen, vec![line("3")]).await;
        for number in ["12", "13"] {
            digitise(&world, number).await;
        }
        let sealed = world.place(citizen, vec![line("12")]).await;
        let deposited = world.place(citizen, vec![line("13")]).await;
        for order in [&sealed, &deposited] {
            world.pay(order).await;
            assert_eq!(prepare(&world, officer, &order.lines[0]).await.problems, []);
        }
        world.seal(&sealed.lines[0].line_id).await;
        Self {
            posted: world.get(citizen, &posted).await,
            sealed: world.get(citizen, &sealed).await,
            deposited: world.get(citizen, &deposited).await,
            unpaid,
            world,
        }
    }

    fn payable(&self, order: &pb::Order, change: impl FnOnce(&mut payment::Payable)) {
        change(
            self.world
                .peers
                .payables
                .lock()
                .unwrap()
                .get_mut(&order.order_id)
                .unwrap(),
        );
    }

    fn shipment(&self, order: &pb::Order, change: impl FnOnce(&mut postal::Shipment)) {
        let parcel = &order.parcels[0].parcel_id;
        change(
            self.world
                .peers
                .shipments
                .lock()
                .unwrap()
                .get_mut(parcel)
                .unwrap(),
        );
    }

    fn document(&self, order: &pb::Order, change: impl FnOnce(&mut signature::IssuedDocument)) {
        let line = &order.lines[0].line_id;
        change(self.world.peers.documents.lock().unwrap().get_mut(line).unwrap());
    }

    /// Does `plant` to what the others know, gives what the audit finds, and puts everything back.
    async fn found(&self, plant: impl FnOnce(&Self)) -> Vec<&'static str> {
        let peers = &self.world.peers;
        let (payables, statement) = (
            peers.payables.lock().unwrap().clone(),
            peers.statement.lock().unwrap().clone(),
        );
        let (shipments, documents) = (
            peers.shipments.lock().unwrap().clone(),
            peers.documents.lock().unwrap().clone(),
        );
        plant(self);
        let found = codes(&self.world).await;
        *peers.payables.lock().unwrap() = payables;
        *peers.statement.lock().unwrap() = statement;
        *peers.shipments.lock().unwrap() = shipments;
        *peers.documents.lock().unwrap() = documents;
        found
    }

    /// What the audit finds after a statement on this service's own rows, which another puts right again.
    async fn found_after(&self, wrong: &str, right: &str) -> Vec<&'static str> {
        let mut conn = self.world.database.connect_as_owner().await;
        let mut run = async |sql: &str| {
            let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
                .execute(&mut conn)
                .await
                .unwrap();
            assert_eq!(done.rows_affected(), 1, "{sql}");
        };
        run(wrong).await;
        let found = codes(&self.world).await;
        run(right).await;
        found
    }
}

#[tokio::test]
async fn the_books_balance() {
    let shop = Shop::open().await;
    let report = audit(&shop.world).await;
    assert_eq!(report.differences, []);
    assert!(report.balances());
    let checked = &report.checked;
    assert_eq!((checked.orders, checked.lines, checked.payables), (4, 5, 4));
    assert_eq!(
        (
            checked.statement_entries,
            checked.shipments,
            checked.issued_documents
        ),
        (3, 2, 2)
    );
    let totals = &report.totals;
    assert_eq!((totals.paid_centimes, totals.refunded_centimes), (8_000, 2_000));
    assert_eq!(totals.held_centimes, 6_000);
}

#[tokio::test]
async fn what_differs_for_a_moment_only_is_no_difference() {
    let shop = Shop::open().await;
    let late = &shop.world.peers.shipments_late;
    late.store(1, Ordering::SeqCst);
    assert_eq!(codes(&shop.world).await, [""; 0]);
    late.store(3, Ordering::SeqCst);
    assert_eq!(codes(&shop.world).await, ["SHIPMENT_MISSING", "SHIPMENT_MISSING"]);
}

#[tokio::test]
async fn money_that_differs_at_payment_is_found() {
    let shop = Shop::open().await;
    let found = shop
        .found(|shop| shop.payable(&shop.sealed, |payable| payable.amount_centimes += 1))
        .await;
    assert_eq!(found, ["AMOUNT_DIFFERS", "STATEMENT_DIFFERS"]);
    let found = shop
        .found(|shop| shop.payable(&shop.unpaid, |payable| payable.payable_id = peers::id()))
        .await;
    assert_eq!(found, ["PAYABLE_DIFFERS", "PAYABLE_MISSING"]);
    let found = shop
        .found(|shop| {
            let mut payables = shop.world.peers.payables.lock().unwrap();
            payables.remove(&shop.unpaid.order_id);
        })
        .await;
    assert_eq!(found, ["PAYABLE_MISSING"]);
    let found = shop
        .found(|shop| {
            shop.payable(&shop.unpaid, |payable| {
                payable.owner_reference = Uuid::new_v4().to_string();
            });
        })
        .await;
    assert_eq!(found, ["PAYABLE_OF_NO_ORDER"]);
    let found = shop
        .found(|shop| {
            shop.payable(&shop.unpaid, |payable| {
                payable.set_state(payment::PayableState::Paid);
            });
        })
        .await;
    assert_eq!(found, ["PAYMENT_DIFFERS", "STATEMENT_DIFFERS"]);
}

#[tokio::test]
async fn money_that_went_back_otherwise_is_found() {
    let shop = Shop::open().await;
    let found = shop
        .found(|shop| {
            shop.payable(&shop.posted, |payable| {
                let mut second = payable.refunds[0].clone();
                second.owner_reference.clone_from(&shop.posted.lines[0].line_id);
                payable.refunds.push(second);
            });
        })
        .await;
    assert_eq!(found, ["REFUND_DIFFERS"]);
    let found = shop
        .found(|shop| shop.payable(&shop.posted, |payable| payable.refunds.clear()))
        .await;
    assert_eq!(found, ["REFUND_DIFFERS"]);
    let found = shop
        .found(|shop| shop.payable(&shop.posted, |payable| payable.refunded_centimes += 500))
        .await;
    assert_eq!(found, ["REFUNDS_DIFFER", "STATEMENT_DIFFERS"]);
}

#[tokio::test]
async fn a_statement_that_differs_is_found() {
    let shop = Shop::open().await;
    let found = shop
        .found(|shop| {
            let mut statement = shop.world.peers.statement.lock().unwrap();
            "VOIDED".clone_into(&mut statement[0].status);
        })
        .await;
    assert_eq!(found, ["STATEMENT_DIFFERS"]);
    let found = shop
        .found(|shop| {
            shop.world.peers.statement.lock().unwrap().remove(1);
        })
        .await;
    assert_eq!(found, ["STATEMENT_DIFFERS"]);
    let found = shop
        .found(|shop| {
            let mut statement = shop.world.peers.statement.lock().unwrap();
            statement[0].credited_centimes = 0;
        })
        .await;
    assert_eq!(found, ["STATEMENT_DIFFERS"]);
    let found = shop
        .found(|shop| {
            let mut statement = shop.world.peers.statement.lock().unwrap();
            let mut stray = statement[0].clone();
            (stray.attempt_id, stray.payable_id) = (peers::id(), peers::id());
            statement.push(stray);
        })
        .await;
    assert_eq!(found, ["MONEY_OF_NO_PAYABLE"]);
}

/// First it was delivered, then the post says that it had come back before: the books say what the lines are, and that the post contradicts
/// itself.
#[tokio::test]
async fn what_the_post_contradicts_is_shown_and_is_no_difference() {
    let shop = Shop::open().await;
    let parcel = &shop.posted.parcels[0];
    for (sequence, state) in [
        (6, postal::ShipmentState::Delivered),
        (7, postal::ShipmentState::Returned),
    ] {
        shop.world.track(parcel, sequence, state).await;
        assert_eq!(codes(&shop.world).await, Vec::<&str>::new(), "{state:?}");
    }
    let shown: (String, String) = sqlx::query_as(
        "SELECT l.state, p.exception_code FROM parcel p JOIN order_line l ON l.parcel_id = p.id WHERE p.id = $1",
    )
    .bind(Uuid::parse_str(&parcel.parcel_id).unwrap())
    .fetch_one(&shop.world.app.pool)
    .await
    .unwrap();
    assert_eq!(
        (shown.0.as_str(), shown.1.as_str()),
        ("DELIVERED", "CONTRADICTORY_EVENTS")
    );
    // Something else than what the post is known to say is a difference all the same.
    let elsewhere = shop
        .found(|shop| {
            shop.shipment(&shop.posted, |shipment| {
                shipment.set_state(postal::ShipmentState::InTransit);
            });
        })
        .await;
    assert_eq!(elsewhere, ["PARCEL_DIFFERS"]);
}

#[tokio::test]
async fn parcels_that_are_elsewhere_are_found() {
    let shop = Shop::open().await;
    let found = shop
        .found(|shop| {
            shop.shipment(&shop.posted, |shipment| {
                shipment.set_state(postal::ShipmentState::Delivered);
            });
        })
        .await;
    assert_eq!(found, ["PARCEL_DIFFERS"]);
    let found = shop
        .found(|shop| {
            shop.shipment(&shop.sealed, |shipment| {
                shipment.set_state(postal::ShipmentState::HandedOver);
            });
        })
        .await;
    assert_eq!(found, ["PARCEL_DIFFERS"]);
    let found = shop
        .found(|shop| shop.shipment(&shop.sealed, |shipment| shipment.shipment_id = peers::id()))
        .await;
    assert_eq!(found, ["SHIPMENT_DIFFERS", "SHIPMENT_MISSING"]);
    let found = shop
        .found(|shop| {
            let mut shipments = shop.world.peers.shipments.lock().unwrap();
            let mut stray = shipments.values().next().unwrap().clone();
            (stray.shipment_id, stray.owner_reference) = (peers::id(), Uuid::new_v4().to_string());
            shipments.insert(stray.owner_reference.clone(), stray);
        })
        .await;
    assert_eq!(found, ["SHIPMENT_OF_NO_PARCEL"]);
    let found = shop
        .found(|shop| shop.world.peers.shipments.lock().unwrap().clear())
        .await;
    assert_eq!(found, ["SHIPMENT_MISSING", "SHIPMENT_MISSING"]);
}

#[tokio::test]
async fn documents_that_differ_at_signature_are_found() {
    use signature::IssuedDocumentState as State;
    let shop = Shop::open().await;
    let state = |order: fn(&Shop) -> &pb::Order, state: State| {
        move |shop: &Shop| shop.document(order(shop), |document| document.set_state(state))
    };
    let found = shop.found(state(|shop| &shop.deposited, State::Sealed)).await;
    assert_eq!(found, ["SEALED_NOT_PRODUCED"]);
    let found = shop
        .found(state(|shop| &shop.sealed, State::WaitingForOfficer))
        .await;
    assert_eq!(found, ["SEAL_MISSING"]);
    let found = shop.found(state(|shop| &shop.deposited, State::Withdrawn)).await;
    assert_eq!(found, ["DEPOSIT_MISSING"]);
    let found = shop
        .found(|shop| {
            let mut documents = shop.world.peers.documents.lock().unwrap();
            documents.remove(&shop.deposited.lines[0].line_id);
        })
        .await;
    assert_eq!(found, ["DOCUMENT_MISSING"]);
    // Deposited, unsealed, and of a line that does not wait for it.
    for (of, code) in [
        (State::WaitingForOfficer, "DEPOSIT_WITHOUT_LINE"),
        (State::Sealed, "SEALED_TWICE"),
    ] {
        let found = shop
            .found(|shop| {
                let mut documents = shop.world.peers.documents.lock().unwrap();
                let mut second = documents[&shop.sealed.lines[0].line_id].clone();
                second.issued_document_id = peers::id();
                second.set_state(of);
                documents.insert("second".to_owned(), second);
            })
            .await;
        assert_eq!(found, [code]);
    }
    let found = shop
        .found(|shop| {
            let mut documents = shop.world.peers.documents.lock().unwrap();
            let mut stray = documents[&shop.sealed.lines[0].line_id].clone();
            (stray.issued_document_id, stray.owner_reference) = (peers::id(), Uuid::new_v4().to_string());
            documents.insert("stray".to_owned(), stray);
        })
        .await;
    assert_eq!(found, ["DOCUMENT_OF_NO_LINE"]);
}

#[tokio::test]
async fn own_books_that_contradict_themselves_are_found() {
    let shop = Shop::open().await;
    let order = |order: &pb::Order, set: &str| {
        format!("UPDATE customer_order SET {set} WHERE id = '{}'", order.order_id)
    };
    let found = shop
        .found_after(
            &order(&shop.unpaid, "total_centimes = 2001"),
            &order(&shop.unpaid, "total_centimes = 2000"),
        )
        .await;
    assert_eq!(found, ["AMOUNT_DIFFERS", "LINES_DIFFER"]);
    let payable = format!("payable_id = '{}'", shop.sealed.payable_id);
    let found = shop
        .found_after(
            &order(&shop.sealed, "payable_id = NULL"),
            &order(&shop.sealed, &payable),
        )
        .await;
    assert_eq!(found, ["PAID_WITHOUT_PAYABLE", "PAYABLE_DIFFERS"]);
    let seal = |sealed: &str| {
        let line = &shop.sealed.lines[0].line_id;
        format!(
            "UPDATE order_line SET document = jsonb_set(document, '{{sealed}}', '{sealed}') WHERE id = '{line}'"
        )
    };
    let found = shop.found_after(&seal("false"), &seal("true")).await;
    assert_eq!(found, ["PRODUCED_NOT_SEALED", "SEALED_NOT_PRODUCED"]);
    let parcel = |at: &str| {
        let parcel = &shop.posted.parcels[0].parcel_id;
        format!("UPDATE parcel SET hand_over_at = {at} WHERE id = '{parcel}'")
    };
    let found = shop.found_after(&parcel("NULL"), &parcel("now()")).await;
    assert_eq!(found, ["POSTED_WITHOUT_PARCEL"]);
    assert_eq!(codes(&shop.world).await, [""; 0], "all is as it was");
}
