//! Methods about the phone and its calls.
#![cfg(unix)]

mod support;

use serde_json::json;
use support::Served;

#[tokio::test]
async fn every_wish_about_a_call_has_its_method() {
    let served = Served::start().await;
    for (method, params, command) in [
        (
            "call.transfer",
            json!({ "id": "c7", "to": "2003" }),
            "Call(Transfer { id: CallId(7), to: Number(\"2003\") })",
        ),
        (
            "call.transfer",
            json!({ "id": "c7", "other": "c8" }),
            "Call(Connect { id: CallId(7), other: CallId(8) })",
        ),
        (
            "call.merge",
            json!({ "id": "c7", "other": "c8" }),
            "Call(Merge { id: CallId(7), other: CallId(8) })",
        ),
        (
            "call.expel",
            json!({ "id": "c7", "participant": "p2" }),
            "Call(Expel { id: CallId(7), participant: \"p2\" })",
        ),
        ("call.park", json!({ "id": "c7" }), "Call(Park(CallId(7)))"),
        ("call.divert", json!({ "id": "c7" }), "Call(Divert(CallId(7)))"),
        ("call.pickup", json!({}), "Call(Pickup(Group))"),
        ("call.pickup", json!({ "which": "associated" }), "Call(Pickup(Associated))"),
        (
            "call.pickup",
            json!({ "which": "otherGroup", "number": "9" }),
            "Call(Pickup(OtherGroup(Number(\"9\"))))",
        ),
        (
            "call.pickup",
            json!({ "which": "directed", "number": "2005" }),
            "Call(Pickup(Directed(Number(\"2005\"))))",
        ),
        ("call.forward", json!({}), "Call(Forward(None))"),
        ("call.forward", json!({ "to": "2009" }), "Call(Forward(Some(To(Number(\"2009\")))))"),
        ("call.forward", json!({ "voicemail": true }), "Call(Forward(Some(Voicemail)))"),
        ("call.dnd", json!({ "mode": "off" }), "Call(DoNotDisturb(None))"),
        ("call.dnd", json!({ "mode": "ringerOff" }), "Call(DoNotDisturb(Some(RingerOff)))"),
        ("call.dnd", json!({ "mode": "reject" }), "Call(DoNotDisturb(Some(Reject)))"),
        ("call.redial", json!({}), "Call(Redial)"),
        ("call.takeOver", json!({}), "Call(TakeOver)"),
        ("call.with", json!({ "device": "SEP1" }), "Call(CallWith(Some(\"SEP1\")))"),
        ("call.with", json!({}), "Call(CallWith(None))"),
        (
            "call.referral",
            json!({ "id": 3, "accept": true }),
            "Call(AnswerReferral { id: 3, accept: true })",
        ),
        (
            "call.watch",
            json!({ "numbers": ["2002", "bob@example.com"] }),
            "Call(Watch([Number(\"2002\"), Address(\"bob@example.com\")]))",
        ),
    ] {
        served.ok(method, params).await;
        assert_eq!(served.host.last(), command, "{method}");
    }
}

#[tokio::test]
async fn wishes_that_contradict_themselves_are_refused() {
    let served = Served::start().await;
    for (method, params) in [
        ("call.transfer", json!({ "id": "c7" })),
        ("call.transfer", json!({ "id": "c7", "to": "2003", "other": "c8" })),
        ("call.transfer", json!({ "id": "c7", "to": "" })),
        ("call.pickup", json!({ "which": "directed" })),
        ("call.pickup", json!({ "number": "2003" })),
        ("call.forward", json!({ "to": "1", "voicemail": true })),
        ("call.dnd", json!({})),
        ("call.dnd", json!({ "mode": "loud" })),
        ("call.merge", json!({ "id": "c7" })),
        ("call.watch", json!({ "numbers": "2002" })),
        ("call.redial", json!({ "x": 1 })),
        ("call.with", json!({ "phone": "SEP1" })),
    ] {
        let error = served.error(method, params).await;
        assert_eq!(error["code"], -32602, "{method}");
    }
}

#[tokio::test]
async fn the_phone_tells_what_it_is_set_to() {
    let served = Served::start().await;
    let state = served.ok("phone.state", json!({})).await;
    assert_eq!(state["dnd"], json!(null));
    assert_eq!(state["forward"], json!(null));
    assert_eq!(state["messages"]["waiting"], json!(false));
    assert_eq!(state["can"]["park"], json!(false));
    assert_eq!(state["lines"], json!([]));
    assert_eq!((&state["deskPhones"], &state["desk"]), (&json!([]), &json!(null)));
    let calls = served.ok("call.list", json!({})).await;
    assert_eq!(calls["items"][0]["can"]["transfer"], json!(false));
    assert_eq!(calls["items"][0]["preserved"], json!(false));
}
