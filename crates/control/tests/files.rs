//! Methods about files.
#![cfg(unix)]

mod support;

use serde_json::json;
use support::Served;

#[tokio::test]
async fn every_wish_about_a_file_has_its_method() {
    let served = Served::start().await;
    for (method, params, command) in [
        (
            "file.send",
            json!({ "to": "bob@example.com", "path": "/tmp/a.pdf" }),
            "File(Send { to: Jid { bare: \"bob@example.com\", resource: None }, path: \"/tmp/a.pdf\" })",
        ),
        ("file.accept", json!({ "id": "f7" }), "File(Accept { id: TransferId(7), path: None })"),
        (
            "file.accept",
            json!({ "id": "f7", "path": "/tmp/b.pdf" }),
            "File(Accept { id: TransferId(7), path: Some(\"/tmp/b.pdf\") })",
        ),
        ("file.decline", json!({ "id": "f7" }), "File(Decline { id: TransferId(7) })"),
        ("file.again", json!({ "id": "f7" }), "File(Again { id: TransferId(7) })"),
        (
            "file.capture",
            json!({ "to": "bob@example.com" }),
            "File(Capture { to: Jid { bare: \"bob@example.com\", resource: None }, area: Screen })",
        ),
        (
            "file.capture",
            json!({ "to": "bob@example.com", "area": "window" }),
            "File(Capture { to: Jid { bare: \"bob@example.com\", resource: None }, area: Window })",
        ),
    ] {
        served.ok(method, params).await;
        assert_eq!(served.host.last(), command, "{method}");
    }
}

#[tokio::test]
async fn transfers_are_listed_and_wrong_ids_refused() {
    let served = Served::start().await;
    let list = served.ok("file.list", json!({})).await;
    assert_eq!(list, json!({ "items": [], "more": false }));
    for params in
        [json!({ "id": "7" }), json!({ "id": "c7" }), json!({}), json!({ "id": "f7", "x": 1 })]
    {
        let error = served.error("file.decline", params).await;
        assert_eq!(error["code"], -32602);
    }
}
